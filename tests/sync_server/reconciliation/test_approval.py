"""The way of a count over HTTP: handed in, looked at, approved by another person against what they saw, posted."""

from typing import Any

import pytest

from shared.wire_json import decode_json
from sync_server.database import Database
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_counts import at
from tests.store_ledger import StoreLedger
from tests.till_events import receipt, sale

API = "/api/v1/inventory"
COUNT = {
    "date": "2026-02-10",
    "countedAt": at(12),
    "lines": [{"itemId": "apple", "counted": 6}],
    "tenders": [{"type": "CASH", "counted": "0"}],
}


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01 with ten apples since the morning."""
    store = StoreLedger(database)
    store.post(receipt(10, "4.00", "apple", occurredAt=at(6)))
    return store


@pytest.fixture
def ada(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """Counts."""
    return http.as_caller(build_person(store.database, "ada", Role.STOCK_CONTROLLER))


@pytest.fixture
def bob(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """Approves."""
    return http.as_caller(build_person(store.database, "bob", Role.APPROVER))


def _hand_in(caller: HttpCaller, **changes: Any) -> str:
    response = caller.order(f"{API}/stores/STORE-01/reconcile", json={**COUNT, **changes})
    assert response.status_code == 201, response.text
    return f"{API}/reconciliations/{response.json()['reconciliationId']}"


def test_a_count_goes_from_open_to_posted(store: StoreLedger, ada: HttpCaller, bob: HttpCaller) -> None:
    document = _hand_in(ada)
    seen = bob.get(document)
    assert seen.headers["ETag"] == f'"{seen.json()["contentHash"]}"'
    (line,) = decode_json(seen.content)["lines"]
    assert (line["itemId"], line["counted"], line["system"], line["variance"]) == ("apple", 6, 10, -4)
    approved = bob.order(f"{document}/approve", json={}, headers={"If-Match": seen.headers["ETag"]})
    assert (approved.status_code, approved.json()["status"]) == (200, "APPROVED"), approved.text
    posted = ada.order(f"{document}/post", json={})
    assert (posted.status_code, posted.json()["status"]) == (200, "POSTED"), posted.text
    assert b'"varianceAmount":-16.00' in posted.content
    assert posted.json()["journalId"].startswith("STORE-01-")
    listed = bob.get(f"{API}/reconciliations", params={"storeId": "STORE-01", "status": "POSTED"}).json()
    assert [each["reconciliationId"] for each in listed["items"]] == [posted.json()["reconciliationId"]]
    assert store.stock("apple") == ("6", "24")
    store.check()


def test_an_approval_of_other_content_is_a_conflict(
    store: StoreLedger, ada: HttpCaller, bob: HttpCaller
) -> None:
    document = _hand_in(ada)
    seen = bob.get(document).json()["contentHash"]
    store.post(sale(1, "10.00", "apple", occurredAt=at(9)))
    refusals = [
        bob.order(f"{document}/approve", json=body)
        for body in ({"contentHash": seen}, {"reason": "looks right"})
    ]
    assert [(each.status_code, each.json()["errorCode"]) for each in refusals] == [(409, "CONFLICT")] * 2
    fresh = refusals[0].json()["details"]["contentHash"]
    assert bob.order(f"{document}/approve", json={"contentHash": fresh}).status_code == 200


def test_what_nobody_has_touched_since_it_was_made_needs_no_hash(ada: HttpCaller, bob: HttpCaller) -> None:
    document = _hand_in(ada)
    assert bob.order(f"{document}/approve", json={"reason": "counted twice"}).status_code == 200


def test_an_approval_without_a_hash_is_for_what_the_approver_was_shown_last(
    store: StoreLedger, ada: HttpCaller, bob: HttpCaller
) -> None:
    document = _hand_in(ada)
    bob.get(document)
    store.post(sale(1, "10.00", "apple", occurredAt=at(9)))
    assert bob.order(f"{document}/approve", json={"reason": "looks right"}).status_code == 409
    bob.get(document)
    assert bob.order(f"{document}/approve", json={"reason": "looks right now"}).status_code == 200


def test_late_events_are_taken_in_for_an_approver_who_was_shown_nothing(
    store: StoreLedger, ada: HttpCaller, bob: HttpCaller
) -> None:
    document = _hand_in(ada)
    store.post(sale(1, "10.00", "apple", occurredAt=at(9)))
    approved = bob.order(f"{document}/approve", json={"reason": "by the sheet"})
    assert approved.status_code == 200, approved.text
    (line,) = decode_json(approved.content)["lines"]
    assert (str(line["counted"]), str(line["system"])) == ("6", "9")


def test_nobody_approves_what_they_made(store: StoreLedger, http: HttpCaller) -> None:
    eve = http.as_caller(build_person(store.database, "eve", Role.STOCK_CONTROLLER, Role.APPROVER))
    refused = eve.order(f"{_hand_in(eve)}/approve", json={})
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "FORBIDDEN")


def test_whoever_lacks_the_role_is_refused(ada: HttpCaller) -> None:
    document = _hand_in(ada)
    for step in ("approve", "reject", "acknowledge"):
        assert ada.order(f"{document}/{step}", json={"reason": "x"}).status_code == 403


def test_a_rejected_one_stays_rejected(ada: HttpCaller, bob: HttpCaller) -> None:
    document = _hand_in(ada)
    rejected = bob.order(f"{document}/reject", json={"reason": "Count again"})
    assert (rejected.json()["status"], rejected.json()["rejectReason"]) == ("REJECTED", "Count again")
    assert ada.order(f"{document}/post", json={}).status_code == 409
    assert bob.order(f"{document}/approve", json={}).status_code == 409


def test_the_approver_acknowledges_what_came_late(
    store: StoreLedger, ada: HttpCaller, bob: HttpCaller, http: HttpCaller
) -> None:
    document = _hand_in(ada)
    bob.order(f"{document}/approve", json={})
    ada.order(f"{document}/post", json={})
    store.post(sale(3, "30.00", "apple", occurredAt=at(9)))
    assert bob.get(document).json()["toAcknowledge"] == 1
    carl = http.as_caller(build_person(store.database, "carl", Role.APPROVER))
    assert carl.order(f"{document}/acknowledge", json={}).status_code == 403
    seen = bob.order(f"{document}/acknowledge", json={"reason": "The line was down"})
    assert (seen.status_code, seen.json()["toAcknowledge"]) == (200, 0)
    assert ("COUNT_CORRECTED", document.rpartition("/")[2]) not in store.findings()
    store.check()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"countedAt": None}, "countedAt"),
        ({"countedAt": "2026-02-10T12:00:00"}, "countedAt"),
        ({"countedAt": "2026-02-12T12:00:00Z"}, "countedAt"),
        ({"varianceAmount": -1}, "varianceAmount"),
        ({"lines": [], "tenders": []}, "lines"),
        ({"lines": [{"itemId": "nothing", "counted": 1}]}, "lines[0].itemId"),
        ({"lines": [{"itemId": "apple", "counted": -1}]}, "lines[0].counted"),
        ({"lines": [{"itemId": "apple", "counted": 1}] * 2}, "lines[1].itemId"),
        ({"lines": [{"itemId": "apple", "counted": 1, "reason": "WHY"}]}, "lines[0].reason"),
        ({"tenders": [{"type": "CASH", "counted": 1}] * 2}, "tenders[1].type"),
    ],
)
def test_what_cannot_be_counted_is_named(ada: HttpCaller, changes: dict[str, Any], field: str) -> None:
    response = ada.order(f"{API}/stores/STORE-01/reconcile", json={**COUNT, **changes})
    assert response.status_code == 422, response.text
    assert [each["field"] for each in response.json()["details"]["violations"]] == [field]


def test_an_unknown_reconciliation_is_not_found(ada: HttpCaller, bob: HttpCaller) -> None:
    assert ada.get(f"{API}/reconciliations/nothing").status_code == 404
    assert bob.order(f"{API}/reconciliations/nothing/approve", json={}).status_code == 404


def test_lists_page_in_the_order_of_making(ada: HttpCaller) -> None:
    made = [_hand_in(ada).rpartition("/")[2] for _ in range(3)]
    first = ada.get(f"{API}/reconciliations", params={"limit": 2}).json()
    rest = ada.get(f"{API}/reconciliations", params={"limit": 2, "after": first["next"]}).json()
    found = [each["reconciliationId"] for each in first["items"] + rest["items"]]
    assert found == sorted(made)
    assert rest["next"] is None
