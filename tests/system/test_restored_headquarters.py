"""Headquarters is restored from a backup while its stores go on: real processes converge with nobody's help."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.clock import SystemClock
from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.stores.enrolment import create_enrolment_code
from tests.builders import OPERATOR, build_store
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.store_ledger import assert_whole
from tests.system.test_serve import Server

pytestmark = [pytest.mark.system, pytest.mark.long]

PAST = "2026-02-10T12:00:00-05:00"
_BOOKS = """
SELECT store_id, account, sum(debit) - sum(credit) FROM journal_line JOIN journal USING (store_no, store_sequence)
JOIN store USING (store_no) GROUP BY 1, 2 ORDER BY 1, 2
"""
_STOCK = """
SELECT store_id, item_id, on_hand, value FROM store_stock JOIN store USING (store_no) JOIN item USING (item_no)
ORDER BY 1, 2
"""
_EVENTS = "SELECT store_id, event_id, event_key FROM pos_event JOIN store USING (store_no) ORDER BY 1, 3"
_HELD = "SELECT count(*) FROM held_event"
_DAYS = "SELECT store_id, business_date, state FROM store_day JOIN store USING (store_no) ORDER BY 1, 2"


@pytest.fixture
def server(data_folder: Path) -> Iterator[Server]:
    """A server with two stores in New York."""
    server = Server(data_folder)
    server.start()
    with _database(server) as database:
        for store in ("STORE-01", "STORE-02"):
            build_store(database, store, timezone="America/New_York", day_start="04:00")
    yield server
    server.close()


@pytest.fixture
def agents(server: Server, tmp_path: Path) -> Iterator[list[AgentProcess]]:
    """An agent for each store; the second one is still to be enrolled."""
    with AgentProcess(tmp_path / "agent-1") as first, AgentProcess(tmp_path / "agent-2") as second:
        _enrol(server, first, "STORE-01")
        first.start()
        yield [first, second]


@contextmanager
def _database(server: Server) -> Iterator[Database]:
    """The server's own database; its commands would do the same and take seconds to start."""
    database = Database(EmbeddedPostgres(server.folder).url())
    yield database
    database.close()


def _enrol(server: Server, agent: AgentProcess, store: str) -> None:
    with _database(server) as database, database.unit_of_work() as work:
        code = create_enrolment_code(work, store, by=OPERATOR, now=SystemClock().now())
    result = agent.command("enrol", server.url, code)
    assert result.returncode == 0, result.stderr


def _sell(agent: AgentProcess, *names: str, **fields: Any) -> None:
    for name in names:
        lines = [sale(eventId=f"{name}-{line}", saleId=name, lineNumber=line, **fields) for line in (1, 2)]
        assert agent.sell(*lines)[0] == 201


def _all_of(server: Server, *queries: str) -> list[Any]:
    with psycopg.connect(EmbeddedPostgres(server.folder).url()) as connection:
        return [connection.execute(query.encode()).fetchall() for query in queries]


def _until_acknowledged(agent: AgentProcess) -> None:
    def acknowledged() -> bool:
        status = agent.status()
        return bool(status["acknowledgedSequence"] == status["lastSequence"])

    eventually("all of it is there again", acknowledged)


def _until_proven(agent: AgentProcess) -> None:
    eventually("its day is proven", lambda: agent.status()["days"] == {"PROVEN": 1})


def test_a_restored_headquarters_converges_with_its_agents_by_itself(
    server: Server, agents: list[AgentProcess], tmp_path: Path
) -> None:
    first, second = agents
    _sell(first, "S-1", "S-2", occurredAt=PAST)
    eventually("the day is proven", lambda: first.status()["days"] == {"PROVEN": 1})
    server.stop()
    backup = tmp_path / "backup"
    # As root it belongs to an account of its own, which a copy has to keep.
    subprocess.run(["cp", "-a", str(server.folder / "postgres"), str(backup)], check=True)

    # What the backup does not have: late sales of the proven day, a store that joined, and everything of it.
    server.start()
    _sell(first, "S-3", "S-4", occurredAt=PAST)
    _enrol(server, second, "STORE-02")
    second.start()
    _sell(second, "S-1", "S-2", occurredAt=PAST)
    for agent in agents:
        _until_proven(agent)
    before = _all_of(server, _BOOKS, _STOCK, _EVENTS, _HELD)
    server.stop()

    shutil.rmtree(server.folder / "postgres")
    subprocess.run(["cp", "-a", str(backup), str(server.folder / "postgres")], check=True)
    server.start()
    # Nothing is done for the first store. The second one's device is unknown to the backup: it is enrolled once more.
    _sell(second, "S-5", occurredAt=PAST)
    _enrol(server, second, "STORE-02")
    for agent in agents:
        _until_acknowledged(agent)
    eventually("stores and books are as before", lambda: len(_all_of(server, _EVENTS)[0]) == 14)
    for agent in agents:
        _until_proven(agent)
    eventually(
        "both days are proven at headquarters",
        lambda: [state for _, _, state in _all_of(server, _DAYS)[0]] == ["PROVEN", "PROVEN"],
    )
    books, stock, events, held = _all_of(server, _BOOKS, _STOCK, _EVENTS, _HELD)
    own = [row for row in books if row[0] == "STORE-01"]
    assert own == [row for row in before[0] if row[0] == "STORE-01"]
    assert [row for row in stock if row[0] == "STORE-01"] == [
        row for row in before[1] if row[0] == "STORE-01"
    ]
    assert set(before[2]) < set(events)
    assert len(events) == len(before[2]) + 2
    assert held == [(0,)]
    with _database(server) as database:
        assert_whole(database)
