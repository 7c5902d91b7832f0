"""A new stream in the same file, and the backlog of the former one taken over into it.

An agent that finds out that its past is not its own any more (a cloned disk, a machine rolled back, a file put
back from a copy) may not go on with its sequences: somebody else may have used them for other sales. It begins a new
stream at once; what headquarters has not acknowledged is stored again in the new stream, in pieces, since nobody knows
which of the old sequences stand for what at headquarters. Events keep their ids, by which headquarters knows
those that it has already.
"""

import sqlite3

import msgspec

from edge_agent.errors import SpoolDamaged
from edge_agent.spool import Spool
from edge_agent.spool_pages import StoredRow
from edge_agent.stored_event import regrouped, without_stream
from shared.clock import Clock, instant_text
from shared.identifiers import new_stream_id

EVENTS_AT_ONCE = 200
"""Events in one commit; a till waits for one of these at most."""
_ROWS = (
    "SELECT position, key_high, key_low, content_hash, business_day, lines_after, body FROM event"
    " WHERE position BETWEEN ? AND ? ORDER BY position"
)


class StreamStart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why and when a stream was begun that was not the first."""

    stream_id: str
    started_at: str
    reason: str


def restart_stream(spool: Spool, reason: str, clock: Clock) -> None:
    """Begins a new stream; whatever waits for a receipt in former ones waits to be taken over.

    What headquarters has refused stays where it is: it goes up raw, under its own sequence.
    """
    now = clock.now()
    with spool.transaction() as connection:
        waiting = connection.execute(
            "SELECT first_position, last_position FROM batch"
            " UNION ALL SELECT first_position, last_position FROM resend"
            " UNION ALL SELECT next_position, ? FROM batching WHERE next_position <= ?",
            (spool.last_position, spool.last_position),
        ).fetchall()
        connection.execute("DELETE FROM batch")
        connection.execute("DELETE FROM resend")
        connection.execute("UPDATE batching SET next_position = ?", (spool.last_position + 1,))
        connection.executemany("INSERT OR REPLACE INTO takeover VALUES (?, ?)", waiting)
        connection.executemany("INSERT OR REPLACE INTO moved VALUES (?, ?)", waiting)
        # A stream without an event has promised nothing to anybody, and gives way.
        connection.execute("DELETE FROM stream WHERE first_position = ?", (spool.last_position + 1,))
        connection.execute(
            "INSERT INTO stream (stream_id, first_position, started_at, reason) VALUES (?, ?, ?, ?)",
            (new_stream_id(now), spool.last_position + 1, instant_text(now), reason),
        )
    spool.read_streams()


def moved(spool: Spool) -> list[tuple[int, int]]:
    """Position ranges of former streams that stand, or will stand, in a later stream as well."""
    return spool.connection.execute(
        "SELECT first_position, last_position FROM moved ORDER BY first_position"
    ).fetchall()


def take_over(spool: Spool) -> int:
    """Stores the next piece of what waits in the current stream; how many events, 0 when nothing waits."""
    row = spool.connection.execute(
        "SELECT first_position, last_position FROM takeover ORDER BY first_position LIMIT 1"
    ).fetchone()
    if row is None:
        return 0
    first, end = row
    rows = _whole_groups(spool, first, end)
    last = rows[-1].position if rows else end
    lines = []
    for stored in rows:
        event = without_stream(stored)
        if event is None:
            raise SpoolDamaged(f"The event at position {stored.position} of {spool.path} cannot be read.")
        lines.append((stored.position, stored.lines_after, event))

    def note(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM takeover WHERE first_position = ?", (first,))
        if last < end:
            connection.execute("INSERT INTO takeover VALUES (?, ?)", (last + 1, end))

    spool.append(list(regrouped(lines)), note, even_if_known=True)
    return max(len(rows), 1)


def _whole_groups(spool: Spool, first: int, end: int) -> list[StoredRow]:
    """Some EVENTS_AT_ONCE rows from `first` on, up to the end of a group."""
    rows: list[StoredRow] = []
    found = spool.connection.execute(_ROWS, (first, end))
    for row in found:
        rows.append(StoredRow(*row))
        if len(rows) >= EVENTS_AT_ONCE and rows[-1].lines_after == 0:
            break
    found.close()
    return rows


def latest_restart(spool: Spool) -> StreamStart | None:
    """The current stream's beginning, if it was not the file's first."""
    row = spool.connection.execute(
        "SELECT stream_id, started_at, reason FROM stream WHERE reason IS NOT NULL"
        " ORDER BY first_position DESC LIMIT 1"
    ).fetchone()
    return StreamStart(stream_id=row[0], started_at=row[1], reason=row[2]) if row else None


def count_generation(spool: Spool) -> int:
    """One more start of an agent on this file; the new count."""
    with spool.transaction() as connection:
        updated = connection.execute("UPDATE generation SET counter = counter + 1 RETURNING counter")
        counter: int = updated.fetchone()[0]
        return counter


def set_generation(spool: Spool, counter: int) -> None:
    """Catches up with the second file."""
    with spool.transaction() as connection:
        connection.execute("UPDATE generation SET counter = ?", (counter,))


def generation(spool: Spool) -> int:
    """How often an agent was started on this file."""
    counter: int = spool.connection.execute("SELECT counter FROM generation").fetchone()[0]
    return counter
