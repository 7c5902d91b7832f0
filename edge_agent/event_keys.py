"""Which events the spool knows: by the first half of their key, the newest in memory, all others in an index.

An index on the events would be written at every commit, a page of it for a single sale. Instead the newest keys
are kept in memory and written down a few hundred at a time, in order; at start just those are read again that
were not written yet. So neither a commit nor a start pays for the events that are buffered already.
"""

import sqlite3

KEYS_IN_MEMORY = 256
"""Keys that wait to be written down; a start reads about as many events."""

_WRITE = (
    "INSERT INTO event_key (key_high, position)"
    " SELECT key_high, position FROM event WHERE position > ? ORDER BY key_high"
)


class EventKeys:
    """The keys of one spool; used by one thread at a time, like the spool itself."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Reads what was not written down yet."""
        self._cursor = connection.cursor()
        self._through: int = self._cursor.execute("SELECT keys_through FROM batching").fetchone()[0]
        rows = self._cursor.execute(
            "SELECT key_high, position FROM event WHERE position > ? ORDER BY position", (self._through,)
        )
        self._recent: dict[int, list[int]] = {}
        for key_high, position in rows.fetchall():
            self.note(key_high, position)
        self._highest = self._highest_written()

    def close(self) -> None:
        """Lets go of the file."""
        self._cursor.close()

    def _highest_written(self) -> int | None:
        highest: int | None = self._cursor.execute("SELECT MAX(key_high) FROM event_key").fetchone()[0]
        return highest

    def positions(self, key_high: int) -> list[int]:
        """The positions of events whose key begins so, oldest first."""
        recent = self._recent.get(key_high, [])
        # Most keys grow with time, and nothing above the highest one can be in the index.
        if self._highest is None or key_high > self._highest:
            return recent
        rows = self._cursor.execute(
            "SELECT position FROM event_key WHERE key_high = ?", (key_high,)
        ).fetchall()
        return [position for (position,) in rows] + recent if rows else recent

    def note(self, key_high: int, position: int) -> None:
        """Remembers a new event."""
        known = self._recent.get(key_high)
        if known is None:
            self._recent[key_high] = [position]
        else:
            known.append(position)

    def forget_after(self, position: int) -> None:
        """Forgets what a transaction noted that was undone."""
        kept = {key: [at for at in known if at <= position] for key, known in self._recent.items()}
        self._recent = {key: known for key, known in kept.items() if known}

    @property
    def should_be_written(self) -> bool:
        """Whether so many keys wait that they should be written down."""
        return len(self._recent) >= KEYS_IN_MEMORY

    def write_down(self, last_position: int) -> None:
        """Writes the waiting keys, inside a transaction; `written` is to be called once it is committed."""
        self._cursor.execute(_WRITE, (self._through,))
        self._cursor.execute("UPDATE batching SET keys_through = ?", (last_position,))

    def written(self, last_position: int) -> None:
        """The keys up to `last_position` are in the index, and on the disk."""
        self._through = last_position
        self._recent = {}
        self._highest = self._highest_written()
