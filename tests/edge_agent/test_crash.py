"""Killed at any moment, the agent continues: what it acknowledged is there, once; what it did not can be sent again."""

import json
import os
import random
import socket
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = [pytest.mark.system, pytest.mark.long]

KILLS = 6


class Till(threading.Thread):
    """Sells as fast as it is answered, and repeats what was not; remembers every acknowledgement."""

    def __init__(self, agent: AgentProcess, name: str) -> None:
        super().__init__(daemon=True)
        self.agent = agent
        self.name = name
        self.acknowledged: dict[str, int] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        """Until it is told to stop."""
        number = 0
        while not self.stopping.is_set():
            body = json.dumps([sale(eventId=f"{self.name}-{number}-{line}", saleId="S") for line in range(2)])
            answer = self._post(body.encode())
            if answer is None:
                time.sleep(0.01)
                continue
            for line in answer:
                known = self.acknowledged.setdefault(line["eventId"], line["sequence"])
                assert known == line["sequence"]
            number += 1

    def _post(self, body: bytes) -> list[dict[str, Any]] | None:
        connection = HTTPConnection("127.0.0.1", self.agent.port, timeout=5)
        try:
            connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            return list(answer) if response.status == 201 else None
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            connection.close()


def test_kill_9_at_any_moment_loses_nothing_and_doubles_nothing(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    dice = random.Random(4711)
    agent.start()
    tills = [Till(agent, f"T{n}") for n in range(3)]
    for till in tills:
        till.start()
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.05, 0.4))
        agent.kill()
        agent.start()
    for till in tills:
        till.stopping.set()
        till.join()
    agent.until_delivered()
    acknowledged = {event: sequence for till in tills for event, sequence in till.acknowledged.items()}
    held = {event: int(sequence) for sequence, event in line.held()["events"].items()}
    assert acknowledged
    assert {event: held.get(event) for event in acknowledged} == acknowledged
    assert sorted(held.values()) == list(range(1, len(held) + 1))


def test_kill_between_commit_and_answer(agent: AgentProcess, line: MisbehavingLine) -> None:
    """The sale is in the file, the till never heard: its repetition gets the same sequence and adds nothing."""
    agent.start()
    agent.sell(sale(eventId="before"))
    wal = agent.data_dir / "spool" / "spool.sqlite3-wal"
    hits = 0
    for attempt in range(20):
        body = json.dumps(sale(eventId=f"hit-{attempt}")).encode()
        size = wal.stat().st_size
        with socket.create_connection(("127.0.0.1", agent.port)) as connection:
            head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{agent.port}\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            while wal.stat().st_size == size:
                pass
            agent.kill()
            connection.settimeout(5)
            answered = _received(connection)
        agent.start()
        status, (again,) = agent.sell(sale(eventId=f"hit-{attempt}"))
        assert status == 201
        assert again["duplicate"] or not answered
        if again["duplicate"] and not answered:
            hits += 1
            break
    assert hits, "the kill never hit between commit and answer"
    agent.until_delivered()
    events = list(line.held()["events"].values())
    assert len(events) == len(set(events))


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def test_a_killed_agents_successor_sends_the_same_batch(agent: AgentProcess, line: MisbehavingLine) -> None:
    line.next_batches({"commit": True, "hang_up": True}, *[{"status": 503, "marked": True}] * 500)
    agent.start()
    agent.sell(sale(eventId="till-1"))
    eventually("the server has committed", lambda: line.held()["posted"])
    agent.kill()
    line.next_batches()
    agent.start()
    agent.until_delivered()
    attempts = line.held()["attempts"]
    assert len({(attempt["batchId"], attempt["sha256"]) for attempt in attempts}) == 1
    assert line.held()["events"] == {"1": "till-1"}


def test_a_second_agent_on_the_same_folder_is_refused(agent: AgentProcess) -> None:
    agent.start()
    second = agent.command("run", "--port", "0")
    assert second.returncode == 1
    assert second.stdout == ""
    assert f"in use by another edge agent (process {agent.pid})" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert agent.sell(sale())[0] == 201


def test_a_killed_agents_lock_is_gone_with_it(agent: AgentProcess) -> None:
    agent.start()
    agent.kill()
    agent.start()
    assert agent.sell(sale())[0] == 201


def test_sigterm_ends_it_within_five_seconds_without_losing_work(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    till = Till(agent, "T")
    till.start()
    time.sleep(0.3)
    code, seconds = agent.terminate()
    till.stopping.set()
    till.join()
    assert code == 0
    assert seconds < 5
    agent.start()
    agent.until_delivered()
    held = {event: int(sequence) for sequence, event in line.held()["events"].items()}
    assert till.acknowledged
    assert {event: held.get(event) for event in till.acknowledged} == till.acknowledged


def test_sigterm_does_not_wait_for_a_headquarters_that_never_answers(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    with socket.socket() as black_hole, AgentProcess(tmp_path / "agent") as agent:
        agent.enrol(line.url)
        black_hole.bind(("127.0.0.1", 0))
        black_hole.listen()
        port = black_hole.getsockname()[1]
        (agent.data_dir / "agent.toml").write_text(f'server_url = "http://127.0.0.1:{port}"\n')
        agent.start()
        agent.sell(sale())
        time.sleep(0.3)
        code, seconds = agent.terminate()
    assert code == 0
    assert seconds < 5


def test_a_full_disk_is_answered_with_507_and_nothing_acknowledged_is_lost(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.always(status=503, marked=True)
    agent.start(prefix=("prlimit", f"--fsize={600_000}"))
    acknowledged: list[str] = []
    refused = None
    for number in range(400):
        status, answer = agent.sell(*[sale(eventId=f"e-{number}-{n}", note="x" * 500) for n in range(5)])
        if status != 201:
            refused = status, answer
            break
        acknowledged.extend(line["eventId"] for line in answer)
    assert refused is not None
    assert refused[0] == 507
    assert refused[1]["errorCode"] == "DISK_FULL"
    assert agent.status()["running"]
    agent.kill()
    line.always()
    agent.start()  # the disk has room again
    agent.until_delivered()
    assert set(acknowledged) <= set(line.held()["events"].values())
    assert agent.sell(sale())[0] == 201


def test_memory_at_rest_stays_within_48_mib(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    agent.sell(*[sale(eventId=f"e-{n}") for n in range(200)])
    agent.until_delivered()
    eventually("heartbeats and digests have run", lambda: len(line.held()["heartbeats"]) > 2)
    resident = int(Path(f"/proc/{agent.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert resident <= 48 * 1024 * 1024
