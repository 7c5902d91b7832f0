"""What became of a journal: transactions by kind, what was passed over and why, totals that do not fit."""

from collections import Counter

MOST_NAMED = 100
"""Transactions of one file that are named one by one."""


class Tally:
    """Counts while a file is read; read it when its last record has been taken."""

    def __init__(self) -> None:
        self.transactions: Counter[str] = Counter()
        """By kind: RetailTransaction, ControlTransaction, …"""
        self.passed_over: Counter[str] = Counter()
        """Transactions that are not posted, by reason."""
        self.lines_passed_over: Counter[str] = Counter()
        """Line items that say nothing of goods or money, by kind."""
        self.unequal_totals = 0
        """Transactions whose lines do not add up to the total that they state."""
        self.refused = 0
        """Pieces that cannot be understood."""
        self.named: list[str] = []
        """One sentence for each transaction that a person may miss, as far as MOST_NAMED."""

    def pass_over(self, reason: str, sentence: str | None = None) -> None:
        """Counts a transaction that is not posted; a sentence names it."""
        self.passed_over[reason] += 1
        self.name(sentence)

    def name(self, sentence: str | None) -> None:
        """Remembers what a person may want to know of one transaction."""
        if sentence is not None and len(self.named) < MOST_NAMED:
            self.named.append(sentence)

    def summary(self) -> str:
        """The counts in one sentence."""
        parts = [f"{count} {kind}" for kind, count in sorted(self.transactions.items())]
        parts += [f"{count} passed over ({reason})" for reason, count in sorted(self.passed_over.items())]
        if self.unequal_totals:
            parts.append(f"{self.unequal_totals} whose lines do not add up to their total")
        if self.refused:
            parts.append(f"{self.refused} refused")
        return ", ".join(parts) or "nothing"
