"""Lists as CSV, for whoever asks for nothing else."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from sync_server.csv_lists import as_table
from sync_server.database import Database
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, sale

STORE = "/api/v1/inventory/stores/STORE-01"
CSV = {"Accept": "text/csv"}


@pytest.fixture
def viewer(database: Database, http: HttpCaller) -> HttpCaller:
    """Somebody who may read; the store has two items."""
    store = StoreLedger(database)
    store.open_with({ITEM: ("12345678901234567.125", "4.00"), "item-002": ("5", "2.00")})
    store.post(sale(1, "10.00"))
    return http.as_caller(build_person(database, "ada"))


def test_a_list_comes_as_a_table_page_by_page(viewer: HttpCaller) -> None:
    first = viewer.get(f"{STORE}/stock", params={"limit": 1}, headers=CSV)
    assert first.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(first.text))
    assert (row["itemId"], row["onHand"], row["placeholder"]) == (ITEM, "12345678901234566.125", "false")
    second = viewer.get(
        f"{STORE}/stock", params={"limit": 1, "after": first.headers["X-Next-Cursor"]}, headers=CSV
    )
    assert [row["itemId"] for row in csv.DictReader(io.StringIO(second.text))] == ["item-002"]
    assert "X-Next-Cursor" not in second.headers


def test_what_is_itself_a_list_stands_in_its_cell_as_json(viewer: HttpCaller) -> None:
    table = viewer.get("/api/v1/inventory/journals", params={"limit": 1}, headers=CSV).text
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["lines"].startswith('[{"account":')


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/csv", "text/html"])
def test_who_takes_json_gets_json(viewer: HttpCaller, accept: str) -> None:
    assert viewer.get(f"{STORE}/stock", headers={"Accept": accept}).json()["items"]


def test_an_error_keeps_its_shape(viewer: HttpCaller) -> None:
    missing = viewer.get("/api/v1/inventory/stores/STORE-99/stock", headers=CSV)
    assert (missing.status_code, missing.json()["errorCode"]) == (404, "STORE_NOT_FOUND")
    assert viewer.get(STORE, headers=CSV).json()["storeId"] == "STORE-01"


def test_a_table_has_a_column_for_every_field_of_any_row() -> None:
    rows: list[dict[str, Any]] = [{"a": Decimal("1E+2"), "b": None}, {"b": True, "c": 'say "no", twice'}]
    assert as_table(rows) == 'a,b,c\r\n100,,\r\n,true,"say ""no"", twice"\r\n'
    assert as_table([]) == ""
