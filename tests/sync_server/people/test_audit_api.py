"""`GET /audit`, and the findings that people close: who, what, why, newest first."""

import pytest

from sync_server.database import Database
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger
from tests.sync_server.inventory.test_stock_api import pages
from tests.till_events import sale

API = "/api/v1/inventory"
WHY = {"reason": "Looked at it."}


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01, where an unknown item was sold."""
    ledger = StoreLedger(database)
    ledger.post(sale(1, item="unheard-of"), batch_id="b-1")
    return ledger


@pytest.fixture
def support(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """Somebody who may close findings."""
    return http.as_caller(build_person(store.database, "ada", Role.SUPPORT))


def _finding(caller: HttpCaller, code: str) -> int:
    (row,) = pages(caller, f"{API}/findings", code=code, status="OPEN")
    return int(row["findingId"])


@pytest.mark.parametrize(("verb", "status"), [("resolve", "RESOLVED"), ("dismiss", "DISMISSED")])
def test_a_finding_is_closed_by_a_person_with_a_reason_and_audited(
    store: StoreLedger, support: HttpCaller, verb: str, status: str
) -> None:
    number = _finding(support, "UNKNOWN_ITEM")
    closed = support.order(f"{API}/findings/{number}/{verb}", json=WHY)
    assert closed.status_code == 200, closed.text
    assert (closed.json()["status"], closed.json()["closedBy"]) == (status, "ada")
    assert closed.json()["closeReason"] == WHY["reason"]
    (entry,) = pages(support, f"{API}/audit", action=f"finding.{status.lower()}")
    assert (entry["actor"], entry["subject"], entry["storeId"]) == ("ada", str(number), "STORE-01")
    assert entry["after"]["reason"] == WHY["reason"]
    store.check()


def test_a_closed_finding_is_not_closed_again_and_opens_anew_when_it_goes_on(
    store: StoreLedger, support: HttpCaller
) -> None:
    number = _finding(support, "UNKNOWN_ITEM")
    support.order(f"{API}/findings/{number}/resolve", json=WHY)
    assert support.order(f"{API}/findings/{number}/dismiss", json=WHY).status_code == 409
    store.post(sale(1, item="unheard-of"))
    assert _finding(support, "UNKNOWN_ITEM") != number
    assert support.order(f"{API}/findings/999/resolve", json=WHY).status_code == 404
    assert support.order(f"{API}/findings/{number}/resolve", json={"reason": ""}).status_code == 422
    store.check()


def test_a_viewer_closes_nothing(store: StoreLedger, http: HttpCaller) -> None:
    viewer = http.as_caller(build_person(store.database, "bob"))
    number = _finding(viewer, "UNKNOWN_ITEM")
    assert viewer.order(f"{API}/findings/{number}/resolve", json=WHY).status_code == 403


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_audit_trail_comes_newest_first_of_one_chain_or_of_all(
    store: StoreLedger, support: HttpCaller, limit: int
) -> None:
    of_store = pages(support, f"{API}/audit", storeId="STORE-01", limit=limit)
    assert [row["action"] for row in of_store] == ["batch.posted", "store.added"]
    of_all = pages(support, f"{API}/audit", limit=limit)
    assert len(of_all) == store.count("SELECT count(*) FROM audit_entry")
    assert {row["storeId"] for row in of_all} == {"STORE-01", "HEADQUARTERS"}


def test_the_audit_trail_is_filtered(store: StoreLedger, support: HttpCaller) -> None:
    assert [row["subject"] for row in pages(support, f"{API}/audit", subject="b-1")] == ["b-1"]
    assert len(pages(support, f"{API}/audit", actor="tester", storeId="STORE-01")) == 1
    assert pages(support, f"{API}/audit", **{"from": "2026-02-11"}) == []
    assert len(pages(support, f"{API}/audit", to="2026-02-10", storeId="HEADQUARTERS")) > 0
    assert support.get(f"{API}/audit", params={"storeId": "STORE-99"}).status_code == 404
