"""Journals, the trial balance, the daily proof and the chart of accounts, as an accountant asks for them."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from shared.wire_json import decode_json
from sync_server.database import Database
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger
from tests.sync_server.inventory.test_stock_api import pages
from tests.till_events import ITEM, cash, receipt, sale

API = "/api/v1/inventory"
WHY = {"reason": "a new chart"}


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """10 pieces at 4.00 on the 10th; two sold for 20.00, 3.20 of it tax, on the 9th; three received on the 8th."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00")})
    ledger.post(sale(2, "20.00", taxAmount="3.20", tenders=[cash(20)], occurredAt="2026-02-09T12:00:00Z"))
    ledger.post(receipt(3, "5.00", occurredAt="2026-02-08T12:00:00Z"))
    return ledger


@pytest.fixture
def admin(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """Somebody who may read and set accounts."""
    return http.as_caller(build_person(store.database, "ada", Role.ADMIN))


def _sides(journal: dict[str, Any]) -> dict[str, Decimal]:
    return {line["account"]: line["debit"] - line["credit"] for line in journal["lines"]}


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("store_id", [{}, {"storeId": "STORE-01"}])
def test_journals_come_with_their_lines_newest_first(
    admin: HttpCaller, limit: int, store_id: dict[str, str]
) -> None:
    received, sold, opened = pages(admin, f"{API}/journals", limit=limit, **store_id)
    assert _sides(received) == {"1400": 15, "2100": -15}
    assert _sides(sold) == {
        "1000": 20,
        "2300": Decimal("-3.20"),
        "4000": Decimal("-16.80"),
        "5000": 8,
        "1400": -8,
    }
    assert [line["tender"] for line in sold["lines"] if line["account"] == "1000"] == ["CASH"]
    assert _sides(opened) == {"1400": 40, "3000": -40}
    assert (sold["businessDate"], sold["accountingDate"], sold["kind"]) == ("2026-02-09", "2026-02-09", "POS")


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"account": "1400"}, 3),
        ({"account": "2300"}, 1),
        ({"businessDate": "2026-02-08"}, 1),
        ({"from": "2026-02-09"}, 2),
        ({"to": "2026-02-07"}, 0),
        ({"account": "9999"}, 0),
    ],
)
def test_journals_are_filtered(admin: HttpCaller, asked: dict[str, str], count: int) -> None:
    assert len(pages(admin, f"{API}/journals", storeId="STORE-01", **asked)) == count
    assert len(pages(admin, f"{API}/journals", **asked)) == count


def test_the_journals_of_all_stores_come_in_one_list(store: StoreLedger, admin: HttpCaller) -> None:
    StoreLedger(store.database, "STORE-02").open_with({ITEM: ("1", "4.00")})
    rows = pages(admin, f"{API}/journals", limit=1)
    assert [row["storeId"] for row in rows] == ["STORE-02", *["STORE-01"] * 3]


def test_the_trial_balance_adds_up_to_nothing(admin: HttpCaller) -> None:
    answer = decode_json(admin.get(f"{API}/reports/trial-balance", params={"storeId": "STORE-01"}).content)
    balances = {row["account"]: row["balance"] for row in answer["accounts"]}
    assert balances == {
        "1000": 20,
        "1400": 47,
        "2100": -15,
        "2300": Decimal("-3.20"),
        "3000": -40,
        "4000": Decimal("-16.80"),
        "5000": 8,
    }
    assert answer["balanced"] is True
    inventory = next(row for row in answer["accounts"] if row["account"] == "1400")
    assert (inventory["debit"], inventory["credit"], inventory["name"]) == (55, 8, "Inventory")


def test_a_trial_balance_may_be_of_an_earlier_day(admin: HttpCaller) -> None:
    answer = decode_json(admin.get(f"{API}/reports/trial-balance", params={"asOf": "2026-02-08"}).content)
    assert {row["account"]: row["balance"] for row in answer["accounts"]} == {"1400": 15, "2100": -15}


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_every_day_proves_that_inventory_is_what_the_stock_is_worth(admin: HttpCaller, limit: int) -> None:
    days = pages(admin, f"{API}/reports/daily-proof", storeId="STORE-01", limit=limit)
    assert [(day["accountingDate"], day["inventoryAccount"], day["stockValue"]) for day in days] == [
        ("2026-02-10", 47, 47),
        ("2026-02-09", 7, 7),
        ("2026-02-08", 15, 15),
    ]
    assert all(day["proven"] for day in days)


def test_another_account_serves_a_purpose_from_then_on(
    store: StoreLedger, admin: HttpCaller, owner_url: str
) -> None:
    told = admin.order(f"{API}/accounts/inventory", json={"account": "1401", "name": "Goods", **WHY})
    assert (told.status_code, told.json()["formerly"]) == (200, ["1400"])
    rows = pages(admin, f"{API}/accounts")
    assert [row["purpose"] for row in rows if row["account"] == "1401"] == ["inventory"]
    entries = store.rows(
        "SELECT action, before ->> 'account', after ->> 'account' FROM audit_entry "
        "WHERE action = 'account.set'"
    )
    assert entries == [("account.set", "1400", "1401")]
    store.check()
    owner = Database(owner_url, role=None)
    with pytest.raises(psycopg.errors.RestrictViolation), owner.unit_of_work() as work:
        work.connection.execute("DELETE FROM account_use")
    owner.close()


@pytest.mark.parametrize(
    ("purpose", "account"), [("inventory", "5000"), ("sales", "1410"), ("shrinkage", "1400")]
)
def test_the_accounts_that_the_daily_proof_rests_on_serve_nothing_else(
    store: StoreLedger, admin: HttpCaller, purpose: str, account: str
) -> None:
    assert admin.order(f"{API}/accounts/{purpose}", json={"account": account, **WHY}).status_code == 409
    with pytest.raises(psycopg.errors.CheckViolation), store.database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO account_use (purpose, account, since) VALUES (%s, %s, now())", [purpose, account]
        )


def test_two_purposes_may_share_another_account(store: StoreLedger, admin: HttpCaller) -> None:
    assert admin.order(f"{API}/accounts/cash_over_short", json={"account": "6550", **WHY}).status_code == 200
    assert admin.order(f"{API}/accounts/nothing", json={"account": "1", **WHY}).status_code == 404
    assert admin.order(f"{API}/accounts/sales", json={"account": "x" * 40, **WHY}).status_code == 422
    store.check()
