"""Old events that still wait for headquarters, read again after a start and held against their hashes, in pieces.

SQLite notices a page that is broken, not a bit that flipped inside an event. Headquarters would refuse such an event;
found out here, it costs nobody a round, and the file that holds it is set aside while the rest of it can be read. A
piece takes milliseconds and comes every few seconds, so that a start costs the same whatever waits.
"""

from edge_agent.errors import SpoolDamaged
from edge_agent.spool import Spool
from edge_agent.spool_batches import unacknowledged
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_pages import StoredRow
from edge_agent.stored_event import verified

ROWS_AT_ONCE = 100
_ROWS = (
    "SELECT position, key_high, key_low, content_hash, business_day, lines_after, body FROM event"
    " WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?"
)


class RowCheck:
    """Walks once through what waits, from the oldest on; `run_once` is one piece."""

    def __init__(self, desk: SpoolDesk) -> None:
        self._desk = desk
        self._through = 0
        self._last: int | None = None

    def run_once(self) -> int:
        """How many events were checked; 0 when all that waited at the start were. Raises SpoolDamaged."""
        stream_id, rows = self._desk.ask(lambda spool: (spool.stream_id, self._next_rows(spool)))
        broken = [row.position for row in rows if verified(row) is None]  # without the turn: tills are served
        if broken:
            self._desk.ask(lambda spool: _say_damaged(spool, stream_id, broken[0]))
        return len(rows)

    def _next_rows(self, spool: Spool) -> list[StoredRow]:
        if self._last is None:
            self._last = spool.last_position
        for first, last in sorted(unacknowledged(spool)):
            first, last = max(first, self._through + 1), min(last, self._last)
            if first > last:
                continue
            rows = [StoredRow(*row) for row in spool.connection.execute(_ROWS, (first, last, ROWS_AT_ONCE))]
            if rows:
                self._through = rows[-1].position
                return rows
        return []


def _say_damaged(spool: Spool, stream_id: str, position: int) -> None:
    if spool.stream_id == stream_id:  # else the file was replaced meanwhile
        raise SpoolDamaged(f"The event at position {position} of {spool.path} does not fit its hash.")
