"""Support asks agents: a resync with its cost, other commands of the closed list, and their answers."""

import base64
from typing import Any

import pytest

from sync_server.database import Database
from sync_server.people.roles import Role
from tests.builders import EnrolledAgent, build_agent, build_person, build_store
from tests.http_caller import HttpCaller
from tests.sync_server.stores.test_heartbeats import BEAT

STORE = "/api/v1/inventory/stores/STORE-01"
WHY = {"reason": "a gap on the fleet page"}


@pytest.fixture
def enrolled(database: Database) -> EnrolledAgent:
    """An agent of STORE-01 whose stream has a gap and whose last word was of 1712 events."""
    build_store(database)
    agent = build_agent(database)
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO stream (store_no, stream_id, device_no, received) SELECT %s, 's-1', device_no,"
            " '{[1,1201),[1211,1701)}' FROM device",
            [agent.store_no],
        )
    return agent


@pytest.fixture
def agent(http: HttpCaller, enrolled: EnrolledAgent) -> HttpCaller:
    """Requests of that agent, which has said how it is."""
    caller = http.as_caller(enrolled.credential)
    assert caller.post(f"{STORE}/heartbeats", json=BEAT).status_code == 200
    return caller


@pytest.fixture
def support(http: HttpCaller, database: Database) -> HttpCaller:
    """Requests of somebody in support."""
    return http.as_caller(build_person(database, "ada", Role.SUPPORT))


def waiting(agent: HttpCaller) -> list[dict[str, Any]]:
    """What the agent is asked for."""
    commands: list[dict[str, Any]] = agent.post(f"{STORE}/heartbeats", json=BEAT).json()["commands"]
    return commands


def test_a_dry_run_says_what_is_missing_and_asks_nobody(agent: HttpCaller, support: HttpCaller) -> None:
    answer = support.order(f"{STORE}/resyncs", json={"dryRun": True, **WHY})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["missing"], told["events"], told["commands"]) == (22, 22, [])
    ranged = {"fromSequence": 1195, "toSequence": 1205, "streamId": "s-1", "dryRun": True, **WHY}
    told = support.order(f"{STORE}/resyncs", json=ranged).json()
    assert (told["events"], told["missing"]) == (11, 5)
    assert (
        support.order(f"{STORE}/resyncs", json={"all": True, "dryRun": True, **WHY}).json()["events"] == 1712
    )
    assert waiting(agent) == []


def test_a_resync_is_left_for_the_agent_once_and_its_outcome_stays(
    agent: HttpCaller, support: HttpCaller
) -> None:
    wish = {"businessDate": "2026-02-10", **WHY}
    first = support.order(f"{STORE}/resyncs", json=wish)
    again = support.order(f"{STORE}/resyncs", json=wish)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["commands"] == again.json()["commands"]
    (command,) = waiting(agent)
    assert (command["type"], command["arguments"]) == ("RESYNC", {"businessDate": "2026-02-10"})
    agent.post(
        f"{STORE}/commands/{command['commandId']}/result", json={"succeeded": True, "result": {"events": 7}}
    )
    (shown,) = support.get(f"{STORE}/resyncs").json()["items"]
    assert (shown["state"], shown["result"], shown["reason"]) == ("DONE", {"events": 7}, WHY["reason"])
    assert support.order(f"{STORE}/resyncs", json=wish).status_code == 201, (
        "what was answered may be asked anew"
    )


def test_a_bundle_comes_back_as_the_very_file(agent: HttpCaller, support: HttpCaller) -> None:
    asked = support.order(f"{STORE}/commands", json={"type": "BUNDLE", **WHY})
    assert asked.status_code == 201
    command_id = asked.json()["commandId"]
    assert (
        support.order(f"{STORE}/commands", json={"type": "BUNDLE", **WHY}).json()["commandId"] == command_id
    )
    path = f"{STORE}/commands/{command_id}"
    assert support.get(f"{path}/attachment").status_code == 404
    content = bytes(range(256)) * 40
    answer = {"succeeded": True, "result": {"bytes": 1}, "attachment": base64.b64encode(content).decode()}
    assert agent.post(f"{path}/result", json=answer).status_code == 200
    assert support.get(f"{path}/attachment").content == content
    assert support.get(path).json()["attachmentBytes"] == len(content)
    assert [row["commandId"] for row in support.get(f"{STORE}/commands").json()["items"]] == [command_id]


@pytest.mark.parametrize(
    "wish",
    [
        {"all": True, "businessDate": "2026-02-10"},
        {"fromSequence": 0},
        {"fromSequence": 9, "toSequence": 8},
        {"streamId": "s-1"},
        {"reason": ""},
    ],
)
def test_a_resync_that_makes_no_sense_is_refused(
    agent: HttpCaller, support: HttpCaller, wish: dict[str, Any]
) -> None:
    assert support.order(f"{STORE}/resyncs", json={**WHY, **wish}).status_code == 422
    assert waiting(agent) == []


def test_what_nobody_can_do_is_said(http: HttpCaller, database: Database, support: HttpCaller) -> None:
    build_store(database)
    alone = support.order(f"{STORE}/resyncs", json=WHY)
    assert (alone.status_code, alone.json()["errorCode"]) == (409, "CONFLICT")
    assert support.order(f"{STORE}/commands", json={"type": "SHELL", **WHY}).status_code == 422
    viewer = http.as_caller(build_person(database, "bob", Role.VIEWER))
    assert viewer.order(f"{STORE}/resyncs", json=WHY).status_code == 403


def test_a_stream_is_asked_of_the_agent_that_has_it(
    agent: HttpCaller, support: HttpCaller, http: HttpCaller, database: Database
) -> None:
    other = http.as_caller(build_agent(database).credential)
    support.order(f"{STORE}/resyncs", json={"streamId": "s-1", "fromSequence": 1, **WHY})
    assert len(waiting(agent)) == 1
    assert other.post(f"{STORE}/heartbeats", json={**BEAT, "streamId": "s-2"}).json()["commands"] == []
    unknown = support.order(f"{STORE}/resyncs", json={"streamId": "s-9", "all": True, **WHY})
    assert unknown.status_code == 404
