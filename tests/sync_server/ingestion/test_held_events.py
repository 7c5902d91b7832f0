"""`POST /held-events/…` over HTTP: who may, what is answered, one by one and several at once."""

from typing import Any

import pytest

from sync_server.database import Database
from sync_server.people.roles import Role
from tests.agent_stream import AgentStream
from tests.builders import build_person, build_store, build_till
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger, assert_whole
from tests.till_events import ITEM, sale

HELD = "/api/v1/inventory/held-events"


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """A store with ten pieces at 4.00; of e-1 two further contents are held."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00")})
    for quantity in (1, 2, 3):
        ledger.post(sale(quantity, f"{quantity}0.00", eventId="e-1"))
    return ledger


@pytest.fixture
def support(database: Database, http: HttpCaller) -> HttpCaller:
    """Somebody of support."""
    return http.as_caller(build_person(database, "sam", Role.SUPPORT))


def _numbers(store: StoreLedger) -> list[int]:
    rows = store.rows("SELECT held_event_no FROM held_event WHERE store_no = %(store_no)s ORDER BY 1")
    return [number for (number,) in rows]


def test_a_held_event_is_previewed_and_then_released(store: StoreLedger, support: HttpCaller) -> None:
    path = f"{HELD}/{_numbers(store)[0]}/release"
    body: dict[str, Any] = {"newIdentity": True}
    shown = support.order(f"{path}?dryRun=true", key="k", json=body).json()
    assert (shown["status"], shown["dryRun"]) == ("HELD", True)
    done = support.order(path, key="k", json=body)
    assert done.status_code == 200
    assert done.json() == {**shown, "status": "RELEASED", "dryRun": False}
    (movement,) = done.json()["movements"]
    assert (movement["itemId"], movement["quantity"], movement["value"]) == (ITEM, -2, -8)
    (journal,) = done.json()["journals"]
    assert {(line["account"], line["debit"], line["credit"]) for line in journal["lines"]} == {
        ("1000", 20, 0), ("4000", 0, 20), ("5000", 8, 0), ("1400", 0, 8),
    }  # fmt: skip
    assert support.order(path, key="k", json=body).json() == done.json()
    assert store.stock() == ("7", "28")
    assert_whole(store.database)


def test_a_corrected_event_is_validated_like_a_till_s(store: StoreLedger, support: HttpCaller) -> None:
    path = f"{HELD}/{_numbers(store)[0]}/release"
    refused = support.order(path, json={"event": {"quantity": 0}, "newIdentity": True})
    assert refused.status_code == 422
    (violation,) = refused.json()["details"]["violations"]
    assert (violation["field"], violation["rejectedValue"]) == ("event.quantity", 0)
    assert violation["constraint"] == "Quantity must be greater than zero"
    body = {"event": {"quantity": 1, "note": "\x00 as the till had it"}, "newIdentity": True}
    assert support.order(path, json=body).status_code == 200
    assert store.stock() == ("8", "32")
    assert_whole(store.database)


def test_several_are_released_with_an_outcome_for_each(
    database: Database, store: StoreLedger, support: HttpCaller
) -> None:
    elsewhere = StoreLedger(database, "STORE-02")
    elsewhere.post(sale(1, eventId="e-1"))
    elsewhere.post(sale(2, eventId="e-1"))
    ids = [*_numbers(store), 10**9, *_numbers(elsewhere)]
    answer = support.order(f"{HELD}/release", json={"heldEventIds": ids, "newIdentity": True})
    outcomes = [(each["status"], each["errorCode"]) for each in answer.json()["outcomes"]]
    assert outcomes == [("RELEASED", None)] * 2 + [(None, "NOT_FOUND"), (None, "CONFLICT")]
    assert store.stock() == ("4", "16")
    again = support.order(f"{HELD}/discard", json={"heldEventIds": ids[:1], "reason": "late"})
    assert again.json()["outcomes"][0]["errorCode"] == "CONFLICT"
    assert_whole(database)


def test_a_discarded_event_is_never_posted_and_stays_to_be_seen(
    store: StoreLedger, support: HttpCaller
) -> None:
    first, second = _numbers(store)
    answer = support.order(f"{HELD}/{first}/discard", json={"reason": "rung up in training"})
    assert answer.json() == {"heldEventId": first, "storeId": "STORE-01", "status": "DISCARDED"}
    assert support.order(f"{HELD}/{first}/release", json={"newIdentity": True}).status_code == 409
    several = support.order(f"{HELD}/discard", json={"heldEventIds": [second], "reason": "training"})
    assert several.json()["outcomes"][0]["status"] == "DISCARDED"
    rows = store.rows("SELECT status, decision_reason, decided_by FROM held_event ORDER BY held_event_no")
    assert rows == [("DISCARDED", "rung up in training", "sam"), ("DISCARDED", "training", "sam")]
    assert store.stock() == ("9", "36")


def test_a_discard_needs_its_reason_and_a_release_its_role(
    database: Database, http: HttpCaller, store: StoreLedger, support: HttpCaller
) -> None:
    path = f"{HELD}/{_numbers(store)[0]}"
    assert support.order(f"{path}/discard", json={}).status_code == 422
    viewer = http.as_caller(build_person(database, "vera", Role.VIEWER))
    assert viewer.order(f"{path}/release", json={}).status_code == 403
    build_store(database, "STORE-09")
    till = http.as_caller(build_till(database, "STORE-09"))
    assert till.order(f"{path}/release", json={}).status_code == 403
    assert support.order(f"{HELD}/999999/release", json={}).status_code == 404


def test_what_is_released_is_counted_once_among_the_days(
    database: Database, store: StoreLedger, support: HttpCaller
) -> None:
    genuine, clone = AgentStream(), AgentStream()
    store.post(*genuine.groups(sale(1, eventId="a-1")), stream=genuine)
    store.post(*clone.groups(sale(2, eventId="b-1")), stream=clone)
    assert support.order(f"{HELD}/{_numbers(store)[-1]}/release").status_code == 200
    (day,) = support.get("/api/v1/inventory/stores/STORE-01/days").json()["items"]
    # Of the stream one sequence; outside it the three sales of the till that speaks for itself, two of them held.
    assert (day["directEvents"], day["streams"][0]["events"]) == (1, 1)
    assert_whole(database)
