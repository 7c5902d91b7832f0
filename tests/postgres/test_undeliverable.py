"""What headquarters refused comes back raw, lies held with its reason, and fills its place in the stream."""

from typing import Any

from shared.pos_event import PosEvent, read_event
from shared.wire_json import encode_json
from sync_server.database import Database
from tests.agent_stream import AgentStream
from tests.builders import build_agent, build_store
from tests.http_caller import HttpCaller
from tests.store_ledger import assert_whole
from tests.till_events import Event, sale

STREAM = "0190f000-0000-7000-8000-000000000001"
HASH = "ab" * 32


def refused(sequence: int, raw: str = '{"type": "SALE", "quantity": 0}') -> dict[str, Any]:
    return {
        "sequence": sequence,
        "contentHash": HASH,
        "raw": raw,
        "reason": {"errorCode": "VALIDATION_FAILED"},
    }


def hand_over(http: HttpCaller, credential: str, *events: dict[str, Any]) -> Any:
    return http.post(
        "/api/v1/inventory/stores/STORE-01/undeliverable",
        json={"streamId": STREAM, "events": list(events)},
        headers={"Authorization": f"Bearer {credential}"},
    )


def test_a_refused_event_is_held_raw_and_counts_as_received(http: HttpCaller, database: Database) -> None:
    build_store(database)
    agent = build_agent(database)

    answer = hand_over(http, agent.credential, refused(1), refused(3))

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"acknowledgedSequence": 1, "gaps": [[2, 2]]}
    with database.reading() as work:
        held = work.connection.execute(
            "SELECT sequence, reason, raw::text, status FROM held_event"
        ).fetchall()
        receipts = work.connection.execute("SELECT first_sequence, outcomes FROM stream_receipt").fetchall()
    assert [row[:2] for row in held] == [(1, "REFUSED"), (3, "REFUSED")]
    assert '"event":{"type":"SALE","quantity":0}' in held[0][2]
    assert '"VALIDATION_FAILED"' in held[0][2]
    assert sorted(receipts) == [(1, "H"), (3, "H")]


def test_handing_it_over_again_adds_nothing(http: HttpCaller, database: Database) -> None:
    build_store(database)
    agent = build_agent(database)
    hand_over(http, agent.credential, refused(1))

    answer = hand_over(http, agent.credential, refused(1))

    assert answer.status_code == 200
    with database.reading() as work:
        assert work.connection.execute("SELECT count(*) FROM held_event").fetchone() == (1,)


def test_what_is_no_json_at_all_is_held_as_text(http: HttpCaller, database: Database) -> None:
    build_store(database)
    agent = build_agent(database)

    answer = hand_over(http, agent.credential, refused(1, raw="{cut off"))

    assert answer.status_code == 200
    with database.reading() as work:
        raw = work.connection.execute("SELECT raw ->> 'event' FROM held_event").fetchone()
    assert raw == ("{cut off",)


def _as_refused(event: Event) -> dict[str, Any]:
    """A sound event as an agent hands it over that was refused it, by an older headquarters say."""
    read = read_event(event, "event")
    assert isinstance(read, PosEvent), read
    return {
        "sequence": event["sequence"],
        "contentHash": read.content_hash.hex(),
        "raw": encode_json(event).decode(),
        "reason": {"errorCode": "VALIDATION_FAILED"},
    }


def _statuses(database: Database) -> list[Any]:
    with database.reading() as work:
        return work.connection.execute(
            "SELECT sequence, status, decision_reason FROM held_event ORDER BY sequence"
        ).fetchall()


def test_what_the_store_sends_again_and_can_be_understood_now_is_posted_and_its_held_copy_released(
    http: HttpCaller, database: Database
) -> None:
    build_store(database)
    agent, stream = build_agent(database), AgentStream(STREAM)
    caller = http.as_caller(agent.credential)
    group, alone = stream.group(sale(2), sale(3)), stream.group(sale(5))
    assert hand_over(http, agent.credential, *map(_as_refused, [*group, *alone])).status_code == 200

    def send(batch_id: str, events: list[Event]) -> Any:
        body = {"batchId": batch_id, "postedAt": "2026-02-10T23:05:00Z", "streamId": STREAM, "events": events}
        answer = caller.post("/api/v1/inventory/stores/STORE-01/pos-batches", content=encode_json(body))
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    first = send("again-1", group)
    assert (first["duplicates"], first["acknowledgedSequence"]) == (2, 3), "received before, as held"
    assert [row[:2] for row in _statuses(database)] == [(1, "RELEASED"), (2, "RELEASED"), (3, "HELD")]
    assert send("again-1", group)["duplicate"] is True
    send("again-2", [*group, *alone])
    assert {status for _, status, _ in _statuses(database)} == {"RELEASED"}
    with database.reading() as work:
        sold = work.connection.execute("SELECT sum(quantity), count(*) FROM pos_event").fetchone()
        findings = work.connection.execute(
            "SELECT status FROM finding WHERE code = 'EVENT_REFUSED'"
        ).fetchall()
    assert sold == (10, 3)
    assert findings == [("RESOLVED",)]
    assert_whole(database)


def test_what_the_store_has_given_up_is_discarded_with_its_reason_and_a_persons_decision_stands(
    http: HttpCaller, database: Database
) -> None:
    build_store(database)
    agent = build_agent(database)
    hand_over(http, agent.credential, refused(1), refused(2, raw='{"eventId":"b"}'))

    def give_up(*events: dict[str, Any]) -> Any:
        return http.as_caller(agent.credential).post(
            "/api/v1/inventory/stores/STORE-01/undeliverable/discards",
            json={"streamId": STREAM, "events": list(events)},
        )

    wish = {"sequence": 1, "contentHash": HASH, "reason": "a test sale"}
    assert give_up(wish).json() == {"discarded": 1}
    assert give_up(wish, {**wish, "sequence": 9}).json() == {"discarded": 0}
    assert give_up({**wish, "sequence": 2, "contentHash": "cd" * 32}).json() == {"discarded": 0}, (
        "another event"
    )
    assert give_up({**wish, "reason": ""}).status_code == 422
    assert _statuses(database) == [(1, "DISCARDED", "a test sale"), (2, "HELD", None)]
    with database.reading() as work:
        audited = work.connection.execute(
            "SELECT actor_kind, after FROM audit_entry WHERE action = 'held_event.discarded'"
        ).fetchall()
    assert audited == [("agent", {"status": "DISCARDED", "reason": "a test sale"})]
    assert_whole(database)
