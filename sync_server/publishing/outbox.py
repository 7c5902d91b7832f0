"""The outbox as it is read: which stores have something to tell, what it is, and how far each has been told.

A store's outbox is read by store sequence alone. The sequence is given under the lock of the store's row and
becomes visible together with it, so that nothing can appear later below a `last_sequence` that was seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

from sync_server.database import Work
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.messages import PostedJournal, PostedLine, PostedVoid
from sync_server.publishing.outbox_queries import JOURNALS, LINES, OLDEST_WAITING, VOIDS
from sync_server.publishing.page import Backlog, Entry, PublishedStore, Span
from sync_server.schema import HEADQUARTERS


def read_backlogs(work: Work) -> list[Backlog]:
    """Every store that has something to tell."""
    rows = work.connection.execute(
        """
        SELECT s.store_no, s.store_id, s.currency, coalesce(p.published_sequence, 0), s.last_sequence
        FROM store s LEFT JOIN relay_progress p USING (store_no)
        WHERE s.last_sequence > coalesce(p.published_sequence, 0) AND s.store_no <> %s
        """,
        [HEADQUARTERS],
    )
    return [Backlog(PublishedStore(*store), published, last) for *store, published, last in rows]


def read_entries(work: Work, spans: Sequence[Span]) -> Iterator[Entry]:
    """The outbox rows of `spans` one by one, each store's in the order of posting."""
    stores = {span.store.store_no: span.store for span in spans}
    rows = _rows(work, LINES, [(span.store.store_no, span.low, span.high) for span in spans])
    voids = dict(_void(stores[row[0]], row) for row in _rows(work, VOIDS, _keys(rows, OutboxKind.VOID)))
    journals = dict(
        _journal(stores[row[0]], row) for row in _rows(work, JOURNALS, _keys(rows, OutboxKind.JOURNAL))
    )
    for store_no, kind, sequence, *line in rows:
        posted: PostedLine | PostedVoid | PostedJournal | None
        if kind == OutboxKind.JOURNAL:
            posted = journals.get((store_no, sequence))
        elif kind == OutboxKind.VOID:
            posted = voids.get((store_no, sequence))
        else:
            posted = _line(stores[store_no], sequence, line) if line[0] else None
        yield Entry(store_no, sequence, kind, posted)


def oldest_waiting(work: Work) -> datetime | None:
    """When the oldest posting that is not published was made; None when every journal is published."""
    row = work.connection.execute(OLDEST_WAITING).fetchone()
    return row[0] if row else None


def _rows(work: Work, query: LiteralString, parameters: Sequence[tuple[int, ...]]) -> list[tuple[Any, ...]]:
    """The rows that `query` finds for `parameters`, which it takes column by column."""
    if not parameters:
        return []
    return work.connection.execute(
        query, [list(column) for column in zip(*parameters, strict=True)]
    ).fetchall()


def _keys(rows: Iterable[tuple[Any, ...]], kind: OutboxKind) -> list[tuple[int, int]]:
    return [(row[0], row[2]) for row in rows if row[1] == kind]


def _line(store: PublishedStore, sequence: int, line: Sequence[Any]) -> PostedLine:
    key, event_id, sale_id, item_id, quantity, amount, currency, *rest = line
    return PostedLine(
        store.store_id,
        sequence,
        key,
        event_id,
        sale_id,
        item_id,
        quantity,
        amount,
        currency or store.currency,
        *rest,
    )


def _void(store: PublishedStore, row: tuple[Any, ...]) -> tuple[tuple[int, int], PostedVoid]:
    store_no, sequence, *line, line_type, void_key, void_id, void_sale_id = row
    void = PostedVoid(_line(store, sequence, line), line_type, void_key, void_id, void_sale_id)
    return (store_no, sequence), void


def _journal(store: PublishedStore, row: tuple[Any, ...]) -> tuple[tuple[int, int], PostedJournal]:
    store_no, sequence, *head, voided_first, event_ids, void_ids, lines = row
    cause = f"VOIDED {voided_first}" if voided_first else f"EVENT {event_ids[0]}" if event_ids else None
    sides = [_journal_side(*line.split("\x1f", 3)) for line in lines]
    columns = (store.store_id, sequence, cause, *head, event_ids or void_ids, sides)
    return (store_no, sequence), PostedJournal._make(columns)


def _journal_side(
    account: str, debit: str, credit: str, tender: str | None = None
) -> tuple[str, str | None, Decimal, Decimal]:
    return account, tender, Decimal(debit), Decimal(credit)
