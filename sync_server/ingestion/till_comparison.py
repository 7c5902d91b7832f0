"""A workstation's day as its Z reports state it, against what headquarters has of it. Pure.

Sales and returns may be stated before or after what voids took back: tills do both. Tenders are what is in the
drawer: voids and returns are taken off. Counts are recorded and not compared, since one till counts lines and the
next one receipts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)
UNSPECIFIED = "unspecified"
"""What a difference calls money that came with no tender named."""
Totals = Mapping[tuple[str, str], Decimal]
"""Amounts by (kind, name)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A total on which till and headquarters do not agree."""

    kind: str
    name: str
    till: Decimal
    headquarters: Decimal

    def __str__(self) -> str:
        return f"{self.name}: till {self.till:f}, headquarters {self.headquarters:f}"


def differences(till: Totals, ours: Totals) -> list[Difference]:
    """What of the till's totals is not what headquarters has; a total that the till does not state is not missed."""
    found: list[Difference] = []
    for (kind, name), stated in sorted(till.items()):
        if kind == "TYPE" and stated not in (fitting := _fitting(name, ours)):
            found.append(Difference(kind, name, stated, fitting[0]))
    if any(kind == "TENDER" for kind, _ in till):
        tenders = {name for kind, name in (*till, *ours) if kind == "TENDER"}
        for name in sorted(tenders):
            stated, here = till.get(("TENDER", name), ZERO), ours.get(("TENDER", name), ZERO)
            if stated != here:
                found.append(Difference("TENDER", name or UNSPECIFIED, stated, here))
    return found


def _fitting(name: str, ours: Totals) -> list[Decimal]:
    """The amounts that a till may rightly state; the first is what headquarters would."""
    sold, back = ours.get(("TYPE", "SALE_VOIDED"), ZERO), ours.get(("TYPE", "RETURN_VOIDED"), ZERO)
    if name == "VOID":
        return [sold + back, sold, sold - back]
    gross = ours.get(("TYPE", name), ZERO)
    return [gross - (sold if name == "SALE" else back), gross]
