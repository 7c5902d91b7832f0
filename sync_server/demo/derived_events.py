"""What the data lacks: returns and voids, derived from real sales by a seeded rule and counted apart.

The rule draws one number per basket and one per line, from SHA-256 over seed, basket and line, so that the
same input gives the same returns and voids on every machine:

- 4 baskets in 1,000 are voided whole, one minute after they were sold;
- of the lines of the other baskets 3 in 1,000 are voided, one minute after they were sold,
- and 15 in 1,000 are returned, 1 to 72 hours later in the same store: one piece at its share of the charge;
  a quarter of them come back damaged. Fuel, free lines and part-pieces are not returned.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from shared.money import minor_unit, round_to

SEED = "tillsync-demo-1"

_DRAWS = 1000
_BASKETS_VOIDED = 4
_LINES_VOIDED = 3
_LINES_RETURNED = 15
_AFTER_SALE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line as it was sold, which is all that the rule looks at."""

    line_number: int
    item_id: str
    quantity: Decimal
    amount: Decimal
    unit_of_measure: str


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived event: the void of a basket (no line), the void of a line, or the return of a line."""

    kind: str
    """VOID or RETURN."""
    happens_at: datetime
    line: SoldLine | None = None
    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    disposition: str = "RESTOCK"


def derive(basket_id: int, sold_at: datetime, lines: Sequence[SoldLine], currency: str) -> list[Derived]:
    """The voids and returns that the rule makes of one basket sold at `sold_at`, in order of time."""
    if lines and _draw(basket_id, 0) < _BASKETS_VOIDED:
        return [Derived("VOID", sold_at + _AFTER_SALE)]
    derived = list(_of_lines(basket_id, sold_at, lines, currency))
    return sorted(derived, key=lambda one: one.happens_at)


def _of_lines(
    basket_id: int, sold_at: datetime, lines: Sequence[SoldLine], currency: str
) -> Iterable[Derived]:
    for line in lines:
        draw = _draw(basket_id, line.line_number)
        if draw < _LINES_VOIDED:
            yield Derived("VOID", sold_at + _AFTER_SALE, line)
        elif draw < _LINES_VOIDED + _LINES_RETURNED and _may_come_back(line):
            hours = 1 + _draw(basket_id, -line.line_number) % 72
            yield Derived(
                "RETURN",
                sold_at + timedelta(hours=hours),
                line,
                quantity=Decimal(1),
                amount=round_to(line.amount / line.quantity, minor_unit(currency)),
                disposition="DAMAGED" if draw % 4 == 0 else "RESTOCK",
            )


def _may_come_back(line: SoldLine) -> bool:
    return line.unit_of_measure == "EA" and line.amount > 0


def _draw(basket_id: int, line_number: int) -> int:
    """A number below 1,000 that only seed, basket and line decide."""
    digest = hashlib.sha256(f"{SEED}:{basket_id}:{line_number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _DRAWS
