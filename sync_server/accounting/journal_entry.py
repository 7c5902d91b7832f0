"""A balanced journal being drawn up: lines by account and tender, debit equals credit or it is refused."""

from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
Side = dict[tuple[str, str | None], Decimal]
"""Totals by (account, tender), each above zero."""


class UnbalancedJournal(ValueError):
    """A journal whose debits differ from its credits; a defect of a posting rule, never of the input."""


@dataclass(slots=True)
class JournalEntry:
    """Totals by (account, tender); a negative debit is a credit and the other way round, zero is nothing.

    Debits and credits of one account are kept apart, so that an exchange shows both its sale and its return.
    """

    debits: Side = field(default_factory=dict)
    credits: Side = field(default_factory=dict)

    def debit(self, account: str, amount: Decimal, tender: str | None = None) -> None:
        """Debits `account` by `amount`."""
        side, key = self.debits, (account, tender)
        if amount <= ZERO:
            if not amount:
                return
            side, amount = self.credits, -amount
        before = side.get(key)
        side[key] = amount if before is None else before + amount

    def credit(self, account: str, amount: Decimal, tender: str | None = None) -> None:
        """Credits `account` by `amount`."""
        side, key = self.credits, (account, tender)
        if amount <= ZERO:
            if not amount:
                return
            side, amount = self.debits, -amount
        before = side.get(key)
        side[key] = amount if before is None else before + amount

    def lines(self) -> list[tuple[str, str | None, Decimal, Decimal]]:
        """(account, tender, debit, credit) by account; empty when nothing has a value.

        Raises UnbalancedJournal.
        """
        if sum(self.debits.values(), ZERO) != sum(self.credits.values(), ZERO):
            raise UnbalancedJournal(f"debits {self.debits} differ from credits {self.credits}")
        rows = [(account, tender, amount, ZERO) for (account, tender), amount in self.debits.items()]
        rows += [(account, tender, ZERO, amount) for (account, tender), amount in self.credits.items()]
        return rows
