"""What headquarters refused comes back raw, lies held with its reason, and fills its place in the stream."""

from typing import Any

from sync_server.database import Database
from tests.builders import build_agent, build_store
from tests.http_caller import HttpCaller

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
