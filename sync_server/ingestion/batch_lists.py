"""Batches as they are listed, and one of them with all that it brought; reading only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import namedtuple_row

from sync_server.database import Work
from sync_server.errors import NotFound

_BATCH = """
SELECT b.batch_id, b.channel, b.caller, s.stream_id, b.posted_at, b.received_at, b.accepted, b.duplicates, b.held,
       b.findings, b.first_sequence, b.last_sequence, encode(b.content_hash, 'hex') AS content_hash, b.request_id
FROM pos_batch b LEFT JOIN stream s USING (stream_no)
WHERE b.store_no = %(store_no)s
"""
_PAGE = f"""{_BATCH}
  AND (%(at)s::timestamptz IS NULL OR (b.received_at, b.batch_id) < (%(at)s::timestamptz, %(batch_id)s))
ORDER BY b.received_at DESC, b.batch_id DESC LIMIT %(limit)s
"""
_ONE = f"{_BATCH} AND b.batch_id = %(batch_id)s"
_EVENTS = """
SELECT e.store_sequence, coalesce(e.event_id, e.event_key::text) AS event_id, e.sequence, e.type, i.item_id,
       e.quantity, e.amount, e.tax_amount, e.cost, e.currency, e.sale_id, e.line_number, e.business_date, e.occurred_at,
       e.journal_sequence
FROM pos_event e LEFT JOIN item i USING (item_no)
WHERE e.store_no = %s AND e.store_sequence BETWEEN %s AND %s ORDER BY e.store_sequence
"""
_HELD = """
SELECT held_event_no AS held_event_id, reason, status FROM held_event
WHERE store_no = %s AND batch_id = %s ORDER BY held_event_no
"""


def list_batches(work: Work, store_no: int, *, after: tuple[datetime, str] | None, limit: int) -> list[Any]:
    """A store's batches, those received last first, from the one behind `after` on."""
    at, batch_id = after or (None, None)
    parameters = {"store_no": store_no, "at": at, "batch_id": batch_id, "limit": limit}
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        return list(cursor.execute(_PAGE, parameters))


def find_batch(work: Work, store_no: int, batch_id: str) -> tuple[Any, Sequence[Any], Sequence[Any]]:
    """A batch, the events that it posted, and those of it that were held; raises NotFound."""
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        batch: Any = cursor.execute(_ONE, {"store_no": store_no, "batch_id": batch_id}).fetchone()
        if batch is None:
            raise NotFound(f"The store has no batch {batch_id!r}")
        numbers = [store_no, batch.first_sequence, batch.last_sequence]
        events = [] if batch.first_sequence is None else list(cursor.execute(_EVENTS, numbers))
        held = list(cursor.execute(_HELD, [store_no, batch_id])) if batch.held else []
    return batch, events, held
