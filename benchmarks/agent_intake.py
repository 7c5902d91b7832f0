"""One event a commit: the agent's intake, from a till's bytes to the disk, against SQLite's bare insert.

Both sides take turns every few hundred commits, so that a disk that changes its mind slows both alike. The
limit is the row that the agent wrote, put by hand into a table without an index, by a file opened with the
same guarantees (WAL, synchronous=FULL).

    python -m benchmarks.agent_intake FOLDER EVENTS    # a process of its own; prints JSON
"""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

from benchmarks.real_sales import read_sales
from edge_agent.intake import Intake
from edge_agent.sources.event_requests import read_records
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.translation import StoreRule
from shared.business_date import DayRule
from shared.clock import SystemClock
from shared.wire_json import encode_json

AGENT = "agent intake"
RAW = "bare SQLite insert"
_TURN = 200
"""Commits that one side makes before it is the other's turn."""
_RULE = StoreRule("STORE-1", DayRule("America/New_York", time_of_day(4)))
_COLUMNS = "position, key_high, key_low, content_hash, business_day, lines_after, body"


class BareFile:
    """SQLite with the guarantees of the spool, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.execute(
            "CREATE TABLE event (position INTEGER PRIMARY KEY, key_high INTEGER NOT NULL, key_low INTEGER"
            " NOT NULL, content_hash BLOB NOT NULL, business_day INTEGER NOT NULL, lines_after INTEGER NOT"
            " NULL, body BLOB NOT NULL)"
        )
        self._cursor = self._connection.cursor()

    def insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Each row in a commit of its own."""
        for row in rows:
            self._cursor.execute(f"INSERT INTO event ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def count(self) -> int:
        """How many rows there are."""
        return int(self._cursor.execute("SELECT count(*) FROM event").fetchone()[0])


class AgentIntake:
    """The agent's own way in, as its HTTP source walks it, behind the request."""

    def __init__(self, path: Path) -> None:
        clock = SystemClock()
        self.desk = SpoolDesk(path, clock)
        self._intake = Intake(self.desk, lambda: _RULE, clock)

    def take(self, bodies: Sequence[bytes]) -> None:
        """Each request read, checked, stamped, hashed, found to be new, numbered and committed."""
        for body in bodies:
            translated = self._intake.translate(read_records(body, "application/json"))
            assert not translated.refused, translated.refused
            self._intake.accept(translated.groups)

    def rows(self) -> list[tuple[Any, ...]]:
        """What was written."""

        def read(spool: Spool) -> list[tuple[Any, ...]]:
            query = f"SELECT {_COLUMNS} FROM event ORDER BY position"
            return spool.connection.execute(query).fetchall()

        return self.desk.ask(read)


def measure_agent_intake(folder: Path, events: int) -> dict[str, float]:
    """Events a second of both sides, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.agent_intake", str(folder), str(events)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, text=True, cwd=Path(__file__).parents[1]
    )
    return {name: float(figure) for name, figure in json.loads(done.stdout).items()}


def till_requests(count: int) -> list[bytes]:
    """Requests of one line each, from real baskets."""
    sales = read_sales(1, 1 + count // 4000, datetime.now(UTC).date())
    return [encode_json(event) for event in sales.events(sales.stores[0])[:count]]


def _same_rows(bodies: Sequence[bytes], path: Path) -> list[tuple[Any, ...]]:
    """The rows that these requests become, from a spool that is not measured."""
    rehearsal = AgentIntake(path)
    rehearsal.take(bodies)
    rows = rehearsal.rows()
    rehearsal.desk.close()
    return rows


def _turns(count: int) -> Iterator[slice]:
    return (slice(start, start + _TURN) for start in range(0, count, _TURN))


def main(folder: Path, count: int) -> None:
    """Both sides, turn by turn."""
    bodies = till_requests(count)
    rows = _same_rows(bodies, folder / "rehearsal.db")
    agent, bare = AgentIntake(folder / "agent.db"), BareFile(folder / "bare.db")
    spent = {AGENT: 0.0, RAW: 0.0}
    for turn in _turns(len(bodies)):
        began = time.perf_counter()
        agent.take(bodies[turn])
        between = time.perf_counter()
        bare.insert(rows[turn])
        ended = time.perf_counter()
        spent[AGENT] += between - began
        spent[RAW] += ended - between
    assert len(agent.rows()) == bare.count() == len(bodies), "every request became one row on both sides"
    print(json.dumps({name: len(bodies) / seconds for name, seconds in spent.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
