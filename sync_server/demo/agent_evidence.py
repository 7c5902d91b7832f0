"""What an agent's own file says: which events it holds, which of them were acknowledged, on which dates.

The agent must have been stopped. The file and its write-ahead log are copied and the copy is read, so that
the proof changes nothing and can be looked at again.
"""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from sync_server.demo.errors import DemoFailed

_HALF = 2**64

_EVENTS = """
SELECT key_high, key_low, business_day,
    position < (SELECT next_position FROM batching)
    AND NOT EXISTS (SELECT 1 FROM batch WHERE position BETWEEN first_position AND last_position)
    AND NOT EXISTS (SELECT 1 FROM resend WHERE position BETWEEN first_position AND last_position)
    AND position NOT IN (SELECT position FROM undeliverable)
FROM event
"""


@dataclass(frozen=True, slots=True)
class AgentEvidence:
    """What was found in one agent's file."""

    spooled: frozenset[UUID]
    acknowledged: frozenset[UUID]
    dates: dict[date, int]
    """Events per business date, as the agent stamped them."""


def read_agent_file(spool_file: Path, copy_to: Path) -> AgentEvidence:
    """The evidence in `spool_file`, read from a copy in the folder `copy_to`."""
    copy_to.mkdir(parents=True, exist_ok=True)
    for file in (spool_file, spool_file.with_name(spool_file.name + "-wal")):
        if file.exists():
            shutil.copy(file, copy_to)
    try:
        with closing(sqlite3.connect(copy_to / spool_file.name)) as copy:
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise DemoFailed(
                    f"The agent's file {spool_file} is damaged: SQLite's integrity check says so."
                )
            rows = copy.execute(_EVENTS).fetchall()
    except sqlite3.Error as error:
        raise DemoFailed(f"The agent's file {spool_file} cannot be read: {error}.") from error
    keys = [(_key(high, low), acknowledged) for high, low, _, acknowledged in rows]
    return AgentEvidence(
        spooled=frozenset(key for key, _ in keys),
        acknowledged=frozenset(key for key, acknowledged in keys if acknowledged),
        dates=dict(Counter(date.fromordinal(day) for _, _, day, _ in rows)),
    )


def _key(high: int, low: int) -> UUID:
    """The 16-byte key from its two halves, which SQLite keeps as signed numbers."""
    return UUID(int=(high % _HALF) * _HALF + low % _HALF)
