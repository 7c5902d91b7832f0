"""Doctor, undeliverable, resync and bundle, as a support engineer meets them on a real agent."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge_agent.support_bundle import STRUCK_OUT, without_secrets
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system


def told(agent: AgentProcess, *words: str, code: int = 0) -> Any:
    """The JSON document of a command."""
    result = agent.command(*words, "--json")
    assert result.returncode == code, (result.stdout, result.stderr)
    return json.loads(result.stdout)


def states(report: dict[str, Any]) -> dict[str, str]:
    """The doctor's checks by name."""
    return {check["check"]: check["state"] for check in report["checks"]}


def test_the_doctor_of_a_well_agent_finds_nothing(agent: AgentProcess) -> None:
    agent.start()
    agent.sell(sale())
    agent.until_delivered()
    report = told(agent, "doctor")
    assert report["ok"], report
    assert set(states(report)) >= {
        "agent", "configuration", "folder", "disk", "durability", "spool", "backlog", "undeliverable", "days",
        "gaps", "sources", "timezone", "dns", "tls", "server", "credential", "clock", "zone data",
    }  # fmt: skip
    lines = agent.command("doctor").stdout.splitlines()
    assert len(lines) == len(report["checks"])


def test_the_doctor_of_a_stopped_agent_looks_at_the_whole_file_and_says_what_to_do(
    agent: AgentProcess,
) -> None:
    agent.start()
    agent.sell(sale())
    agent.terminate()
    report = told(agent, "doctor", code=1)
    found = {check["check"]: check for check in report["checks"]}
    assert (found["agent"]["state"], found["spool"]["state"]) == ("FAIL", "PASS")
    assert "edge-agent run" in found["agent"]["advice"]
    assert found["spool"]["finding"].startswith("whole; 1 events")
    assert found["credential"]["state"] == "PASS"


def test_the_doctor_names_a_captive_portal_and_a_refused_credential(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    line.always(status=200, body="<html>Welcome</html>")
    portal = told(agent, "doctor", code=1)
    assert states(portal)["server"] == "FAIL"
    assert "captive portal" in next(c["finding"] for c in portal["checks"] if c["check"] == "server")
    problem = json.dumps({"errorCode": "UNAUTHENTICATED", "message": "The credential is unknown"})
    line.always(status=401, marked=True, body=problem)
    refused = told(agent, "doctor", code=1)
    assert (states(refused)["server"], states(refused)["credential"]) == ("PASS", "FAIL")


def test_the_doctor_finds_a_broken_file(agent: AgentProcess) -> None:
    agent.start()
    agent.sell(*(sale(eventId=f"e-{n}", note="x" * 400) for n in range(60)))
    agent.until_delivered()
    agent.terminate()
    spool = agent.data_dir / "spool" / "spool.sqlite3"
    pages = bytearray(spool.read_bytes())
    pages[4096 * 8 : 4096 * 10] = b"\xff" * 8192
    spool.write_bytes(pages)
    assert states(told(agent, "doctor", code=1))["spool"] == "FAIL"


def test_the_doctor_says_what_is_wrong_with_the_configuration(agent: AgentProcess) -> None:
    (agent.data_dir / "agent.toml").write_text('retry_capp = "5"\n')
    report = told(agent, "doctor", code=1)
    assert states(report) == {"configuration": "FAIL"}


def test_what_headquarters_refused_is_listed_shown_and_sent_again(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.set(poison=["bad"])
    agent.start()
    agent.sell(sale(eventId="good"), sale(eventId="sick", itemId="bad"))
    eventually("it is uploaded", lambda: line.held()["undeliverable"])
    (entry,) = told(agent, "undeliverable", "list")["items"]
    assert (entry["kind"], entry["eventId"]) == ("REFUSED_BY_HEADQUARTERS", "sick")
    shown = told(agent, "undeliverable", "show", entry["id"])
    assert json.loads(shown["raw"])["itemId"] == "bad"
    line.set(poison=[])
    told(agent, "undeliverable", "retry", entry["id"])
    eventually("it is posted", lambda: line.held()["events"]["2"] == "sick")
    assert told(agent, "undeliverable", "list") == {"items": [], "total": 0}


def test_what_was_refused_is_given_up_only_with_a_reason_and_once_headquarters_has_it(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.set(poison=["bad"])
    agent.start()
    agent.sell(sale(eventId="sick", itemId="bad"), sale(eventId="good"))
    eventually("it is uploaded", lambda: line.held()["undeliverable"])
    eventually("it is noted", lambda: agent.request("GET", "/v1/undeliverable")[1]["items"][0]["uploadedAt"])
    (entry,) = told(agent, "undeliverable", "list")["items"]
    assert agent.command("undeliverable", "discard", entry["id"]).returncode == 2
    told(agent, "undeliverable", "discard", entry["id"], "--reason", "a test sale")
    assert told(agent, "undeliverable", "list")["total"] == 0
    kept = json.loads((agent.data_dir / "undeliverable" / "discarded.ndjson").read_text())
    assert (kept["reason"], json.loads(kept["entry"]["raw"])["eventId"]) == ("a test sale", "sick")
    assert agent.status()["backlog"]["events"] == 0
    eventually("headquarters is told", lambda: line.held()["discards"])
    uploaded, (discard,) = line.held()["undeliverable"][0], line.held()["discards"]
    (event,) = uploaded["events"]
    assert discard == {
        "streamId": uploaded["streamId"],
        "events": [{"sequence": 1, "contentHash": event["contentHash"], "reason": "a test sale"}],
    }
    agent.terminate()
    agent.start()
    eventually("it goes on", lambda: len(line.held()["heartbeats"]) > 3)
    assert len(line.held()["discards"]) == 1, "told once"


def test_what_the_agent_refused_is_listed_and_taken_in_once_it_can_be(agent: AgentProcess) -> None:
    agent.start()
    assert agent.sell(sale(quantity=0))[0] == 422
    (entry,) = told(agent, "undeliverable", "list")["items"]
    assert entry["kind"] == "REFUSED_HERE"
    again = agent.command("undeliverable", "retry", entry["id"])
    assert again.returncode == 1
    assert "still refused" in again.stderr
    record = agent.data_dir / "undeliverable" / f"{entry['id']}.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "raw": json.dumps(sale(eventId="mended"))}))
    told(agent, "undeliverable", "retry", entry["id"])
    assert agent.status()["lastSequence"] == 1
    assert not record.exists()


def test_a_resync_sends_again_and_doubles_nothing(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    for number in range(1, 7):
        agent.sell(sale(eventId=f"e-{number}", occurredAt=f"2026-02-{9 + number % 2:02}T12:00:00"))
    agent.until_delivered()
    before = line.held()
    plan = told(agent, "resync", "--from-sequence", "2", "--to-sequence", "4", "--dry-run")
    assert (plan["dryRun"], plan["events"], plan["streams"][0]["ranges"]) == (True, 3, [[2, 4]])
    assert agent.status()["backlog"]["events"] == 0, "a dry run sends nothing"
    plan = told(agent, "resync", "--business-date", "2026-02-10")
    assert (plan["events"], plan["streams"][0]["ranges"]) == (3, [[1, 1], [3, 3], [5, 5]])
    agent.until_delivered()
    assert told(agent, "resync", "--all")["events"] == 6
    agent.until_delivered()
    after = line.held()
    assert after["events"] == before["events"]
    sent = sum(attempt["events"] for attempt in after["attempts"]) - sum(
        a["events"] for a in before["attempts"]
    )
    assert sent == 9


def test_a_resync_without_a_choice_sends_what_headquarters_lacks(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    agent.sell(*(sale(eventId=f"e-{n}") for n in range(4)))
    agent.until_delivered()
    assert told(agent, "resync")["events"] == 0
    agent.terminate()
    slow = AgentProcess(agent.data_dir, EDGE_AGENT_HEARTBEAT_INTERVAL="3600")
    with slow:
        slow.start()
        eventually("the first heartbeat", lambda: slow.status()["online"])
        line.set(events={1: "e-0", 4: "e-3"})
        assert told(slow, "resync")["streams"][0]["ranges"] == [[2, 3]]
        eventually("the gap is filled", lambda: len(line.held()["events"]) == 4)


def test_a_resync_that_makes_no_sense_says_so(agent: AgentProcess) -> None:
    agent.start()
    result = agent.command("resync", "--all", "--business-date", "2026-02-10")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    for asked in ({"fromSequence": 0}, {"fromSequence": 3, "toSequence": 2}, {"streamId": "x", "all": True}):
        status, problem = agent.request("POST", "/v1/resync", json.dumps(asked).encode())
        assert (status, problem["errorCode"]) == (503, "UNAVAILABLE"), asked


def test_a_bundle_holds_what_support_needs_and_no_secret(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    with (agent.data_dir / "agent.toml").open("a") as configuration:
        configuration.write(
            '[[database]]\nname = "till"\nurl = "postgresql://reader:hunter2@localhost/till"\npassword = "hunter2"\n'
        )
    file = tmp_path / "bundle.zip"
    assert agent.command("bundle", str(file)).returncode == 0
    (agent.data_dir / "agent.toml").unlink()
    agent.start()
    agent.sell(sale(cashierId="Ada Lovelace", eventId="secret-sale"))
    agent.until_delivered()
    running = tmp_path / "running.zip"
    assert told(agent, "bundle", str(running))["bytes"] > 0
    for path in (file, running):
        with zipfile.ZipFile(path) as bundle:
            names = set(bundle.namelist())
            text = b"\n".join(bundle.read(name) for name in names).decode()
        assert {"status.json", "doctor.txt", "doctor.json", "configuration.toml", "folder.json"} <= names
        for secret in ("hunter2", "first-credential", "Ada Lovelace", "secret-sale"):
            assert secret not in text, (path, secret)
    with zipfile.ZipFile(running) as bundle:
        assert b"agent.started" in bundle.read("log/agent.log")
        assert json.loads(bundle.read("status.json"))["storeId"] == "STORE-01"


@pytest.mark.parametrize(
    "text",
    [
        'password = "s3cret"',
        "# api_token = 's3cret'",
        'url = "mysql://till:s3cret@db/till"',
        "sent Authorization: Bearer s3cret",
        "the credential tsd_s3cret was refused",
    ],
)
def test_secrets_are_struck_out(text: str) -> None:
    assert "s3cret" not in without_secrets(text)
    assert STRUCK_OUT in without_secrets(text)


def test_an_agent_whose_events_arrived_by_hand_first_does_not_take_itself_for_a_copy(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    line.always(hang_up=True)
    agent.start()
    agent.sell(sale(eventId="e-1"))
    eventually("it was tried", lambda: agent.status()["trouble"])
    agent.sell(sale(eventId="e-2"), sale(eventId="e-3"))
    stream_id = agent.status()["streamId"]
    assert told(agent, "export", str(tmp_path / "file"))["events"] == 3
    line.set(events={1: "e-1", 2: "e-2", 3: "e-3"})
    line.next_batches(*[{"hang_up": True}] * 15)
    line.always()
    eventually("headquarters was heard", lambda: len(line.held()["heartbeats"]) > 1)
    agent.until_delivered()
    assert agent.status()["streamId"] == stream_id
