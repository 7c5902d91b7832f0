"""A real agent and the real server, each killed under way: in the end headquarters holds what tills were promised."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sync_server.embedded.postgres import EmbeddedPostgres
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.test_crash import Till
from tests.system.test_serve import Server

pytestmark = [pytest.mark.system, pytest.mark.long]


@pytest.fixture
def server(data_folder: Path) -> Iterator[Server]:
    """A server with one store in New York whose day starts at 04:00."""
    server = Server(data_folder)
    server.start()
    words = ("--location", "LOC-1", "--timezone", "America/New_York", "--day-start", "04:00")
    server.command("store", "add", "STORE-01", *words)
    yield server
    server.close()


@pytest.fixture
def agent(server: Server, tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent that joined the store and runs."""
    with AgentProcess(tmp_path / "agent") as agent:
        code = server.command("enrolment-code", "STORE-01").strip()
        result = agent.command("enrol", server.url, code)
        assert result.returncode == 0, result.stderr
        agent.start()
        yield agent


def proven(agent: AgentProcess) -> int:
    """Has every day compared; the events of those that are not proven before, all of which must be proven now."""
    result = agent.command("prove", "--json")
    assert result.returncode == 0, (result.stdout, result.stderr, agent.log())
    return sum(proof["events"] for proof in json.loads(result.stdout))


def test_what_tills_were_promised_is_proven_at_headquarters(server: Server, agent: AgentProcess) -> None:
    late, early = "2026-02-10T12:00:00", "2026-02-10T03:59:00-05:00"
    status, answer = agent.sell(
        sale(saleId="S1", lineNumber=1, occurredAt=late), sale(saleId="S1", lineNumber=2, occurredAt=late)
    )
    assert status == 201
    assert [line["businessDate"] for line in answer] == ["2026-02-10"] * 2
    assert agent.sell(sale(occurredAt=early))[1][0]["businessDate"] == "2026-02-09"
    agent.until_delivered()
    eventually("both days are proven", lambda: agent.status()["days"] == {"PROVEN": 2})
    assert json.loads(server.command("verify", "--json"))["ok"]


def test_kills_on_both_sides_lose_nothing_and_double_nothing(server: Server, agent: AgentProcess) -> None:
    tills = [Till(agent, f"T{n}") for n in range(2)]
    for till in tills:
        till.start()
    for _ in range(2):
        time.sleep(0.5)
        server.kill()
        time.sleep(0.5)
        agent.kill()
        agent.start()
        server.start()
    time.sleep(0.5)
    for till in tills:
        till.stopping.set()
        till.join()
    eventually("the backlog is delivered", lambda: agent.status()["backlog"]["events"] == 0)
    status = agent.status()
    acknowledged = {sequence for till in tills for sequence in till.acknowledged.values()}
    assert acknowledged <= set(range(1, status["lastSequence"] + 1))
    assert status["acknowledgedSequence"] == status["lastSequence"]
    assert status["undeliverable"] == 0
    proven(agent)
    assert set(agent.status()["days"]) == {"PROVEN"}
    assert json.loads(server.command("verify", "--json"))["ok"]


def test_a_rolled_back_and_then_damaged_agent_loses_and_doubles_nothing(
    server: Server, agent: AgentProcess, tmp_path: Path
) -> None:
    sales = iter(range(1000))

    def sell(count: int) -> None:
        for _ in range(count):
            assert agent.sell(sale(eventId=f"e-{next(sales)}"))[0] == 201

    sell(5)
    agent.until_delivered()
    agent.terminate()
    snapshot = shutil.copytree(agent.data_dir, tmp_path / "snapshot")
    agent.start()
    sell(5)
    agent.until_delivered()
    former = agent.status()["streamId"]
    agent.kill()
    shutil.rmtree(agent.data_dir)
    shutil.copytree(snapshot, agent.data_dir)
    agent.start()
    sell(8)
    agent.until_delivered()
    present = agent.status()["streamId"]
    assert present != former
    agent.kill()
    spool = agent.data_dir / "spool" / "spool.sqlite3"
    with spool.open("r+b") as file:
        file.write(bytes(100))
    with spool.with_name("spool.sqlite3-wal").open("r+b") as log:
        log.write(bytes(32))
    agent.start()
    sell(2)
    eventually("what can be read was taken over", lambda: "taken over" in str(agent.status()["alarms"]))
    agent.until_delivered()
    assert agent.status()["streamId"] not in (former, present)
    with psycopg.connect(EmbeddedPostgres(server.folder).url()) as connection:
        posted = connection.execute(
            "SELECT (SELECT COUNT(*) FROM pos_event), (SELECT COUNT(*) FROM held_event),"
            " (SELECT SUM(on_hand) FROM store_stock)"
        ).fetchone()
    assert posted == (20, 0, -40)  # twenty sales of two pieces, every one once, none held
    assert json.loads(server.command("verify", "--json"))["ok"]


def test_a_database_that_fails_over_again_and_again_loses_and_doubles_nothing(
    server: Server, agent: AgentProcess
) -> None:
    """Every connection is cut by the server, some of them between a commit and its answer, while a store sells."""
    till = Till(agent, "T1")
    till.start()
    admin_url = EmbeddedPostgres(server.folder).url("postgres", "postgres")
    with psycopg.connect(admin_url, autocommit=True) as administrator:
        for _ in range(40):
            time.sleep(0.05)
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tillsync_app'"
            )
    till.stopping.set()
    till.join()
    agent.until_delivered()
    status = agent.status()
    assert status["acknowledgedSequence"] == status["lastSequence"] >= len(till.acknowledged) > 0
    assert status["undeliverable"] == 0
    assert proven(agent) == status["lastSequence"]
    assert json.loads(server.command("verify", "--json"))["ok"]
