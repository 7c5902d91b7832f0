"""A posting while it is being decided: what is known, what has been decided, and the numbers given so far."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.money import minor_unit
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.ingestion.known_state import KnownState
from sync_server.ingestion.ledger_rows import LedgerRows
from sync_server.ingestion.line_effects import Books
from sync_server.stores.findings import FindingCode
from sync_server.stores.locked_store import KnownStream


@dataclass(frozen=True, slots=True)
class PostingContext:
    """What is fixed while a batch is posted."""

    currency: str
    chart: ChartOfAccounts
    last_sequence: int
    stream: KnownStream | None
    accounting_date: Callable[[date], date]
    """The day on which something of a business date is booked."""


class OpenPosting:
    """One batch being posted; `rows`, `state` and the counts are its outcome."""

    def __init__(self, context: PostingContext, state: KnownState) -> None:
        self.context = context
        self.state = state
        self.rows = LedgerRows()
        self.all_new = False
        """Whether nothing of the batch has been received before or is to be held: groups need not be looked through."""
        self.named_keys: Set[str] = frozenset()
        """Event keys that voids name, of this batch or earlier ones: lines under them must be findable."""
        self.named_sales: Set[str] = frozenset()
        """Sale ids that voids name, likewise."""
        self.returned_goods: Set[tuple[str, int]] = frozenset()
        """(sale id, item number) of what returns say came back."""
        self.channel = ""
        """By which way the batch came."""
        self.held_for: HeldReason | None = None
        """Why nothing of the batch may be posted; what is known already is a duplicate all the same."""
        self.others: dict[str, list[Any]] = {}
        """What types beside sale, return, receipt and void have noted to be written; see `other_lines`."""
        self.known_to_others: dict[str, Any] = {}
        """What these types have read, by type or by whatever name several of them share."""
        self.stream_no = None if context.stream is None else context.stream.stream_no
        self.coin = minor_unit(context.currency)
        self.sequence = context.last_sequence
        self.accepted = self.duplicates = self.held = 0

    def next_number(self) -> int:
        """The next number of the store's sequence."""
        self.sequence += 1
        return self.sequence

    def journals_of(self, day: date) -> GroupJournals:
        """Journals for a group of that business date, booked on it or on the first open day after it."""
        return GroupJournals(self.context.currency, day, self.context.accounting_date(day))

    def find(self, code: FindingCode, subject: str) -> None:
        """Notes a finding: what was posted and somebody should look at."""
        self.rows.findings[code.value, subject] += 1

    def books(self, journals: GroupJournals, currency: str) -> Books:
        """Where a line with money in `currency` is booked."""
        books = journals.books.get(currency)
        if books is None:
            goods = journals.entry(self.context.currency)
            books = Books(self.context.chart, self.coin, journals.entry(currency), goods)
            journals.books[currency] = books
        return books
