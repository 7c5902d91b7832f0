"""Old events leave the spool; their content hashes stay, so that their days can still be proven.

Only what headquarters has acknowledged goes, oldest first, some hundred events in a commit. An event leaves 32 bytes
behind: should a sale come late for a day that was pruned, the day's digest is still that of all its events.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from edge_agent.packed_event import is_packed, received_at
from edge_agent.pruned_hashes import HASH_BYTES, HASHES_IN_ROW
from edge_agent.resend import Range
from edge_agent.spool import Spool
from edge_agent.spool_batches import unacknowledged

ROWS_AT_ONCE = 200
"""Events in one commit; a till waits for one of these at most."""
_RECEIVED = b'"receivedAt":"'
_ROWS = (
    "SELECT position, business_day, key_high, content_hash, lines_after, body FROM event"
    " WHERE position > ? AND position < ? AND position <= (SELECT keys_through FROM batching)"
    " ORDER BY position LIMIT ?"
)


class PrunedPiece(msgspec.Struct, frozen=True):
    """What one piece did."""

    events: int
    """How many went."""
    through: int | None
    """Where the next piece begins, after this position; None when everything that is old enough was looked at."""


class _Old(msgspec.Struct, frozen=True):
    position: int
    business_day: int
    key_high: int
    content_hash: bytes


def prune_piece(spool: Spool, after: int, older_than: str, now: str) -> PrunedPiece:
    """Removes acknowledged events after position `after` that were received before the instant `older_than`.

    An event whose key is not in the index yet stays; `write_keys` brings it there.

    The newest event always stays, and so does what headquarters refused. An event that was received later than
    `now`, when the clock was wrong, holds nothing up.
    """
    rows = spool.connection.execute(_ROWS, (after, spool.last_position, ROWS_AT_ONCE)).fetchall()
    if not rows:
        return PrunedPiece(0, None)
    kept = [*unacknowledged(spool), *_refused(spool, rows[0][0], rows[-1][0])]
    old: list[_Old] = []
    through: int | None = rows[-1][0]
    for position, business_day, key_high, content_hash, lines_after, body in rows:
        received = _received_at(body, business_day, lines_after)
        if older_than <= received <= now:
            through = None
            break
        if received < older_than and not any(first <= position <= last for first, last in kept):
            old.append(_Old(position, business_day, key_high, content_hash))
    if old:
        with spool.transaction() as connection:
            _remember(spool, connection, old)
            connection.executemany("DELETE FROM event WHERE position = ?", [(row.position,) for row in old])
            connection.executemany(
                "DELETE FROM event_key WHERE key_high = ? AND position = ?",
                [(row.key_high, row.position) for row in old],
            )
    return PrunedPiece(len(old), through)


def forget_days(spool: Spool, before: int) -> None:
    """Removes what is left of proven days earlier than the day number `before`."""
    with spool.transaction() as connection:
        connection.execute("DELETE FROM pruned WHERE business_day < ?", (before,))
        connection.execute("DELETE FROM stream_day WHERE business_day < ? AND state = 'PROVEN'", (before,))


def _refused(spool: Spool, first: int, last: int) -> list[Range]:
    found: list[Range] = spool.connection.execute(
        "SELECT position, position FROM undeliverable WHERE position BETWEEN ? AND ?", (first, last)
    ).fetchall()
    return found


def _received_at(body: bytes, business_day: int, lines_after: int) -> str:
    """When the event was accepted, as its stamp spells it; in a damaged row far in the future: it stays."""
    if is_packed(body):
        try:
            return received_at(body, business_day, lines_after)
        except (ValueError, OverflowError):
            return "9999"
    at = body.rfind(_RECEIVED)
    if at < 0:
        return "9999"
    start = at + len(_RECEIVED)
    return body[start : body.find(b'"', start)].decode("ascii", "replace")


def _remember(spool: Spool, connection: sqlite3.Connection, old: Sequence[_Old]) -> None:
    """Writes down the hashes, those of neighbours of one day in one row."""
    run: list[_Old] = []
    for row in [*old, None]:
        joins = (
            row is not None
            and bool(run)
            and row.position == run[-1].position + 1
            and row.business_day == run[-1].business_day
            and spool.stream_of(row.position) == spool.stream_of(run[-1].position)
        )
        if run and not joins:
            _write_run(spool, connection, run)
            run = []
        if row is not None:
            run.append(row)


def _write_run(spool: Spool, connection: sqlite3.Connection, run: Sequence[_Old]) -> None:
    hashes = b"".join([row.content_hash for row in run])
    first, day, stream_no = run[0].position, run[0].business_day, spool.stream_of(run[0].position)[0]
    before = connection.execute(
        "SELECT first_position, stream_no, business_day, hashes FROM pruned WHERE first_position < ?"
        " ORDER BY first_position DESC LIMIT 1",
        (first,),
    ).fetchone()
    if before is not None:
        start, former_stream, former_day, former = before
        joins = (former_stream, former_day, start + len(former) // HASH_BYTES) == (stream_no, day, first)
        if joins and len(former) + len(hashes) <= HASHES_IN_ROW * HASH_BYTES:
            connection.execute(
                "UPDATE pruned SET hashes = ? WHERE first_position = ?", (former + hashes, start)
            )
            return
    connection.execute("INSERT INTO pruned VALUES (?, ?, ?, ?)", (first, stream_no, day, hashes))


def instants(now: datetime, older_than: datetime) -> tuple[str, str]:
    """Both as a stamp spells them, comparable as texts to the second."""
    return now.strftime("%Y-%m-%dT%H:%M:%S~"), older_than.strftime("%Y-%m-%dT%H:%M:%S")
