"""A store whose row is locked: whoever posts for a store holds it, and nobody else does at the same time.

That one lock gives the store's numbers without gaps in the order of commits, an outbox in order, and an audit
chain; it is taken before anything else is read.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg import Cursor
from psycopg.types.multirange import Multirange

from shared.business_date import DayRule

_LOCK = """
SELECT store_id, timezone, day_start, currency, last_sequence, audit_sequence, audit_hash, closed_through,
       counted_until, intake, intake_declared,
       set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)
FROM store WHERE store_no = %s FOR NO KEY UPDATE
"""
"""Whoever posts names rows by key, thousands of times a minute: its statements are planned once for a connection,
and by index even while the tables are empty; a plan made then would scan them when they are full."""
_STREAM = "SELECT stream_no, received FROM stream WHERE store_no = %s AND stream_id = %s"
_NEW_STREAM = """
INSERT INTO stream (store_no, stream_id, device_no) VALUES (%s, %s, %s) RETURNING stream_no, received
"""


@dataclass(frozen=True, slots=True)
class LockedStore:
    """A store as it is under its lock: how it dates events, and the heads of its numbers and its audit chain."""

    store_no: int
    store_id: str
    day_rule: DayRule
    currency: str
    last_sequence: int
    audit_sequence: int
    audit_hash: bytes
    closed_through: date | None = None
    """The last day of the closed periods."""
    counted_until: datetime | None = None
    """The latest instant of an approved count; None for a store that never had one."""
    intake: str | None = None
    """The one way by which its events come, a member of `intake.Intake`; None until the first batch claims it."""
    intake_declared: bool = False

    def accounting_date(self, business_date: date) -> date:
        """The day on which something of `business_date` is booked: itself, or the first open day if it is closed."""
        closed = self.closed_through
        if closed is None or business_date > closed:
            return business_date
        return closed + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KnownStream:
    """A stream of the store and what has been received of it."""

    stream_no: int
    stream_id: str
    received: Multirange[int]
    end: int
    """The first sequence above everything received."""

    def has(self, sequence: int) -> bool:
        """Whether `sequence` has been received."""
        if sequence >= self.end:
            return False
        return any(span.lower <= sequence < span.upper for span in self.received)  # type: ignore[operator]


def lock_store(cursor: Cursor[Any], store_no: int) -> LockedStore:
    """Waits for the store's row and holds it until the transaction ends. Raises LookupError if there is none."""
    row = cursor.execute(_LOCK, [store_no], prepare=True).fetchone()
    if row is None:
        raise LookupError(f"there is no store number {store_no}")
    store_id, timezone, day_start, currency, last_sequence, audit_sequence, audit_hash, *further = row
    assert isinstance(day_start, time)
    rule = DayRule(timezone, day_start)
    numbers = (last_sequence, audit_sequence, bytes(audit_hash))
    return LockedStore(store_no, store_id, rule, currency, *numbers, *further[:4])


def known_stream(cursor: Cursor[Any], store_no: int, stream_id: str, device_no: int | None) -> KnownStream:
    """The stream of that id, begun now if the store had none; call it under the store's lock."""
    row = cursor.execute(_STREAM, [store_no, stream_id], prepare=True).fetchone()
    if row is None:
        return new_stream(cursor, store_no, stream_id, device_no)
    return stream_with(row[0], stream_id, row[1])


def new_stream(cursor: Cursor[Any], store_no: int, stream_id: str, device_no: int | None) -> KnownStream:
    """Begins a stream that the store has not had; call it under the store's lock."""
    row = cursor.execute(_NEW_STREAM, [store_no, stream_id, device_no]).fetchone()
    assert row is not None
    return stream_with(row[0], stream_id, row[1])


def stream_with(stream_no: int, stream_id: str, received: Multirange[int]) -> KnownStream:
    """A stream of which `received` is here."""
    end = (received[-1].upper or 1) if len(received) else 1
    return KnownStream(stream_no, stream_id, received, end)
