"""Heartbeats: the agent's last word is kept, and it hears how far its stream is, what is missing, what to do."""

from datetime import timedelta
from typing import Any

import pytest

from edge_agent.alarms import AlarmCode
from sync_server.database import Database
from sync_server.stores.agent_alarms import ALARM_FINDINGS
from sync_server.stores.agent_commands import AgentCommandType, give_command
from sync_server.stores.findings import list_findings
from tests.builders import OPERATOR, EnrolledAgent, build_agent, build_person, build_store
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock

STORE = "/api/v1/inventory/stores/STORE-01"
BEAT: dict[str, Any] = {
    "agentVersion": "0.1.0",
    "streamId": "s-1",
    "sentAt": "2026-02-10T23:04:58.5Z",
    "clockOffsetMs": -1500,
    "backlog": {"events": 12, "oldestAcceptedAt": "2026-02-10T22:00:00+01:00"},
    "lastSequence": 1712,
    "acknowledgedSequence": 0,
    "undeliverable": 0,
    "diskFreeBytes": 10**12,
    "timezoneData": "2025.2",
}
RESYNC = {"streamId": "s-1", "fromSequence": 1, "toSequence": 9}


def _alarm(code: str, since: str = "2026-02-10T23:00:00Z", sentence: str = "Free some space.") -> Any:
    return {"code": code, "since": since, "sentence": sentence}


@pytest.fixture
def enrolled(database: Database) -> EnrolledAgent:
    """An agent of STORE-01."""
    build_store(database)
    return build_agent(database)


@pytest.fixture
def agent(http: HttpCaller, enrolled: EnrolledAgent) -> HttpCaller:
    """Requests of that agent."""
    return http.as_caller(enrolled.credential)


def _receive(database: Database, enrolled: EnrolledAgent, ranges: str) -> None:
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO stream (store_no, stream_id, received) VALUES (%s, 's-1', %s::int8multirange)",
            [enrolled.store_no, ranges],
        )


def test_an_agent_hears_how_far_its_stream_has_arrived(
    database: Database, enrolled: EnrolledAgent, agent: HttpCaller
) -> None:
    _receive(database, enrolled, "{[1,1201),[1211,1701)}")
    answer = agent.post(f"{STORE}/heartbeats", json=BEAT).json()
    assert answer == {
        "serverTime": "2026-02-10T23:05:00Z",
        "acknowledgedSequence": 1200,
        "gaps": [[1201, 1210]],
        "commands": [],
    }


def test_a_stream_that_headquarters_lost_is_one_gap(agent: HttpCaller) -> None:
    answer = agent.post(f"{STORE}/heartbeats", json={**BEAT, "acknowledgedSequence": 1700}).json()
    assert (answer["acknowledgedSequence"], answer["gaps"]) == (0, [[1, 1700]])


def test_the_last_word_of_an_agent_is_shown_to_operators(
    database: Database, http: HttpCaller, agent: HttpCaller, enrolled: EnrolledAgent, clock: SetClock
) -> None:
    agent.post(f"{STORE}/heartbeats", json=BEAT)
    clock.advance(timedelta(minutes=1))
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "backlog": {"events": 0}, "future": "ignored"})
    store = http.as_caller(build_person(database)).get(STORE).json()
    assert store["lastContact"] == "2026-02-10T23:06:00Z"
    assert store["backlogEvents"] == 0
    assert store["oldestUnsentAt"] is None
    assert [(each["deviceId"], each["clockOffsetMs"]) for each in store["agents"]] == [
        (str(enrolled.device_id), -1500)
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"lastSequence": -1},
        {"lastSequence": 2**63},
        {"sentAt": "2026-02-10T23:04:58"},
        {"streamId": ""},
        {"streamId": "a\x00b"},
        {"backlog": None},
        {"clockOffsetMs": 0.5},
        {"alarms": [{"code": "DISK_LOW"}]},
        {"alarms": [_alarm("DISK_LOW")] * 51},
    ],
)
def test_a_heartbeat_that_makes_no_sense_is_refused(agent: HttpCaller, change: dict[str, Any]) -> None:
    assert agent.post(f"{STORE}/heartbeats", json={**BEAT, **change}).status_code == 422


def _findings(database: Database) -> list[tuple[str, str, int, str]]:
    with database.reading() as work:
        return [
            (finding.code, finding.subject, finding.count, finding.status)
            for finding, _ in list_findings(work)
        ]


def test_an_alarm_is_a_finding_until_a_heartbeat_no_longer_names_it(
    database: Database, agent: HttpCaller, enrolled: EnrolledAgent
) -> None:
    device = str(enrolled.device_id)
    for _ in range(2):
        agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": [_alarm("DISK_FULL")]})
        assert _findings(database) == [("DISK_FULL", device, 1, "OPEN")], (
            "one alarm, however often it is said"
        )
    again = [_alarm("DISK_FULL", since="2026-02-10T23:04:00Z"), _alarm("CLOCK_WRONG")]
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": again})
    assert _findings(database) == [("DISK_FULL", device, 2, "OPEN"), ("CLOCK_WRONG", device, 1, "OPEN")]
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": again[1:]})
    assert [finding[3] for finding in _findings(database)] == ["RESOLVED", "OPEN"]
    agent.post(f"{STORE}/heartbeats", json=BEAT)
    assert [finding[3] for finding in _findings(database)] == ["RESOLVED", "RESOLVED"]


def test_a_dismissed_alarm_stays_dismissed_until_it_begins_anew(
    database: Database, agent: HttpCaller, enrolled: EnrolledAgent
) -> None:
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": [_alarm("DISK_LOW")]})
    with database.unit_of_work() as work:
        work.connection.execute("UPDATE finding SET status = 'DISMISSED'")
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": [_alarm("DISK_LOW")]})
    assert [finding[3] for finding in _findings(database)] == ["DISMISSED"]
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": [_alarm("DISK_LOW", "2026-02-11T00:00:00Z")]})
    assert [finding[3] for finding in _findings(database)] == ["DISMISSED", "OPEN"]


def test_two_agents_of_a_store_have_findings_of_their_own(
    database: Database, http: HttpCaller, agent: HttpCaller, enrolled: EnrolledAgent
) -> None:
    second = build_agent(database)
    for caller in (agent, http.as_caller(second.credential)):
        caller.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": [_alarm("DISK_LOW")]})
    agent.post(f"{STORE}/heartbeats", json=BEAT)
    assert {(subject, status) for _, subject, _, status in _findings(database)} == {
        (str(enrolled.device_id), "RESOLVED"),
        (str(second.device_id), "OPEN"),
    }


def test_an_alarm_that_only_a_newer_agent_knows_is_a_finding_too(
    database: Database, agent: HttpCaller, enrolled: EnrolledAgent
) -> None:
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": [_alarm("PRINTER_ON_FIRE", sentence="a\x00b")]})
    subject = f"{enrolled.device_id} PRINTER_ON_FIRE"
    assert _findings(database) == [("AGENT_ALARM", subject, 1, "OPEN")]


def test_operators_read_what_an_agent_said_of_its_alarms(
    database: Database, http: HttpCaller, agent: HttpCaller
) -> None:
    agent.post(f"{STORE}/heartbeats", json={**BEAT, "alarms": [_alarm("SPOOL_DAMAGED")]})
    store = http.as_caller(build_person(database)).get(STORE).json()
    assert store["agents"][0]["alarms"] == [_alarm("SPOOL_DAMAGED")]


def test_every_alarm_of_an_agent_has_a_finding_of_its_own() -> None:
    assert sorted(ALARM_FINDINGS) == sorted(code.value for code in AlarmCode)


def test_a_heartbeat_does_not_wait_for_the_stores_lock(
    database: Database, agent: HttpCaller, enrolled: EnrolledAgent
) -> None:
    with database.unit_of_work() as posting:
        posting.connection.execute(
            "SELECT FROM store WHERE store_no = %s FOR NO KEY UPDATE", [enrolled.store_no]
        )
        assert agent.post(f"{STORE}/heartbeats", json=BEAT).status_code == 200


def test_a_command_is_fetched_until_it_is_answered_once(
    database: Database, agent: HttpCaller, enrolled: EnrolledAgent, clock: SetClock
) -> None:
    with database.unit_of_work() as work:
        command_id = give_command(
            work, enrolled.store_no, AgentCommandType.RESYNC, RESYNC, by=OPERATOR, now=clock.now()
        )
    for _ in range(2):
        commands = agent.post(f"{STORE}/heartbeats", json=BEAT).json()["commands"]
        assert commands == [
            {
                "commandId": str(command_id),
                "type": "RESYNC",
                "arguments": RESYNC,
                "expiresAt": "2026-02-17T23:05:00Z",
            }
        ]
    result = f"{STORE}/commands/{command_id}/result"
    for outcome in (
        {"succeeded": True, "result": {"events": 9}},
        {"succeeded": False, "result": {"nul": "\x00"}},
    ):
        assert agent.post(result, json=outcome).status_code == 200
    assert agent.post(f"{STORE}/heartbeats", json=BEAT).json()["commands"] == []
    with database.reading() as work:
        kept = work.connection.execute("SELECT succeeded, result FROM agent_command").fetchall()
        audited = work.connection.execute(
            "SELECT count(*) FROM audit_entry WHERE action = 'command.answered'"
        ).fetchone()
    assert kept == [(True, {"events": 9})], "the first answer counts"
    assert audited == (1,)


def test_a_command_expires(
    database: Database, agent: HttpCaller, enrolled: EnrolledAgent, clock: SetClock
) -> None:
    with database.unit_of_work() as work:
        give_command(work, enrolled.store_no, AgentCommandType.RESYNC, RESYNC, by=OPERATOR, now=clock.now())
    clock.advance(timedelta(days=7))
    assert agent.post(f"{STORE}/heartbeats", json=BEAT).json()["commands"] == []


def test_a_result_of_another_stores_command_is_refused(
    database: Database, agent: HttpCaller, clock: SetClock
) -> None:
    other = build_store(database, "STORE-02")
    with database.unit_of_work() as work:
        command_id = give_command(work, other, AgentCommandType.RESYNC, RESYNC, by=OPERATOR, now=clock.now())
    response = agent.post(f"{STORE}/commands/{command_id}/result", json={"succeeded": True})
    assert (response.status_code, response.json()["errorCode"]) == (404, "NOT_FOUND")
