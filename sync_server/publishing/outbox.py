"""The outbox as it is read: which stores have something to tell, and what it is.

A store's outbox is read by store sequence alone. The sequence is given under the lock of the store's row and
becomes visible together with it, so that nothing can appear later below a `last_sequence` that was seen.

Numbers, dates and instants stay as PostgreSQL spells them, from the table into the message: what is never
converted cannot lose a digit, and a page costs half as much.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Cursor
from psycopg.types.string import TextLoader

from sync_server.database import Work
from sync_server.publishing.kinds import ANNOUNCED_KINDS, OutboxKind
from sync_server.publishing.messages import (
    Announced,
    ChangedAvailability,
    PostedJournal,
    PostedLine,
    PostedVoid,
)
from sync_server.publishing.outbox_queries import (
    ACCOUNTING_DATES,
    ANNOUNCEMENTS,
    AVAILABILITY,
    BACKLOGS,
    EVENTS,
    ITEMS,
    JOURNAL_LINES,
    JOURNALS,
    JOURNALS_BY_KEY,
    LATE_VOIDS,
    OLDEST_WAITING,
    OUTBOX_ROWS,
    VOIDS,
)
from sync_server.publishing.page import Backlog, Entry, PublishedStore, Span
from sync_server.schema import HEADQUARTERS

Key = tuple[int, int]
"""(store_no, store_sequence)."""
Row = tuple[Any, ...]
_KEPT_AS_TEXT = ("numeric", "date", "timestamptz")


def read_backlogs(work: Work) -> list[Backlog]:
    """Every store that has something to tell."""
    rows = work.connection.execute(BACKLOGS, [HEADQUARTERS])
    return [Backlog(PublishedStore(*store), published, last) for *store, published, last in rows]


def oldest_waiting(work: Work) -> datetime | None:
    """When the oldest posting that is not published was made; None when every journal is published."""
    row = work.connection.execute(OLDEST_WAITING).fetchone()
    return row[0] if row else None


def read_entries(work: Work, spans: Sequence[Span]) -> Iterator[Entry]:
    """The outbox rows of `spans` one by one, each store's in the order of posting."""
    if not spans:
        return
    content = _PageContent(_text_cursor(work), spans)
    for store_no, sequence, kind in content.rows:
        yield store_no, sequence, kind, content.posted((store_no, sequence), kind)


def read_availability(work: Work, spans: Sequence[Span]) -> Iterator[tuple[int, ChangedAvailability]]:
    """What can be promised now of every item whose latest movement lies in `spans`, with its store's number.

    An item that moves again before it is read is told once, as it stands then, with the page that reaches that
    movement: at most once an item and page, however many movements there were.
    """
    if not spans:
        return
    names = {span.store.store_no: span.store.store_id for span in spans}
    columns = [
        list(column) for column in zip(*((s.store.store_no, s.low, s.high) for s in spans), strict=True)
    ]
    for store_no, *rest in _text_cursor(work).execute(AVAILABILITY, columns):
        yield store_no, ChangedAvailability(names[store_no], *rest)


class _PageContent:
    """Everything that the outbox rows of some spans refer to, by its key."""

    def __init__(self, cursor: Cursor[Row], spans: Sequence[Span]) -> None:
        self._cursor = cursor
        self._stores = {span.store.store_no: span.store for span in spans}
        ranges = [(span.store.store_no, span.low, span.high) for span in spans]
        self.rows = sorted(self._read(OUTBOX_ROWS, ranges))
        self._journals = {row[:2]: row for row in self._read(JOURNALS, ranges)}
        self._journal_lines = _by_key(self._read(JOURNAL_LINES, ranges) if self._journals else ())
        self._events = {row[:2]: row for row in self._read(EVENTS, self._with_whole_groups(ranges))}
        self._items: dict[int, str] = dict(self._items_named())
        self._journals.update((row[:2], row) for row in self._read(JOURNALS_BY_KEY, self._journals_beyond()))
        self._dates: dict[Key, str] = {
            row[:2]: row[2] for row in self._read(ACCOUNTING_DATES, self._without_journal())
        }
        self._voids = {row[:2]: row for row in self._read(VOIDS, self._keys({OutboxKind.VOID}))}
        self._announced = {row[:2]: row for row in self._read(ANNOUNCEMENTS, self._keys(ANNOUNCED_KINDS))}
        self._late_voids = _by_key(self._read(LATE_VOIDS, self._journals_without_events()))

    def posted(self, key: Key, kind: int) -> PostedLine | PostedVoid | PostedJournal | Announced | None:
        """What the outbox row with this key refers to; None when it is not there."""
        if kind == OutboxKind.JOURNAL:
            return self._journal(key)
        if kind == OutboxKind.VOID:
            return self._void(key)
        if kind in ANNOUNCED_KINDS:
            return self._announcement(key)
        return self._line(key)

    def _line(self, key: Key) -> PostedLine | None:
        row = self._events.get(key)
        if row is None:
            return None
        # fmt: off
        (store_no, sequence, journal_sequence, item_no, event_key, event_id, sale_id, quantity, amount,
         currency, tax_amount, line_number, business_date, occurred_at, workstation, transaction, details,
         ) = row
        # fmt: on
        store = self._stores[store_no]
        journal = self._journals.get((store_no, journal_sequence))
        return PostedLine(
            store.store_id,
            sequence,
            event_key,
            event_id,
            sale_id,
            self._items.get(item_no),
            quantity,
            amount,
            currency or store.currency,
            tax_amount,
            line_number,
            business_date,
            journal[6] if journal else self._dates.get(key) or business_date,
            occurred_at,
            journal[7] if journal else occurred_at,
            workstation,
            transaction,
            details,
        )

    def _void(self, key: Key) -> PostedVoid | None:
        row = self._voids.get(key)
        if row is None:
            return None
        store_no, sequence, event_key, event_id, sale_id, item_id, quantity, amount, currency, *rest = row
        *rest, line_type, void_key, void_id, void_sale_id = rest
        store = self._stores[store_no]
        what = (event_key, event_id, sale_id, item_id, quantity, amount, currency or store.currency)
        line = PostedLine(store.store_id, sequence, *what, *rest)
        return PostedVoid(line, line_type, void_key, void_id, void_sale_id)

    def _announcement(self, key: Key) -> Announced | None:
        row = self._announced.get(key)
        if row is None:
            return None
        store_no, sequence, kind, *said = row
        return Announced(self._stores[store_no].store_id, sequence, OutboxKind(kind), *said)

    def _journal(self, key: Key) -> PostedJournal | None:
        row = self._journals.get(key)
        if row is None:
            return None
        store_no, sequence, first, *head = row
        cause, event_ids = self._caused_by(key, first)
        sides = [line[2:] for line in self._journal_lines.get(key, ())]
        columns = (self._stores[store_no].store_id, sequence, cause, *head, event_ids, sides)
        return PostedJournal(*columns)

    def _caused_by(self, key: Key, first: int) -> tuple[str | None, list[str]]:
        """What a journal books first, and the ids of the till events of its transaction."""
        store_no, sequence = key
        group = (self._events.get((store_no, number)) for number in range(first, sequence))
        event_ids = [event[5] or event[4] for event in group if event is not None]
        if event_ids:
            return f"EVENT {event_ids[0]}", event_ids
        late = self._late_voids.get(key, ())
        if late:
            return f"VOIDED {late[0][2]}", list(dict.fromkeys(row[3] for row in late))
        return None, []

    def _with_whole_groups(self, ranges: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """The ranges, reaching back to the first event of a journal whose group began before."""
        lows = {store_no: low for store_no, low, _ in ranges}
        for store_no, _, first, *_ in self._journals.values():
            lows[store_no] = min(lows[store_no], first)
        return [(store_no, lows[store_no], high) for store_no, _, high in ranges]

    def _journals_beyond(self) -> list[Key]:
        """Journals of events in the ranges that stand behind them."""
        wanted = {(row[0], row[2]) for row in self._events.values() if row[2] is not None}
        return sorted(wanted - self._journals.keys())

    def _without_journal(self) -> list[Key]:
        return [key for key, row in self._events.items() if row[2] is None]

    def _journals_without_events(self) -> list[Key]:
        return [
            key
            for key, row in self._journals.items()
            if row[3] == "POS" and (key[0], row[2]) not in self._events
        ]

    def _keys(self, kinds: Collection[OutboxKind]) -> list[Key]:
        return [row[:2] for row in self.rows if row[2] in kinds]

    def _items_named(self) -> list[tuple[int, str]]:
        numbers = {row[3] for row in self._events.values()} - {None}
        return self._cursor.execute(ITEMS, [list(numbers)]).fetchall() if numbers else []

    def _read(self, query: LiteralString, parameters: Sequence[tuple[int, ...]]) -> list[Row]:
        """The rows that `query` finds for `parameters`, which it takes column by column."""
        if not parameters:
            return []
        columns = [list(column) for column in zip(*parameters, strict=True)]
        return self._cursor.execute(query, columns).fetchall()


def _by_key(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = {}
    for row in rows:
        found.setdefault(row[:2], []).append(row)
    return found


def _text_cursor(work: Work) -> Cursor[Row]:
    cursor = work.connection.cursor()
    for name in _KEPT_AS_TEXT:
        cursor.adapters.register_loader(name, TextLoader)
    cursor.execute("SET LOCAL datestyle = 'ISO'")
    return cursor
