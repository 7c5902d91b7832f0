"""The journals of one group: one in each currency that it moves, numbered when the group is complete. Pure."""

from dataclasses import dataclass, field
from datetime import date

from sync_server.accounting.journal_entry import JournalEntry
from sync_server.ingestion.ledger_rows import JOURNAL, LedgerRows


@dataclass(slots=True)
class GroupJournals:
    """Journals being drawn up by currency; goods are always in the store's own."""

    store_currency: str
    entries: dict[str, JournalEntry] = field(default_factory=dict)

    def entry(self, currency: str) -> JournalEntry:
        """The journal in `currency`."""
        entry = self.entries.get(currency)
        if entry is None:
            entry = self.entries[currency] = JournalEntry()
        return entry

    def close(self, rows: LedgerRows, first: int, last: int, business_date: date) -> int:
        """Adds the journals behind sequence `last`; returns the last number given.

        Events and movements added since the group began get the number of their journal: events the one of
        their money, movements the one in the store's currency.
        """
        numbers: dict[str, int] = {}
        for currency, entry in self.entries.items():
            lines = entry.lines()
            if not lines:
                continue
            last += 1
            numbers[currency] = last
            rows.journals.append((last, first, currency, business_date))
            rows.outbox.append((last, JOURNAL))
            rows.journal_lines.extend((last, number, *line) for number, line in enumerate(lines, 1))
        goods = numbers.get(self.store_currency)
        money = next(
            (number for currency, number in numbers.items() if currency != self.store_currency), goods
        )
        rows.event_journals.extend([money] * (len(rows.events) - len(rows.event_journals)))
        rows.movement_journals.extend([goods] * (len(rows.movements) - len(rows.movement_journals)))
        return last
