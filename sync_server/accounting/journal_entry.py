"""A balanced journal being drawn up: lines by account and tender, debit equals credit or it is refused."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
Side = defaultdict[tuple[str, str | None], list[Decimal]]
"""Amounts by (account, tender), as they were booked."""


class UnbalancedJournal(ValueError):
    """A journal whose debits differ from its credits; a defect of a posting rule, never of the input."""


def _side() -> Side:
    return defaultdict(list)


@dataclass(slots=True)
class JournalEntry:
    """Amounts by (account, tender); a negative debit is a credit and the other way round, zero is nothing.

    Amounts are only collected while lines are booked and added up once, at the end. Debits and credits of one
    account are kept apart, so that an exchange shows both its sale and its return.
    """

    debits: Side = field(default_factory=_side)
    credits: Side = field(default_factory=_side)

    def debit(self, account: str, amount: Decimal, tender: str | None = None) -> None:
        """Debits `account` by `amount`."""
        self.debits[account, tender].append(amount)

    def credit(self, account: str, amount: Decimal, tender: str | None = None) -> None:
        """Credits `account` by `amount`."""
        self.credits[account, tender].append(amount)

    def lines(self) -> list[tuple[str, str | None, Decimal, Decimal]]:
        """(account, tender, debit, credit) by account; empty when nothing has a value.

        Raises UnbalancedJournal.
        """
        debited, credited = _totals(self.debits, self.credits), _totals(self.credits, self.debits)
        if sum(debited.values(), ZERO) != sum(credited.values(), ZERO):
            raise UnbalancedJournal(f"debits {debited} differ from credits {credited}")
        rows = [(*key, amount, ZERO) for key, amount in debited.items() if amount]
        rows += [(*key, ZERO, amount) for key, amount in credited.items() if amount]
        return rows


def _totals(side: Side, other: Side) -> Mapping[tuple[str, str | None], Decimal]:
    """What stands on one side: its own positive amounts and the other side's negative ones."""
    totals: dict[tuple[str, str | None], Decimal] = {}
    for key, amounts in side.items():
        plain = min(amounts) >= 0
        totals[key] = sum(amounts if plain else [amount for amount in amounts if amount > 0], ZERO)
    for key, amounts in other.items():
        if min(amounts) < 0:
            turned = sum([amount for amount in amounts if amount < 0], ZERO)
            totals[key] = totals.get(key, ZERO) - turned
    return totals
