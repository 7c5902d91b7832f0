"""Heartbeats: the agent's last word is kept, and it hears how far its stream is, what is missing, what to do."""

from datetime import timedelta
from typing import Any

import pytest

from sync_server.database import Database
from sync_server.stores.agent_commands import AgentCommandType, give_command
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
    ],
)
def test_a_heartbeat_that_makes_no_sense_is_refused(agent: HttpCaller, change: dict[str, Any]) -> None:
    assert agent.post(f"{STORE}/heartbeats", json={**BEAT, **change}).status_code == 422


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
