"""The durable queue: accepts stamped events, numbers them, knows each one once.

Used by one thread at a time (`spool_desk.py`). An event is stored once (`packed_event.py`). Its
sequence is its row's position in the file, so that no counter has to be kept beside it. What happens to
events afterwards is in `spool_batches.py` and `spool_days.py`, over the same connection.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from edge_agent.errors import SpoolDamaged
from edge_agent.event_keys import EventKeys
from edge_agent.packed_event import pack_event, wire_form
from edge_agent.spool_schema import fault, open_spool_file
from edge_agent.stamped_event import Accepted, EventGroup, StampedEvent
from shared.clock import Clock, instant_text
from shared.identifiers import new_stream_id

_BODIES = "SELECT position, business_day, lines_after, body FROM event"
_LOOK = "SELECT key_low, business_day, content_hash FROM event WHERE position = ?"
_INSERT = (
    "INSERT INTO event (position, key_high, key_low, content_hash, business_day, lines_after, body)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
)


class Spool:
    """The open spool; one thread at a time, one process at a time."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Opens or makes the file; its cost does not depend on how much is buffered.

        Raises SpoolUnsafe, SpoolFull or SpoolFault.
        """
        self.path = path
        self.connection = open_spool_file(path)
        self._cursor = self.connection.cursor()
        self.is_open = True
        try:
            self._prepare(clock)
        except sqlite3.Error as error:
            self.connection.close()
            raise fault(error, path) from error

    def _prepare(self, clock: Clock) -> None:
        if not self._streams():
            with self.transaction():
                self.connection.execute("INSERT INTO batching VALUES (1, 1, 0)")
                self.connection.execute(
                    "INSERT INTO stream (stream_id, first_position, started_at) VALUES (?, 1, ?)",
                    (new_stream_id(clock.now()), instant_text(clock.now())),
                )
        self.read_streams()
        newest = self.connection.execute("SELECT MAX(position) FROM event").fetchone()[0]
        # Retention never removes the newest event, so the next position is known without a counter.
        self.last_position: int = newest if newest is not None else self._first_position - 1
        self._keys = EventKeys(self.connection)

    def read_streams(self) -> None:
        """Learns which streams there are, at the beginning and when one was begun (`spool_streams.py`)."""
        self.streams: list[tuple[int, str, int]] = self._streams()
        """(number, id, first position) of every stream in the file, the current one last."""
        self.stream_id = self.streams[-1][1]
        self._first_position = self.streams[-1][2]

    def _streams(self) -> list[tuple[int, str, int]]:
        rows = self.connection.execute(
            "SELECT stream_no, stream_id, first_position FROM stream ORDER BY first_position"
        )
        return [(number, stream_id, first) for number, stream_id, first in rows]

    def close(self) -> None:
        """Closes the file, once; everything that was accepted is in it already."""
        if not self.is_open:
            return
        self.is_open = False
        # A cursor whose statement failed would keep the file open, and locked, after the connection is closed.
        self._cursor.close()
        self._keys.close()
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed, and on the disk, when the block ends; undone when it raises."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise fault(error, self.path) from error
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def accept(self, intakes: Sequence[Sequence[EventGroup]]) -> list[list[Accepted]]:
        """Stores the groups of several intakes in one commit and answers each event, in order.

        An event that is there already, with the same content, is answered with its first sequence. The same
        id with other content is a fact of its own: it gets a sequence, and headquarters holds it for a
        person. All or nothing; raises SpoolFull or SpoolFault.
        """
        before = self.last_position
        keys_are_due = self._keys.should_be_written
        try:
            if not keys_are_due and len(intakes) == 1 and len(intakes[0]) == 1 and len(intakes[0][0]) == 1:
                # The everyday case, one line from one till: a single statement is a transaction by itself.
                return [[self._store_one(intakes[0][0][0])]]
            self._cursor.execute("BEGIN IMMEDIATE")
            if keys_are_due:  # they go to the disk with this commit, so that they need none of their own
                self._keys.write_down(before)
            answers = [[line for group in intake for line in self._store(group)] for intake in intakes]
            self._cursor.execute("COMMIT")
        except BaseException as error:
            self.last_position = before
            self._keys.forget_after(before)
            self._undo()
            if isinstance(error, sqlite3.Error):
                raise fault(error, self.path) from error
            raise
        if keys_are_due:
            self._keys.written(before)
        return answers

    def append(
        self,
        groups: Sequence[EventGroup],
        record: Callable[[sqlite3.Connection], object],
        *,
        even_if_known: bool = False,
    ) -> None:
        """Stores events that were stored before, elsewhere; `record` notes how far it went in the same commit.

        Known ones are passed over, unless they come from a former stream of this very file.
        """
        before = self.last_position
        keys_are_due = self._keys.should_be_written
        try:
            with self.transaction() as connection:
                if keys_are_due:
                    self._keys.write_down(before)
                for group in groups:
                    if even_if_known:
                        self._insert(list(group))
                    else:
                        self._store(group)
                record(connection)
        except BaseException:
            self.last_position = before
            self._keys.forget_after(before)
            raise
        if keys_are_due:
            self._keys.written(before)

    def write_keys(self) -> None:
        """Brings every key into the index, so that any event can be pruned; does nothing when none waits."""
        if self._keys.through < self.last_position:
            with self.transaction():
                self._keys.write_down(self.last_position)
            self._keys.written(self.last_position)

    def _store_one(self, event: StampedEvent) -> Accepted:
        """Stores a group of one event; a transaction by itself where none is open."""
        positions = self._keys.positions(event.key_high)
        if positions and (known := self._known(event, positions)) is not None:
            return known
        position = self.last_position + 1
        sequence = position - self._first_position + 1
        self._cursor.execute(_INSERT, _row(position, event, sequence, sequence, 1))
        self._keys.note(event.key_high, position)
        self.last_position = position
        return _accepted(event, sequence, event.business_day, duplicate=False)

    def _store(self, group: EventGroup) -> list[Accepted]:
        if len(group) == 1:
            return [self._store_one(group[0])]
        answers = [self._known(event, self._keys.positions(event.key_high)) for event in group]
        fresh = {
            _identity(event): event for event, known in zip(group, answers, strict=True) if known is None
        }
        stored = dict(zip(fresh, self._insert(list(fresh.values())), strict=True))
        # An event that stands twice in one group is stored once; its second mention finds it in the file.
        return [
            known or stored.pop(_identity(event), None) or self._must_know(event)
            for event, known in zip(group, answers, strict=True)
        ]

    def _insert(self, events: list[StampedEvent]) -> list[Accepted]:
        answers = []
        size = len(events)
        sequence = first = self.last_position - self._first_position + 2
        for event in events:
            position = self._first_position + sequence - 1
            self._cursor.execute(_INSERT, _row(position, event, sequence, first, size))
            self._keys.note(event.key_high, position)
            answers.append(_accepted(event, sequence, event.business_day, duplicate=False))
            sequence += 1
        self.last_position += size
        return answers

    def _known(self, event: StampedEvent, positions: Sequence[int]) -> Accepted | None:
        """The answer that the same event got before, if it is at one of these positions."""
        for position in positions:
            row = self._cursor.execute(_LOOK, (position,)).fetchone()
            if row is None:
                raise SpoolDamaged(f"The spool {self.path} knows a key at position {position} and no event.")
            key_low, business_day, content_hash = row
            if key_low == event.key_low and content_hash == event.content_hash:
                return _accepted(event, self.sequence_of(position), business_day, duplicate=True)
        return None

    def _must_know(self, event: StampedEvent) -> Accepted:
        known = self._known(event, self._keys.positions(event.key_high))
        assert known is not None, "an event that was stored in this transaction is found in it"
        return known

    def stream_of(self, position: int) -> tuple[int, str, int]:
        """(number, id, first position) of the stream that the event at `position` belongs to."""
        return next(stream for stream in reversed(self.streams) if stream[2] <= position)

    def sequence_of(self, position: int) -> int:
        """The sequence, in its stream, of the event at `position`."""
        return position - self.stream_of(position)[2] + 1

    def position_of(self, sequence: int) -> int:
        """The position of a sequence of the current stream."""
        return self._first_position + sequence - 1

    @property
    def last_sequence(self) -> int:
        """The newest sequence of the current stream; 0 when it has no event yet."""
        return self.last_position - self._first_position + 1

    def body_at(self, position: int) -> bytes | None:
        """The event at `position` as it crosses the wire; raises SpoolDamaged."""
        row = self.connection.execute(f"{_BODIES} WHERE position = ?", (position,)).fetchone()
        return self.wire_form(*row) if row else None

    def newest_bodies(self, count: int) -> list[bytes]:
        """The last `count` events as they cross the wire, oldest first; for what must be remembered over a restart.

        Those that are damaged are left out.
        """
        rows = self.connection.execute(f"{_BODIES} ORDER BY position DESC LIMIT ?", (count,)).fetchall()
        bodies = []
        for row in reversed(rows):
            with suppress(SpoolDamaged):
                bodies.append(self.wire_form(*row))
        return bodies

    def wire_form(self, position: int, business_day: int, lines_after: int, body: bytes) -> bytes:
        """A row of the table `event` as it crosses the wire; raises SpoolDamaged when it cannot be read."""
        try:
            return wire_form(body, self.sequence_of(position), business_day, lines_after)
        except (ValueError, IndexError, OverflowError) as error:
            raise SpoolDamaged(
                f"The event at position {position} of {self.path} cannot be read ({error})."
            ) from error


def _row(
    position: int, event: StampedEvent, sequence: int, group_first: int, group_size: int
) -> tuple[object, ...]:
    lines_after = group_first + group_size - 1 - sequence
    return (
        position,
        event.key_high,
        event.key_low,
        event.content_hash,
        event.business_day,
        lines_after,
        pack_event(event.own_fields, event.stamp, event.business_day, sequence - group_first, lines_after),
    )


def _identity(event: StampedEvent) -> tuple[str, bytes]:
    return event.event_id, event.content_hash


def _accepted(event: StampedEvent, sequence: int, business_day: int, *, duplicate: bool) -> Accepted:
    return Accepted(
        event_id=event.event_id,
        sequence=sequence,
        business_date=date.fromordinal(business_day),
        duplicate=duplicate,
    )
