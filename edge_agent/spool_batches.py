"""Batches on their way: cut from the spool, kept byte for byte until a receipt, split when they are refused.

An event is unacknowledged while it is in a batch, in a range to be sent again, or not yet cut; everything
else before `next_position` is acknowledged. So neither an acknowledgement nor a count ever walks through
events.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from edge_agent.batching import BatchLimits, Line, batch_size
from edge_agent.errors import SpoolDamaged
from edge_agent.packed_event import END_BYTES, wire_length
from edge_agent.spool import Spool
from edge_agent.spool_days import record_days
from shared.clock import Clock, instant_text
from shared.event_batch import hash_of_pairs
from shared.identifiers import new_event_id
from shared.wire_json import encode_json
from shared.zone_data import zone_data_version

Range = tuple[int, int]
"""First and last position, or first and last sequence, both included."""


class OutgoingBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as it is sent, the same bytes at every try."""

    batch_no: int
    batch_id: str
    stream_id: str
    first_position: int
    last_position: int
    suspect: bool
    body: bytes

    @property
    def events(self) -> int:
        """How many events the batch holds."""
        return self.last_position - self.first_position + 1


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What headquarters has not acknowledged yet."""

    events: int
    oldest_position: int | None
    suspects: int
    """Batches that were refused alone without a reason, waiting for proof that the server is healthy."""


class _EventId(msgspec.Struct):
    eventId: str  # noqa: N815  # the wire's spelling; only this one field is read


# By both: after a damaged file was replaced, the same number may belong to another batch.
_DELETE = "DELETE FROM batch WHERE batch_no = ? AND batch_id = ?"

_read_event_id = msgspec.json.Decoder(_EventId).decode


def next_batch(spool: Spool, limits: BatchLimits, clock: Clock, *, suspects: bool) -> OutgoingBatch | None:
    """The batch to send now: one that is on its way, else a new one; with `suspects`, those first of all.

    New events go before those that are sent again, so that a long resend never holds up a sale.
    """
    row = spool.connection.execute(
        "SELECT batch_no FROM batch WHERE suspect <= ? ORDER BY suspect DESC, batch_no LIMIT 1", (suspects,)
    ).fetchone()
    batch_no = row[0] if row else _cut_new(spool, limits, clock) or _cut_again(spool, limits, clock)
    return None if batch_no is None else _load(spool, batch_no)


def _cut_new(spool: Spool, limits: BatchLimits, clock: Clock) -> int | None:
    first = next_position(spool)
    last = _end_of_batch(spool, first, spool.last_position, limits)
    if last is None:
        return None
    with spool.transaction() as connection:
        connection.execute("UPDATE batching SET next_position = ?", (last + 1,))
        record_days(spool, first, last)
        return _record(spool, first, last, clock)


def _cut_again(spool: Spool, limits: BatchLimits, clock: Clock) -> int | None:
    row = spool.connection.execute(
        "SELECT first_position, last_position FROM resend ORDER BY 1 LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    first, end = row
    last = _end_of_batch(spool, first, end, limits) or end
    with spool.transaction() as connection:
        connection.execute("DELETE FROM resend WHERE first_position = ?", (first,))
        if last < end:
            connection.execute("INSERT INTO resend VALUES (?, ?)", (last + 1, end))
        return _record(spool, first, last, clock)


def _end_of_batch(spool: Spool, first: int, end: int, limits: BatchLimits) -> int | None:
    if first > end:
        return None
    next_stream = next((stream[2] for stream in spool.streams if stream[2] > first), None)
    if next_stream is not None:  # a batch belongs to one stream
        end = min(end, next_stream - 1)
    rows = spool.connection.execute(
        "SELECT length(body), substr(body, ?), lines_after FROM event WHERE position BETWEEN ? AND ? ORDER BY position",
        (-END_BYTES, first, end),
    )
    size = batch_size((Line(wire_length(length, tail), after) for length, tail, after in rows), limits)
    rows.close()
    return first + size - 1 if size else None


def _record(spool: Spool, first: int, last: int, clock: Clock) -> int:
    now = clock.now()
    row = (new_event_id(now), instant_text(now), zone_data_version(), first, last)
    inserted = spool.connection.execute(
        "INSERT INTO batch (batch_id, posted_at, timezone_data, first_position, last_position)"
        " VALUES (?, ?, ?, ?, ?)",
        row,
    )
    assert inserted.lastrowid is not None, "SQLite gives every inserted row its number"
    return inserted.lastrowid


def _load(spool: Spool, batch_no: int) -> OutgoingBatch:
    batch_id, posted_at, timezone_data, first, last, suspect = spool.connection.execute(
        "SELECT batch_id, posted_at, timezone_data, first_position, last_position, suspect FROM batch"
        " WHERE batch_no = ?",
        (batch_no,),
    ).fetchone()
    rows = spool.connection.execute(
        "SELECT content_hash, position, business_day, lines_after, body FROM event"
        " WHERE position BETWEEN ? AND ? ORDER BY position",
        (first, last),
    ).fetchall()
    stream_id = spool.stream_of(first)[1]
    if len(rows) != last - first + 1:
        raise SpoolDamaged(f"{last - first + 1 - len(rows)} events of a batch in {spool.path} are not there.")
    events = [(content_hash, spool.wire_form(*row)) for content_hash, *row in rows]
    heading = {
        "batchId": batch_id,
        "postedAt": posted_at,
        "streamId": stream_id,
        "contentHash": hash_of_pairs(_ids_and_hashes(spool, events)).hex(),
        "timezoneData": timezone_data,
    }
    body = b'%b,"events":[%b]}' % (encode_json(heading)[:-1], b",".join([body for _, body in events]))
    return OutgoingBatch(
        batch_no=batch_no,
        batch_id=batch_id,
        stream_id=stream_id,
        first_position=first,
        last_position=last,
        suspect=bool(suspect),
        body=body,
    )


def _ids_and_hashes(spool: Spool, rows: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, bytes]]:
    try:
        return [(_read_event_id(body).eventId, digest) for digest, body in rows]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SpoolDamaged(f"An event in {spool.path} cannot be read ({error}).") from error


def next_position(spool: Spool) -> int:
    """The first position that was never in a batch."""
    position: int = spool.connection.execute("SELECT next_position FROM batching").fetchone()[0]
    return position


def cut_through(spool: Spool) -> int:
    """The newest sequence of the current stream that was ever in a batch; 0 when none was."""
    return max(next_position(spool) - spool.position_of(1), 0)


def unacknowledged(spool: Spool) -> list[Range]:
    """Position ranges that wait for a receipt, oldest first; what was never cut is the last one."""
    rows: list[Range] = spool.connection.execute(
        "SELECT first_position, last_position FROM batch"
        " UNION ALL SELECT first_position, last_position FROM resend"
        " UNION ALL SELECT first_position, last_position FROM takeover"
        " UNION ALL SELECT position, position FROM undeliverable WHERE uploaded_at IS NULL ORDER BY 1"
    ).fetchall()
    first = next_position(spool)
    return [*rows, (first, spool.last_position)] if first <= spool.last_position else rows


def backlog(spool: Spool) -> Backlog:
    """How much is unacknowledged; costs the same however much it is."""
    waiting = spool.connection.execute(
        "SELECT first_position, last_position FROM batch"
        " UNION ALL SELECT first_position, last_position FROM resend"
        " UNION ALL SELECT first_position, last_position FROM takeover"
    ).fetchall()
    first = next_position(spool)
    if first <= spool.last_position:
        waiting.append((first, spool.last_position))
    suspects = spool.connection.execute("SELECT COUNT(*) FROM batch WHERE suspect = 1").fetchone()[0]
    return Backlog(
        events=sum(last - first + 1 for first, last in waiting),
        oldest_position=min((first for first, _ in waiting), default=None),
        suspects=suspects,
    )


def acknowledged_sequence(spool: Spool) -> int:
    """The newest sequence of the current stream up to which everything was acknowledged."""
    waiting = unacknowledged(spool)
    first = spool.position_of(1)
    oldest = min((low for low, _ in waiting if low >= first), default=spool.last_position + 1)
    return oldest - first


def record_receipt(spool: Spool, batch: OutgoingBatch) -> None:
    """Marks a batch's events acknowledged."""
    with spool.transaction() as connection:
        connection.execute(_DELETE, (batch.batch_no, batch.batch_id))


def mark_suspect(spool: Spool, batch: OutgoingBatch) -> None:
    """A group that was refused alone, without a reason, steps aside until the server accepts something else."""
    with spool.transaction() as connection:
        connection.execute("UPDATE batch SET suspect = 1 WHERE batch_id = ?", (batch.batch_id,))


def group_ends(spool: Spool, batch: OutgoingBatch) -> list[int]:
    """The positions at which the batch's groups end, in order; its last position is always one of them."""
    rows = spool.connection.execute(
        "SELECT position FROM event WHERE position BETWEEN ? AND ? AND lines_after = 0 ORDER BY position",
        (batch.first_position, batch.last_position - 1),
    )
    # A gap that is sent again may end inside a group; what was missing is then a group of its own.
    return [*(position for (position,) in rows), batch.last_position]


def split(
    spool: Spool,
    batch: OutgoingBatch,
    parts: Sequence[Range],
    aside: Sequence[Range],
    reason: bytes,
    clock: Clock,
) -> None:
    """Replaces a refused batch by batches of the position ranges `parts`; `aside` becomes undeliverable.

    Parts and aside together must be exactly the batch's events.
    """
    covered = sorted([*parts, *aside])
    edges = [(0, batch.first_position - 1), *covered, (batch.last_position + 1, 0)]
    assert all(before[1] + 1 == after[0] for before, after in pairwise(edges)), "nothing may get lost"
    with spool.transaction() as connection:
        if connection.execute(_DELETE, (batch.batch_no, batch.batch_id)).rowcount != 1:
            return  # its events were put into another stream, or the file was replaced, while it was on its way
        for first, last in parts:
            _record(spool, first, last, clock)
        for first, last in aside:
            connection.executemany(
                "INSERT OR REPLACE INTO undeliverable (position, reason, set_aside_at) VALUES (?, ?, ?)",
                [
                    (position, reason.decode(), instant_text(clock.now()))
                    for position in range(first, last + 1)
                ],
            )


def send_again(spool: Spool, ranges: Sequence[Range]) -> None:
    """Puts acknowledged position ranges back into the backlog; their days are to be proven anew.

    A headquarters that was restored from a backup has lost the proof with the events.
    """
    with spool.transaction() as connection:
        connection.executemany("INSERT INTO resend VALUES (?, ?)", ranges)
        connection.executemany(
            "UPDATE stream_day SET state = 'CHANGED'"
            " WHERE state = 'PROVEN' AND first_position <= ? AND last_position >= ?",
            [(last, first) for first, last in ranges],
        )
