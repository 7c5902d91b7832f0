"""What headquarters' database says: posted events, held ones, the state of store-days, stock and books.

Read in one transaction that sees one state throughout. Nothing here uses the code that posts: sums are summed
anew, by SQL of its own.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.wire_json import decode_json
from sync_server.database import Database, RawConnection
from sync_server.demo.proof import BooksEvidence

_POSTED = "SELECT store_id, event_key FROM pos_event JOIN store USING (store_no)"
_HELD = (
    "SELECT store_id, count(*) FROM held_event JOIN store USING (store_no) WHERE status = 'HELD' GROUP BY 1"
)
_DAYS = """
SELECT store_id, business_date, CASE WHEN every(state = 'PROVEN') THEN 'PROVEN' ELSE min(state) END
FROM store_day JOIN store USING (store_no) GROUP BY 1, 2
"""
_JOURNALS = """
SELECT count(*), count(*) FILTER (WHERE debit IS NULL OR debit <> credit)
FROM journal
LEFT JOIN (
    SELECT store_no, store_sequence, sum(debit) AS debit, sum(credit) AS credit
    FROM journal_line GROUP BY 1, 2
) AS lines USING (store_no, store_sequence)
"""
_HEADLESS_LINES = """
SELECT count(*) FROM journal_line LEFT JOIN journal USING (store_no, store_sequence)
WHERE journal.store_no IS NULL
"""
_STOCK = """
SELECT count(*), count(*) FILTER (
    WHERE stock.on_hand IS DISTINCT FROM coalesce(moved.quantity, 0)
        OR stock.value IS DISTINCT FROM coalesce(moved.value, 0)
        OR stock.reserved <> 0 OR stock.in_transit <> 0
)
FROM store_stock AS stock
FULL JOIN (
    SELECT store_no, item_no, sum(quantity) AS quantity, sum(value) AS value
    FROM stock_movement GROUP BY 1, 2
) AS moved USING (store_no, item_no)
"""
_LEFT_NO_TRACE = """
SELECT bookless, type, details::text FROM (
    SELECT *, amount <> 0 AND NOT EXISTS (
            SELECT FROM journal WHERE store_no = event.store_no AND store_sequence = event.journal_sequence
        ) AS bookless,
        NOT EXISTS (
            SELECT FROM stock_movement WHERE store_no = event.store_no AND event_sequence = event.store_sequence
        ) AS unmoved,
        NOT EXISTS (
            SELECT FROM void_effect WHERE store_no = event.store_no AND void_sequence = event.store_sequence
        ) AS without_effect
    FROM pos_event AS event
) AS event
WHERE CASE WHEN type = 'VOID' THEN without_effect
           WHEN type IN ('SALE', 'RETURN', 'RECEIPT') THEN unmoved OR bookless END
"""


@dataclass(frozen=True, slots=True)
class LedgerEvidence:
    """What was found, by store id."""

    posted: dict[str, list[UUID]]
    held: dict[str, int]
    day_states: dict[str, dict[date, str]]
    books: BooksEvidence


def read_ledger(database: Database) -> LedgerEvidence:
    """Everything that the proof asks of the database."""
    posted: dict[str, list[UUID]] = defaultdict(list)
    days: dict[str, dict[date, str]] = defaultdict(dict)
    with database.reading() as work:
        for store_id, key in work.connection.execute(_POSTED):
            posted[store_id].append(key)
        for store_id, day, state in work.connection.execute(_DAYS):
            days[store_id][day] = state
        held: dict[str, int] = dict(work.connection.execute(_HELD).fetchall())
        return LedgerEvidence(posted=posted, held=held, day_states=days, books=_books(work.connection))


def _books(connection: RawConnection) -> BooksEvidence:
    journals, unbalanced = _counts(connection, _JOURNALS)
    (headless,) = _counts(connection, _HEADLESS_LINES)
    stock_rows, differences = _counts(connection, _STOCK)
    suspects = connection.execute(_LEFT_NO_TRACE).fetchall()
    traceless = sum(
        bookless or not (kind == "RETURN" and _was_damaged(details)) for bookless, kind, details in suspects
    )
    return BooksEvidence(
        journals=journals,
        unbalanced_journals=unbalanced + headless,
        stock_rows=stock_rows,
        stock_differences=differences,
        events_without_movement_or_journal=traceless,
    )


def _was_damaged(details: str | None) -> bool:
    """Read here and not by PostgreSQL, which cannot take apart JSON that holds \\u0000 in any of its texts."""
    return details is not None and decode_json(details.encode()).get("disposition") == "DAMAGED"


def _counts(connection: RawConnection, query: str) -> tuple[int, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None, "a count is always one row"
    return row
