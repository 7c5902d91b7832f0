"""What stands between a store and its headquarters, played by a real server in another process."""

import json
from typing import Any

import pytest

from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

RECEIPT = {
    "batchId": "another", "storeId": "STORE-01", "status": "POSTED", "duplicate": False, "accepted": 1,
    "duplicates": 0, "held": 0, "findings": [], "acknowledgedSequence": 1, "gaps": [], "commands": [],
    "serverTime": "2026-02-10T00:00:00Z",
}  # fmt: skip

PROBLEM = json.dumps(
    {"errorCode": "VALIDATION_FAILED", "message": "No", "timestamp": "", "requestId": "", "details": {}}
)

SOMEBODY_ELSE = {
    "captive portal says 200": {"status": 200, "body": "<html>Welcome! Please accept our terms.</html>"},
    "captive portal says 200 with a receipt's shape": {"status": 200, "body": json.dumps(RECEIPT)},
    "captive portal redirects": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/login"}},
    "proxy says 401": {"status": 401, "body": "Proxy login"},
    "proxy says 403": {"status": 403, "body": "Blocked by policy"},
    "proxy says 407": {"status": 407, "headers": {"Proxy-Authenticate": "Basic"}},
    "load balancer says 404": {"status": 404, "body": "default backend"},
    "load balancer says 422": {"status": 422, "body": PROBLEM},
    "load balancer says 502": {"status": 502, "body": "Bad gateway"},
}

OUR_SERVER = {
    "500": {"status": 500, "marked": True, "body": PROBLEM},
    "503 with Retry-After 0": {"status": 503, "marked": True, "body": PROBLEM, "headers": {"Retry-After": "0"}},
    "503 with a negative Retry-After": {"status": 503, "marked": True, "headers": {"Retry-After": "-7"}},
    "503 with rubbish in Retry-After": {"status": 503, "marked": True, "headers": {"Retry-After": "soon"}},
    "429 with a past date": {
        "status": 429, "marked": True, "headers": {"Retry-After": "Tue, 10 Feb 2015 12:00:00 GMT"},
    },
    "answer cut off": {"status": 201, "marked": True, "commit": True, "body": '{"batchId":', "announce": 500},
    "answer lost after the server committed": {"commit": True, "hang_up": True},
    "connection reset before the server committed": {"hang_up": True},
    "201 that is no receipt": {"status": 201, "marked": True, "body": "{}"},
    "201 that is no JSON": {"status": 201, "marked": True, "body": "{"},
    "another batch's answer": {"answer_of": "another-batch"},
    "a gzip answer that cannot be unpacked": {
        "status": 201, "marked": True, "body": "no gzip", "headers": {"Content-Encoding": "gzip"},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "behaviour", [*SOMEBODY_ELSE.values(), *OUR_SERVER.values()], ids=[*SOMEBODY_ELSE, *OUR_SERVER]
)
def test_nothing_is_lost_or_doubled_and_the_same_bytes_are_sent_again(
    agent: AgentProcess, line: MisbehavingLine, behaviour: dict[str, Any]
) -> None:
    line.next_batches(behaviour, behaviour, behaviour)
    agent.start()
    agent.sell(sale(eventId="till-1"), sale(eventId="till-2"))
    agent.until_delivered()
    held = line.held()
    assert held["events"] == {"1": "till-1", "2": "till-2"}
    assert len(held["posted"]) == 1
    assert len({attempt["sha256"] for attempt in held["attempts"]}) == 1
    assert agent.status()["undeliverable"] == 0


def test_a_server_that_is_away_for_long_gets_everything_when_it_is_back(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.always(status=500, marked=True, body=PROBLEM)
    agent.start()
    for n in range(20):
        assert agent.sell(sale(eventId=f"till-{n}"))[0] == 201
    eventually("the agent notices", lambda: agent.status()["trouble"])
    status = agent.status()
    assert (status["online"], status["backlog"]["events"]) == (False, 20)
    assert "wait for the line" in status["summary"]
    line.always()
    agent.until_delivered()
    assert len(line.held()["events"]) == 20
    assert agent.status()["online"]


def test_a_revoked_credential_keeps_everything_and_says_what_to_do(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.set(credential="rotated")
    agent.start()
    agent.sell(sale())
    eventually("the agent notices", lambda: agent.status()["enrolmentNeeded"])
    assert "run `edge-agent enrol URL CODE`" in agent.status()["summary"]
    agent.enrol(line.url)  # while it runs
    agent.until_delivered()
    assert len(line.held()["events"]) == 1


@pytest.mark.parametrize("bad", [0, 3, 5], ids=["first", "in the middle", "last"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_a_bad_event_is_isolated_and_the_rest_goes_on(
    agent: AgentProcess, line: MisbehavingLine, bad: int, named: bool
) -> None:
    line.set(poison=["poison"], names_poison=named)
    line.next_batches(*[{"status": 503, "marked": True}] * 3)
    agent.start()
    agent.sell(*[sale(eventId=f"till-{n}", itemId="poison" if n == bad else "fine") for n in range(6)])
    agent.sell(sale(eventId="later"))
    eventually("the bad one is set aside", lambda: line.held()["undeliverable"])
    agent.until_delivered()
    delivered = set(line.held()["events"].values()) - {"held"}
    assert delivered == {f"till-{n}" for n in range(6) if n != bad} | {"later"}
    (upload,) = line.held()["undeliverable"]
    (event,) = upload["events"]
    assert event["sequence"] == bad + 1
    assert json.loads(event["raw"])["eventId"] == f"till-{bad}"
    assert event["reason"]["errorCode"] == "VALIDATION_FAILED"
    assert agent.status()["undeliverable"] == 1


def test_a_group_with_a_bad_line_is_set_aside_whole(agent: AgentProcess, line: MisbehavingLine) -> None:
    line.set(poison=["poison"])
    agent.start()
    agent.sell(
        sale(saleId="S", eventId="a"), sale(saleId="S", itemId="poison"), sale(saleId="T", eventId="c")
    )
    eventually("the group is set aside", lambda: agent.status()["undeliverable"] == 2)
    agent.until_delivered()
    eventually("it is uploaded", lambda: line.held()["undeliverable"])
    assert set(line.held()["events"].values()) == {"c", "held"}


def test_a_server_that_refuses_everything_is_not_believed(agent: AgentProcess, line: MisbehavingLine) -> None:
    line.always(status=422, marked=True, body=PROBLEM)
    agent.start()
    agent.sell(*[sale(eventId=f"till-{n}") for n in range(60)])
    eventually("the agent says so", lambda: "refuses everything" in (agent.status()["trouble"] or ""))
    assert agent.status()["undeliverable"] == 0
    line.always()
    agent.until_delivered()
    assert len(line.held()["events"]) == 60
    assert agent.status()["undeliverable"] == 0


def test_a_restored_headquarters_gets_what_it_lost(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    agent.sell(*[sale(eventId=f"till-{n}") for n in range(1, 9)])
    agent.until_delivered()
    line.set(events={"1": "till-1", "2": "till-2"}, posted={})
    eventually("everything is back", lambda: len(line.held()["events"]) == 8)
    agent.sell(sale(eventId="till-9"))
    agent.until_delivered()
    assert line.held()["events"] == {str(n): f"till-{n}" for n in range(1, 10)}


def test_a_gap_at_headquarters_is_filled(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    agent.sell(*[sale(eventId=f"till-{n}") for n in range(1, 9)])
    agent.until_delivered()
    line.set(events={str(n): f"till-{n}" for n in (1, 2, 3, 6, 8)}, posted={})
    eventually("the gaps are filled", lambda: len(line.held()["events"]) == 8)


def test_finished_days_are_proven_without_being_asked(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    for day in ("2025-03-01", "2025-03-02"):
        agent.sell(sale(occurredAt=f"{day}T12:00:00-05:00"), sale(occurredAt=f"{day}T13:00:00-05:00"))
    agent.sell(sale())
    eventually("both days are proven", lambda: agent.status()["days"].get("PROVEN") == 2)
    digests = line.held()["digests"]
    assert [(digest["businessDate"], digest["events"]) for digest in digests] == [
        ("2025-03-01", 2),
        ("2025-03-02", 2),
    ]
    result = agent.command("prove", "--json")
    assert result.returncode == 0, result.stderr
    (proof,) = json.loads(result.stdout)
    assert (proof["events"], proof["state"]) == (1, "PROVEN")


def test_a_heartbeat_says_how_the_agent_is(agent: AgentProcess, line: MisbehavingLine) -> None:
    line.next_batches(*[{"status": 503, "marked": True}] * 200)
    agent.start()
    agent.sell(sale(), sale())
    eventually(
        "a heartbeat with the backlog", lambda: any(h["backlog"]["events"] for h in line.held()["heartbeats"])
    )
    heartbeat = next(h for h in line.held()["heartbeats"] if h["backlog"]["events"])
    assert (heartbeat["backlog"]["events"], heartbeat["lastSequence"], heartbeat["acknowledgedSequence"]) == (
        2,
        2,
        0,
    )
    assert heartbeat["diskFreeBytes"] > 0
    assert "oldestAcceptedAt" in heartbeat["backlog"]


def test_a_sale_reaches_headquarters_without_waiting_for_a_timer(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    agent.sell(sale(eventId="first"))
    agent.until_delivered()
    agent.sell(sale(eventId="second"))
    eventually("it is there", lambda: "second" in line.held()["events"].values(), seconds=20)
