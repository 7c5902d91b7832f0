"""The journals of one group: one in each currency that it moves, numbered when the group is complete. Pure."""

from dataclasses import dataclass, field
from datetime import date

from sync_server.accounting.journal_entry import JournalEntry
from sync_server.ingestion.ledger_rows import EVENT_CURRENCY, JOURNAL, LedgerRows
from sync_server.ingestion.line_effects import Books, SoldTotals


@dataclass(slots=True)
class GroupJournals:
    """Journals being drawn up by currency; goods are always in the store's own."""

    store_currency: str
    business_date: date
    accounting_date: date
    """The group's: whatever business dates its lines have, journal and movements are booked on one date."""
    entries: dict[str, JournalEntry] = field(default_factory=dict)
    books: dict[str, Books] = field(default_factory=dict)
    """Where lines are booked, by the currency of their money; made once a group."""
    sold: SoldTotals = field(default_factory=SoldTotals)
    """What plain sales in the store's own currency add up to."""

    def entry(self, currency: str) -> JournalEntry:
        """The journal in `currency`."""
        entry = self.entries.get(currency)
        if entry is None:
            entry = self.entries[currency] = JournalEntry()
        return entry

    def close(self, rows: LedgerRows, first: int, last: int) -> int:
        """Adds the journals behind sequence `last`; returns the last number given.

        Lines and movements added since the group began get the number of their journal: that of their money,
        and for goods the one in the store's currency.
        """
        if self.sold.amount or self.sold.cost:
            self.sold.book(self.books[self.store_currency])
        numbers: dict[str, int] = {}
        for currency, entry in self.entries.items():
            lines = entry.lines()
            if not lines:
                continue
            last += 1
            numbers[currency] = last
            rows.journals.append((last, first, currency, self.business_date, self.accounting_date))
            rows.outbox.append((last, JOURNAL))
            rows.journal_lines.extend((last, number, *line) for number, line in enumerate(lines, 1))
        goods = numbers.get(self.store_currency)
        added = rows.lines[len(rows.money_journals) :]
        if len(numbers) > 1:
            rows.money_journals.extend([numbers.get(row[EVENT_CURRENCY], goods) for row in added])
        else:
            rows.money_journals.extend([next(iter(numbers.values()), None)] * len(added))
        rows.goods_journals.extend([goods] * len(added))
        rows.movement_journals.extend([goods] * (len(rows.movements) - len(rows.movement_journals)))
        return last
