"""The spool by business date: which days were touched, what their digests are made of, which are proven.

A day is written down when its events are cut into a batch, so that accepting a sale costs nothing for it.
"""

import sqlite3

import msgspec

from edge_agent.pruned_hashes import pruned_pairs
from edge_agent.spool import Spool

ROWS_AT_ONCE = 5000
"""Rows read in one turn, so that a till never waits for the digest of a large day."""


class StreamDay(msgspec.Struct, frozen=True):
    """A business date of a stream, as far as its events have been handed over."""

    stream_no: int
    stream_id: str
    business_day: int
    first_position: int
    last_position: int
    events: int
    state: str


def record_days(spool: Spool, first: int, last: int) -> None:
    """Notes which business dates the events of a new batch belong to; part of the batch's transaction."""
    stream_no = spool.stream_of(first)[0]
    spool.connection.execute(
        "INSERT INTO stream_day (stream_no, business_day, first_position, last_position, events, state)"
        " SELECT ?, business_day, MIN(position), MAX(position), COUNT(*), 'CHANGED'"
        " FROM event WHERE position BETWEEN ? AND ? GROUP BY business_day"
        " ON CONFLICT (stream_no, business_day) DO UPDATE SET"
        " first_position = MIN(first_position, excluded.first_position),"
        " last_position = MAX(last_position, excluded.last_position),"
        " events = events + excluded.events, state = 'CHANGED'",
        (stream_no, first, last),
    )


def unproven_days(spool: Spool, running: int) -> list[StreamDay]:
    """Days that are not proven and none of whose events is on its way, but for day number `running`.

    A day that lies ahead is finished too: it comes from a clock that was wrong and has been put right.
    """
    rows = spool.connection.execute(
        "SELECT stream_no, stream_id, business_day, day.first_position, last_position, events, state"
        " FROM stream_day AS day JOIN stream USING (stream_no)"
        " WHERE state <> 'PROVEN' AND state <> 'GIVEN_UP' AND business_day <> ?"
        " AND NOT EXISTS (SELECT 1 FROM batch AS b"
        "  WHERE b.first_position <= day.last_position AND b.last_position >= day.first_position)"
        " AND NOT EXISTS (SELECT 1 FROM resend AS r"
        "  WHERE r.first_position <= day.last_position AND r.last_position >= day.first_position)"
        " AND NOT EXISTS (SELECT 1 FROM undeliverable AS u"
        "  WHERE u.uploaded_at IS NULL AND u.position BETWEEN day.first_position AND day.last_position)"
        " ORDER BY business_day, stream_no",
        (running,),
    )
    return [StreamDay(*row) for row in rows]


def count_days(spool: Spool) -> dict[str, int]:
    """How many days there are in each state."""
    return dict(spool.connection.execute("SELECT state, COUNT(*) FROM stream_day GROUP BY state"))


def day_pairs(spool: Spool, day: StreamDay, first: int) -> list[tuple[int, bytes]]:
    """The (position, content hash) pairs of a day among the ROWS_AT_ONCE positions from `first` on.

    Those of pruned events are among them.
    """
    last = min(first + ROWS_AT_ONCE - 1, day.last_position)
    rows = spool.connection.execute(
        "SELECT position, content_hash FROM event WHERE position BETWEEN ? AND ? AND business_day = ?",
        (first, last, day.business_day),
    ).fetchall()
    return [*pruned_pairs(spool, day.stream_no, day.business_day, first, last), *rows]


def forget_day(spool: Spool, day: StreamDay) -> None:
    """A former stream's day of which every event has moved on to a later stream: nothing is left to prove."""
    with spool.transaction() as connection:
        connection.execute(
            "DELETE FROM stream_day WHERE stream_no = ? AND business_day = ? AND events = ?",
            (day.stream_no, day.business_day, day.events),
        )


def record_state(spool: Spool, day: StreamDay, state: str) -> bool:
    """Notes what the server said of a day's digest; False when events came meanwhile and it has to be asked
    anew.
    """
    with spool.transaction() as connection:
        updated: sqlite3.Cursor = connection.execute(
            "UPDATE stream_day SET state = ? WHERE business_day = ? AND events = ?"
            " AND stream_no = (SELECT stream_no FROM stream WHERE stream_id = ?)",
            (state, day.business_day, day.events, day.stream_id),
        )
        return updated.rowcount == 1
