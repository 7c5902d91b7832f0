"""Periods: closed books stay closed, what comes late is booked on the first open day, and nobody waits."""

import datetime as dt

import psycopg
import pytest

from sync_server.database import Database
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, receipt, sale, void

PERIOD = "/api/v1/inventory/stores/STORE-01/period"
LATE = "2026-01-30T12:00:00Z"


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01 with 10 pieces at 4.00; it is 2026-02-10 there."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00")})
    return ledger


@pytest.fixture
def approver(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """A person who may close books."""
    return http.as_caller(build_person(store.database, "ada", Role.APPROVER))


def _dates(store: StoreLedger) -> list[tuple[str, str]]:
    """(business date, accounting date) of the latest movement and the latest journal."""
    movement = "SELECT business_date::text, accounting_date::text FROM stock_movement"
    journal = "SELECT business_date::text, accounting_date::text FROM journal"
    last = " WHERE store_no = %(store_no)s ORDER BY store_sequence DESC LIMIT 1"
    return [row for query in (movement, journal) for row in store.rows(query + last)]


def test_what_comes_late_for_a_closed_day_is_booked_on_the_first_open_one(
    store: StoreLedger, approver: HttpCaller
) -> None:
    closed = approver.order(f"{PERIOD}/close", json={"through": "2026-01-31"})
    assert closed.status_code == 200, closed.text
    assert closed.json()["firstOpenDate"] == "2026-02-01"
    assert approver.get(PERIOD).json() == closed.json()
    store.post(sale(2, "20.00", occurredAt=LATE))
    assert _dates(store) == [("2026-01-30", "2026-02-01")] * 2
    store.post(sale(1, "10.00", occurredAt="2026-02-03T12:00:00Z"))
    assert _dates(store) == [("2026-02-03", "2026-02-03")] * 2
    store.check()


def test_a_void_of_a_closed_sale_is_booked_on_an_open_day(store: StoreLedger, approver: HttpCaller) -> None:
    store.post(sale(2, "20.00", eventId="s-1", occurredAt=LATE))
    approver.order(f"{PERIOD}/close", json={"through": "2026-01-31"})
    store.post(void("s-1", occurredAt=LATE))
    store.post(void("s-2", occurredAt=LATE))
    assert _dates(store) == [("2026-01-30", "2026-02-01")] * 2
    store.post(sale(2, "20.00", eventId="s-2", occurredAt=LATE))
    assert _dates(store) == [("2026-01-30", "2026-02-01")] * 2
    assert store.balances()["1400"] == "40"
    store.check()


def test_reopened_books_take_what_is_theirs_and_what_was_booked_stays(
    store: StoreLedger, approver: HttpCaller
) -> None:
    approver.order(f"{PERIOD}/close", json={"through": "2026-01-31"})
    store.post(sale(1, occurredAt=LATE))
    reopened = approver.order(
        f"{PERIOD}/reopen", json={"from": "2026-01-15", "reason": "a forgotten invoice"}
    )
    assert reopened.json()["closedThrough"] == "2026-01-14"
    store.post(receipt(1, "5.00", occurredAt=LATE))
    assert _dates(store) == [("2026-01-30", "2026-01-30")] * 2
    assert store.count("SELECT count(*) FROM journal WHERE accounting_date = '2026-02-01'") == 1
    actions = "SELECT action FROM audit_entry WHERE store_no = %(store_no)s AND action LIKE 'period.%%'"
    assert store.rows(actions) == [("period.closed",), ("period.reopened",)]
    store.check()


def test_closing_what_is_closed_changes_nothing(store: StoreLedger, approver: HttpCaller) -> None:
    approver.order(f"{PERIOD}/close", json={"through": "2026-01-31"})
    assert approver.order(f"{PERIOD}/close", json={"through": "2026-01-15"}).json()["closedThrough"] == (
        "2026-01-31"
    )
    assert store.count("SELECT count(*) FROM period_change") == 1
    store.check()


@pytest.mark.parametrize("through", ["2026-02-10", "2026-02-11"])
def test_a_day_that_is_not_over_cannot_be_closed(approver: HttpCaller, through: str) -> None:
    refused = approver.order(f"{PERIOD}/close", json={"through": through})
    assert refused.status_code == 422
    assert "2026-02-10" in refused.json()["details"]["violations"][0]["constraint"]


def test_only_an_approver_closes_books(store: StoreLedger, http: HttpCaller) -> None:
    controller = http.as_caller(build_person(store.database, "bob", Role.STOCK_CONTROLLER, Role.ADMIN))
    assert controller.order(f"{PERIOD}/close", json={"through": "2026-01-31"}).status_code == 403


def test_what_is_loose_in_the_closed_days_is_said(store: StoreLedger, approver: HttpCaller) -> None:
    store.post(sale(99, item="unheard-of", occurredAt=LATE))
    told = approver.order(f"{PERIOD}/close", json={"through": "2026-01-31"}).json()
    assert told["openFindings"] > 0


def test_nobody_rewrites_a_closing(store: StoreLedger, approver: HttpCaller, owner_url: str) -> None:
    approver.order(f"{PERIOD}/close", json={"through": "2026-01-31"})
    owner = Database(owner_url, role=None)
    with pytest.raises(psycopg.errors.RestrictViolation), owner.unit_of_work() as work:
        work.connection.execute("UPDATE period_change SET closed_through = NULL")
    owner.close()
    assert dt.date.fromisoformat(approver.get(PERIOD).json()["closedThrough"]) == dt.date(2026, 1, 31)
