"""Which events the spool knows: by the first half of their key, the newest in memory, all others in an index.

An index on the events would be written at every commit, a page of it for a single sale. Instead the newest keys
are kept in memory and written down a thousand at a time, in order; at start just those are read again that
were not written yet. So neither a commit nor a start pays for the events that are buffered already.
"""

import sqlite3
from collections.abc import Callable, Sequence

from edge_agent.key_sieve import CAPACITY, KeySieve

KEYS_IN_MEMORY = 1024
"""Keys that wait to be written down; a start reads about as many events."""

_WRITE = (
    "INSERT INTO event_key (key_high, position)"
    " SELECT key_high, position FROM event WHERE position BETWEEN ? AND ? ORDER BY key_high"
)


class EventKeys:
    """The keys of one spool; used by one thread at a time, like the spool itself."""

    def __init__(self, connection: sqlite3.Connection, sieve_capacity: int = CAPACITY) -> None:
        """Reads what was not written down yet; a sieve of so many keys is given up for a fresh one."""
        self._sieve_capacity = sieve_capacity
        self._cursor = connection.cursor()
        self._through: int = self._cursor.execute("SELECT keys_through FROM batching").fetchone()[0]
        self._sieve = KeySieve(self._highest_written())
        rows = self._cursor.execute(
            "SELECT key_high, position FROM event WHERE position > ? ORDER BY position", (self._through,)
        )
        self._recent: dict[int, list[int]] = {}
        for key_high, position in rows.fetchall():
            self._sieve.admit(key_high)
            self.note(key_high, position)

    def close(self) -> None:
        """Lets go of the file."""
        self._cursor.close()

    def _highest_written(self) -> int | None:
        highest: int | None = self._cursor.execute("SELECT MAX(key_high) FROM event_key").fetchone()[0]
        return highest

    def positions(self, key_high: int) -> Sequence[int]:
        """The positions of events whose key begins so, oldest first; an event without any is to be noted next."""
        if self._sieve.admit(key_high):
            return ()
        rows = self._cursor.execute(
            "SELECT position FROM event_key WHERE key_high = ?", (key_high,)
        ).fetchall()
        return [position for (position,) in rows] + self._recent.get(key_high, [])

    def note(self, key_high: int, position: int) -> None:
        """Remembers a new event, after its positions were asked for."""
        known = self._recent.setdefault(key_high, [])
        known.append(position)

    def forget_after(self, position: int) -> None:
        """Forgets what a transaction noted that was undone."""
        self._keep(lambda at: at <= position)

    @property
    def through(self) -> int:
        """The position up to which the keys are in the index."""
        return self._through

    @property
    def should_be_written(self) -> bool:
        """Whether so many keys wait that they should be written down."""
        return len(self._recent) >= KEYS_IN_MEMORY

    def write_down(self, last_position: int) -> None:
        """Writes the keys up to `last_position`, inside a transaction; `written` is called once it is committed."""
        self._cursor.execute(_WRITE, (self._through + 1, last_position))
        self._cursor.execute("UPDATE batching SET keys_through = ?", (last_position,))

    def written(self, last_position: int) -> None:
        """The keys up to `last_position` are in the index, and on the disk."""
        self._through = last_position
        self._keep(lambda at: at > last_position)
        if self._sieve.count >= self._sieve_capacity:
            self._sieve = KeySieve(self._highest_written())
            for key_high in self._recent:
                self._sieve.admit(key_high)

    def _keep(self, is_kept: Callable[[int], bool]) -> None:
        kept = {key: [at for at in known if is_kept(at)] for key, known in self._recent.items()}
        self._recent = {key: known for key, known in kept.items() if known}
