"""A balanced journal being drawn up: lines by account and tender, debit equals credit or it is refused."""

from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


class UnbalancedJournal(ValueError):
    """A journal whose debits differ from its credits; a defect of a posting rule, never of the input."""


@dataclass(slots=True)
class JournalEntry:
    """Amounts by (account, tender); a positive amount is a debit, a negative one a credit.

    Debits and credits of one account are kept apart, so that an exchange shows both its sale and its return.
    """

    debits: dict[tuple[str, str | None], Decimal] = field(default_factory=dict)
    credits: dict[tuple[str, str | None], Decimal] = field(default_factory=dict)

    def debit(self, account: str, amount: Decimal, tender: str | None = None) -> None:
        """Debits `account` by `amount`; a negative amount is a credit, zero is nothing."""
        if amount > 0:
            self.debits[account, tender] = self.debits.get((account, tender), ZERO) + amount
        elif amount < 0:
            self.credits[account, tender] = self.credits.get((account, tender), ZERO) - amount

    def credit(self, account: str, amount: Decimal, tender: str | None = None) -> None:
        """Credits `account` by `amount`; a negative amount is a debit, zero is nothing."""
        self.debit(account, -amount, tender)

    def lines(self) -> list[tuple[str, str | None, Decimal, Decimal]]:
        """(account, tender, debit, credit) by account; empty when nothing has a value.

        Raises UnbalancedJournal.
        """
        if sum(self.debits.values(), ZERO) != sum(self.credits.values(), ZERO):
            raise UnbalancedJournal(f"debits {self.debits} differ from credits {self.credits}")
        rows = [(*key, amount, ZERO) for key, amount in self.debits.items()]
        rows += [(*key, ZERO, amount) for key, amount in self.credits.items()]
        return rows
