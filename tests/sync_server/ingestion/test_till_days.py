"""Workstations' days over HTTP: their sums, what differs, what is missing, and what people answer."""

import pytest

from sync_server.database import Database
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger, assert_whole
from tests.till_events import ITEM, cash, sale

STORE = "/api/v1/inventory/stores/STORE-01"


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """A store whose till-1 rang up numbers 1, 2 and 5 and counted 40.00 where 30.00 came."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00")})
    lines = [
        sale(1, "10.00", transactionNumber=number, workstationId="till-1", tenders=[cash("10.00")])
        for number in (1, 2, 5)
    ]
    ledger.post(*lines, {"type": "DAY_CLOSE", "workstationId": "till-1", "totals": {"SALE": "40.00"}})
    return ledger


@pytest.fixture
def support(database: Database, http: HttpCaller) -> HttpCaller:
    """Somebody of support."""
    return http.as_caller(build_person(database, "sam", Role.SUPPORT))


def test_a_day_shows_its_sums_and_what_does_not_fit(store: StoreLedger, support: HttpCaller) -> None:
    store.post(sale(1, "7.00", occurredAt="2026-02-09T12:00:00Z"))
    store.post({"type": "DAY_CLOSE", "occurredAt": "2026-02-09T20:00:00Z"})
    page = support.get(f"{STORE}/workstation-days?limit=1").json()
    (day,) = page["items"]
    assert (day["workstationId"], day["businessDate"], day["closes"]) == ("till-1", "2026-02-10", 1)
    assert (day["types"], day["tenders"]) == ({"SALE": 30.0}, {"CASH": 30.0})
    assert day["missing"] == [[3, 4]]
    assert day["differences"] == [{"kind": "TYPE", "name": "SALE", "till": 40.0, "headquarters": 30.0}]
    (other,) = support.get(f"{STORE}/workstation-days?after={page['next']}").json()["items"]
    assert (other["workstationId"], other["tenders"], other["differences"]) == ("-", {"": 7.0}, [])


def test_a_gap_is_answered_with_a_reason(store: StoreLedger, support: HttpCaller) -> None:
    path = f"{STORE}/transaction-gaps/answers"
    body = {
        "workstationId": "till-1",
        "businessDate": "2026-02-10",
        "from": 3,
        "to": 4,
        "answer": "NEVER_EXISTED",
        "reason": "drawer opened twice",
    }
    answered = support.order(path, json=body)
    assert answered.status_code == 201
    assert answered.json()["answer"] == "NEVER_EXISTED"
    assert ("TRANSACTION_GAP", "till-1 2026-02-10") in store.findings("RESOLVED")
    assert support.order(path, json={**body, "reason": ""}).status_code == 422
    assert support.order(path, json={**body, "to": 2}).status_code == 422
    assert support.order(path, json={**body, "workstationId": "till-9"}).status_code == 404
    assert_whole(store.database)


def test_only_support_and_stock_control_answer(
    database: Database, http: HttpCaller, store: StoreLedger
) -> None:
    viewer = http.as_caller(build_person(database, "vera", Role.VIEWER))
    assert viewer.order(f"{STORE}/transaction-gaps/answers", json={}).status_code == 403
    assert viewer.get(f"{STORE}/workstation-days").status_code == 200
    assert viewer.get(f"{STORE}/workstation-days?after=x").status_code == 422
