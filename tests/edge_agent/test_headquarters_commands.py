"""Commands from headquarters: a closed list, done once whatever happens, answered until the answer is there."""

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

FAR = "2999-01-01T00:00:00Z"


def command(command_id: str, kind: str, expires: str = FAR, **arguments: Any) -> dict[str, Any]:
    """A command as the server words it."""
    return {"commandId": command_id, "type": kind, "arguments": arguments, "expiresAt": expires}


def results(line: MisbehavingLine, number: int) -> list[dict[str, Any]]:
    """The answers, once there are so many."""
    eventually(f"{number} answers", lambda: len(line.held()["results"]) >= number)
    found: list[dict[str, Any]] = line.held()["results"]
    assert len(found) == number
    return found


def sent_events(line: MisbehavingLine) -> int:
    """Events in all batches that were ever made; a batch that is tried again is the same one."""
    return sum({attempt["batchId"]: attempt["events"] for attempt in line.held()["attempts"]}.values())


def test_what_headquarters_asks_for_is_done_and_answered(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    agent.sell(*(sale(eventId=f"e-{n}") for n in range(3)))
    agent.until_delivered()
    asked = [
        command("c-1", "RESYNC", all=True),
        command("c-2", "DOCTOR"),
        command("c-3", "BUNDLE"),
        command("c-4", "PROVE"),
        command("c-5", "RUN_A_SHELL", line="rm -rf"),
        command("c-6", "RESYNC", all=True, businessDate="2026-02-10"),
    ]
    line.set(commands=asked)
    answers = {answer["commandId"]: answer for answer in results(line, 6)}
    assert [answers[f"c-{n}"]["succeeded"] for n in range(1, 7)] == [True, True, True, True, False, False]
    assert answers["c-1"]["result"]["events"] == 3
    assert answers["c-2"]["result"]["ok"]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answers["c-3"]["attachment"]))) as bundle:
        assert "doctor.txt" in bundle.namelist()
    assert answers["c-4"]["result"]["days"][0]["state"] == "PROVEN"
    assert answers["c-5"]["result"]["code"] == "UNKNOWN_COMMAND"
    assert answers["c-6"]["result"]["code"] == "FAILED"
    eventually("all is sent again", lambda: sent_events(line) == 6)


def test_a_command_told_twice_is_done_once(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    agent.sell(sale())
    agent.until_delivered()
    for _ in range(2):  # the answer got lost on its way, say: headquarters asks again
        line.set(commands=[command("c-1", "RESYNC", all=True)], results=[])
        (answer,) = results(line, 1)
        assert (answer["succeeded"], answer["result"]["events"]) == (True, 1)
    agent.until_delivered()
    assert sent_events(line) == 2, "sold once, sent again once"


def test_an_expired_command_is_answered_and_not_done(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    agent.sell(sale())
    agent.until_delivered()
    line.set(commands=[command("c-1", "RESYNC", "2026-01-01T00:00:00Z", all=True)])
    (answer,) = results(line, 1)
    assert (answer["succeeded"], answer["result"]["code"]) == (False, "EXPIRED")
    agent.until_delivered()
    assert sent_events(line) == 1


def test_a_crash_before_the_result_of_a_command_neither_loses_nor_repeats_it(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    agent.sell(sale())
    agent.until_delivered()
    line.set(commands=[command("c-1", "RESYNC", all=True)], loses_results=True)
    kept = agent.data_dir / "commands"
    eventually("the command is done", lambda: list(kept.glob("*.json")))
    agent.kill()
    assert json.loads(next(kept.glob("*.json")).read_text())["told"] is False
    line.set(loses_results=False)
    agent.start()
    answer, *again = results(line, 1)
    assert (answer["succeeded"], answer["result"]["events"]) == (True, 1)
    assert all(each == answer for each in again), "asked twice, it tells what came of it the first time"
    agent.until_delivered()
    assert sent_events(line) == 2


def test_commands_make_no_file_outside_their_folder(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    agent.start()
    line.set(commands=[command("../../escaped", "PROVE")])
    eventually("it is done", lambda: list((agent.data_dir / "commands").glob("*.json")))
    assert not list(tmp_path.rglob("escaped*"))
