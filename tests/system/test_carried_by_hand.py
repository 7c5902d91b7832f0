"""A store that stays cut off: its events are carried to headquarters by hand, or rescued from its dead PC's disk."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sync_server.embedded.postgres import EmbeddedPostgres
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.system.test_agent_and_server import agent, server
from tests.system.test_serve import Server

pytestmark = [pytest.mark.system, pytest.mark.long]
__all__ = ["agent", "server"]


def told(server: Server, *words: str) -> Any:
    """The JSON document of a command at headquarters."""
    return json.loads(server.command(*words, "--json"))


@pytest.fixture
def cut_off(server: Server, agent: AgentProcess) -> Iterator[AgentProcess]:
    """An agent with one delivered sale and four that were made since headquarters went away."""
    agent.sell(sale(eventId="before"))
    agent.until_delivered()
    server.stop()
    agent.sell(*(sale(eventId=f"e-{n}") for n in range(4)))
    yield agent
    server.start()


def test_what_is_carried_by_hand_is_posted_once_also_when_the_line_returns(
    server: Server, cut_off: AgentProcess, tmp_path: Path
) -> None:
    file, stream_id = tmp_path / "carried.tillsync", cut_off.status()["streamId"]
    exported = json.loads(cut_off.command("export", str(file), "--json").stdout)
    assert (exported["events"], exported["signed"]) == (4, True)
    assert list((cut_off.data_dir / "exports").iterdir()) == []
    first = told(server, "import", str(file))
    assert (first["accepted"], first["duplicates"], first["rescued"]) == (4, 0, False)
    assert first["receipts"][0]["acknowledgedSequence"] == 5
    stopped = tmp_path / "stopped.tillsync"
    cut_off.terminate()
    assert cut_off.command("export", str(stopped)).returncode == 0, "the agent need not run"
    assert told(server, "import", str(stopped))["accepted"] == 0
    server.start()
    cut_off.start()
    cut_off.until_delivered()
    eventually("a heartbeat was answered", lambda: cut_off.status()["online"])
    assert cut_off.status()["streamId"] == stream_id, "it does not take itself for a copy"
    told_twice = cut_off.command("prove", "--json")
    assert told_twice.returncode == 0, told_twice.stderr
    assert told(server, "verify")["ok"]
    server.stop()


def test_a_dead_pcs_disk_is_rescued_without_writing_on_it(
    server: Server, cut_off: AgentProcess, tmp_path: Path
) -> None:
    cut_off.kill()
    disk = tmp_path / "mounted"
    shutil.copytree(cut_off.data_dir, disk)
    before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    file = tmp_path / "rescued.tillsync"
    result = cut_off.command("export", str(file), "--rescue", "--data-dir", str(disk))
    assert result.returncode == 0, result.stderr
    assert {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()} == before
    with pytest.raises(subprocess.CalledProcessError):
        server.command("import", str(file))
    server.command("user", "add", "ada", "--role", "support")
    imported = told(server, "import", str(file), "--person", "ada", "--reason", "the PC is dead")
    assert (imported["accepted"], imported["rescued"]) == (4, True)
    assert told(server, "import", str(file), "--person", "ada", "--reason", "again")["accepted"] == 0
    assert told(server, "verify")["ok"]


def test_a_damaged_disk_is_rescued_into_a_new_agent_and_posted_once(
    server: Server, cut_off: AgentProcess, tmp_path: Path
) -> None:
    cut_off.sell(*(sale(eventId=f"more-{n}", note="x" * 300) for n in range(60)))
    sold = cut_off.sell(sale(eventId="undated", saleId="S9"))[1][0]["businessDate"]
    cut_off.terminate()
    spool = cut_off.data_dir / "spool" / "spool.sqlite3"
    pages = bytearray(spool.read_bytes())
    pages[100:400] = b"\xff" * 300  # the first page: no SQLite opens this file any more
    spool.write_bytes(pages)
    file = tmp_path / "rescued.tillsync"
    result = cut_off.command("export", str(file), "--rescue", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["events"] >= 65
    server.start()
    with AgentProcess(tmp_path / "fresh") as fresh:
        code = server.command("enrolment-code", "STORE-01").strip()
        assert fresh.command("enrol", server.url, code).returncode == 0
        fresh.start()
        imported = json.loads(fresh.command("import", str(file), "--json").stdout)
        assert (imported["unreadable"], imported["duplicates"]) == (0, 0)
        again = json.loads(fresh.command("import", str(file), "--json").stdout)
        assert (again["accepted"], again["duplicates"]) == (0, imported["accepted"])
        fresh.until_delivered()
        assert fresh.sell(sale(eventId="undated", saleId="S9"))[1][0] | {"sequence": 0} == {
            "eventId": "undated", "sequence": 0, "businessDate": sold, "duplicate": True,
        }  # fmt: skip
        assert fresh.command("prove").returncode == 0
    assert told(server, "verify")["ok"]
    with EmbeddedPostgres(server.folder) as postgres, psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT count(*) FROM pos_event").fetchone() == (66,)
    server.stop()


def test_headquarters_asks_and_the_agent_answers(server: Server, agent: AgentProcess, tmp_path: Path) -> None:
    agent.sell(sale(), sale())
    agent.until_delivered()
    (command,) = told(server, "resync", "STORE-01", "--all")["commands"]
    bundle = told(server, "agent", "ask", "STORE-01", "BUNDLE")["commandId"]

    def states() -> dict[str, str]:
        items = told(server, "agent", "answers", "STORE-01")["items"]
        return {item["commandId"]: item["state"] for item in items}

    eventually("both are done", lambda: states() == {command: "DONE", bundle: "DONE"}, seconds=30)
    answer = told(server, "agent", "answer", "STORE-01", command)
    assert answer["result"]["events"] == 2
    zipped = tmp_path / "bundle.zip"
    told(server, "agent", "answer", "STORE-01", bundle, "--save", str(zipped))
    assert zipped.read_bytes().startswith(b"PK")
    agent.until_delivered()
    assert told(server, "verify")["ok"]
