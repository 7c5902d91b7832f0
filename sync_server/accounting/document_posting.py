"""What a document of headquarters posts for one store: movements, one balanced journal, rows in the outbox.

Transfers, reservations, reconciliations, opening stock: whatever is no batch of till events goes through here.

    store = lock_store(cursor, store_no)
    posting = DocumentPosting(cursor, store, chart, kind="COUNT", document=reconciliation_id, date=day, now=now)
    posting.read([item_no])
    posting.move(item_no, Decimal(-2), worth, counter_account=loss, movement_type="COUNT")
    posting.write()

The store stays locked until the unit of work ends; a second document of the same transaction locks and reads anew.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.exact_decimal import exact_arithmetic
from shared.money import minor_unit
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_writes import write_posting
from sync_server.accounting.journal_entry import JournalEntry
from sync_server.accounting.posting_rules import book_goods
from sync_server.inventory.item_stock import ItemStock, read_item_stock
from sync_server.inventory.valuation import ZERO, Valuation, move, worth_at
from sync_server.publishing.announcements import Announcement
from sync_server.publishing.kinds import OutboxKind
from sync_server.stores.locked_store import LockedStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One row of the stock ledger; every change signed, None for what does not change."""

    store_sequence: int
    item_no: int
    type: str
    quantity: Decimal
    value: Decimal
    on_hand_after: Decimal
    previous_sequence: int | None
    reserved: Decimal | None
    in_transit: Decimal | None
    in_transit_value: Decimal | None
    reason_code: str | None
    occurred_at: datetime


class DocumentPosting:
    """One document being posted; `write` puts all of it down, and nothing is written before."""

    def __init__(
        self,
        cursor: Cursor[Any],
        store: LockedStore,
        chart: ChartOfAccounts,
        *,
        kind: str,
        document: str,
        date: date,
        now: datetime,
    ) -> None:
        """`kind` and `document` say what caused it and stand on journal and movements; `date`: business date."""
        self.store = store
        self.chart = chart
        self.kind = kind
        self.document = document
        self.business_date, self.accounting_date = date, store.accounting_date(date)
        self.now = now
        self.coin = minor_unit(store.currency)
        self.entry = JournalEntry()
        self.items: dict[int, ItemStock] = {}
        self.movements: list[Movement] = []
        self.announcements: list[Announcement] = []
        self.journal_sequence: int | None = None
        """The journal's number, once written; None when nothing had a value."""
        self._cursor = cursor
        self._sequence = store.last_sequence

    def read(self, item_nos: Collection[int]) -> None:
        """Reads where the store stands with these items; each item must be read before it is moved."""
        self.items |= read_item_stock(self._cursor, self.store.store_no, set(item_nos) - self.items.keys())

    def next_number(self) -> int:
        """The next number of the store's sequence."""
        self._sequence += 1
        return self._sequence

    def move(
        self,
        item_no: int,
        quantity: Decimal,
        worth: Decimal,
        *,
        counter_account: str,
        movement_type: str,
        reason_code: str | None = None,
        reserved: Decimal = ZERO,
        in_transit: Decimal = ZERO,
        in_transit_value: Decimal = ZERO,
        occurred_at: datetime | None = None,
    ) -> Valuation:
        """Moves an item: on hand by `quantity` worth `worth` (signed alike), reserved and in transit beside it.

        The worth is booked between inventory and `counter_account`, what inventory cannot hold on cost
        variance. A change of in-transit value is the caller's to book when the counter account is another.
        Returns what inventory took.
        """
        item, number = self.items[item_no], self.next_number()
        valuation = Valuation(ZERO, ZERO)
        with exact_arithmetic():
            if quantity or worth:
                valuation = move(item.position, quantity, worth, self.coin)
                book_goods(self.entry, self.chart, counter_account, valuation)
            item.reserved += reserved
            item.in_transit += in_transit
            item.in_transit_value += in_transit_value
        self.movements.append(
            Movement(
                store_sequence=number,
                item_no=item_no,
                type=movement_type,
                quantity=quantity,
                value=valuation.value,
                on_hand_after=item.position.on_hand,
                previous_sequence=item.last_sequence,
                reserved=reserved or None,
                in_transit=in_transit or None,
                in_transit_value=in_transit_value or None,
                reason_code=reason_code,
                occurred_at=occurred_at or self.now,
            )
        )
        item.last_sequence = number
        return valuation

    def revalue(
        self, item_no: int, unit_cost: Decimal, worths: Mapping[str, Decimal], *, movement_type: str
    ) -> Decimal:
        """A movement without quantity: what is on hand comes to stand at `unit_cost`; returns what inventory took.

        `worths` says, by account, what each gives (negative: takes); what they differ by goes to cost variance.
        """
        item, number = self.items[item_no], self.next_number()
        position = item.position
        with exact_arithmetic():
            target = worth_at(unit_cost, position.on_hand, self.coin)
            value = target - position.value
            self.entry.debit(self.chart.inventory, value)
            self.entry.debit(self.chart.cost_variance, sum(worths.values(), ZERO) - value)
            for account, worth in worths.items():
                self.entry.credit(account, worth)
        position.value, position.unit_cost = target, unit_cost
        self.movements.append(
            Movement(
                store_sequence=number,
                item_no=item_no,
                type=movement_type,
                quantity=ZERO,
                value=value,
                on_hand_after=position.on_hand,
                previous_sequence=item.last_sequence,
                reserved=None,
                in_transit=None,
                in_transit_value=None,
                reason_code=None,
                occurred_at=self.now,
            )
        )
        item.last_sequence = number
        return value

    def allocate(
        self,
        item_no: int,
        *,
        movement_type: str,
        reserved: Decimal = ZERO,
        in_transit: Decimal = ZERO,
        in_transit_value: Decimal = ZERO,
        reason_code: str | None = None,
    ) -> None:
        """Changes what is reserved or in transit alone; nothing on hand moves and nothing is booked here."""
        self.move(
            item_no,
            ZERO,
            ZERO,
            counter_account="",
            movement_type=movement_type,
            reason_code=reason_code,
            reserved=reserved,
            in_transit=in_transit,
            in_transit_value=in_transit_value,
        )

    def announce(self, kind: OutboxKind, *, cause: str, payload: Mapping[str, Any]) -> int:
        """Has `payload` published under a number of its own; see `publishing/announcements.py` for `cause`."""
        number = self.next_number()
        self.announcements.append(Announcement(number, kind, cause, payload))
        return number

    def write(self) -> int:
        """Writes movements, stock, journal and outbox; returns the store's last number. Call it once."""
        lines = self.entry.lines()
        if lines:
            self.journal_sequence = self.next_number()
        if self._sequence > self.store.last_sequence:
            write_posting(self._cursor, self, lines, self._sequence)
        return self._sequence
