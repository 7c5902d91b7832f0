"""Shrinkage and variance, checked by hand: what two stores lost in two months, against what they sold."""

import csv
import io
from typing import Any

import pytest

from shared.wire_json import decode_json
from sync_server.database import Database
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_counts import StoreCounts, at
from tests.store_ledger import StoreLedger
from tests.till_events import adjusted, receipt, sale

API = "/api/v1/inventory/reports"
JANUARY = "2026-01-20T10:00:00Z"


@pytest.fixture
def reader(database: Database, http: HttpCaller) -> HttpCaller:
    """Reads the reports of two stores.

    STORE-01 in February: sold 2 apples for 20.00 and one late for 10.00; 6 counted where the books had 8, of which the
    late sale was one; 1 pear broken. In January: 1 apple stolen. STORE-02: 25.00 missing, nobody knows of what.
    """
    one, two = StoreLedger(database), StoreLedger(database, "STORE-02")
    one.post(
        receipt(11, "4.00", "apple", occurredAt=JANUARY),
        adjusted(-1, "apple", "THEFT", occurredAt=JANUARY),
        receipt(10, "5.00", "pear", occurredAt=at(6)),
        sale(2, "20.00", "apple", occurredAt=at(9)),
    )
    counts = StoreCounts(one)
    counts.settle(counts.count({"apple": "6", "pear": "10"}))
    one.post(sale(1, "10.00", "apple", occurredAt=at(10)), adjusted(-1, "pear", "DAMAGE", occurredAt=at(15)))
    other = StoreCounts(two)
    other.settle(other.money("-25.00"))
    return http.as_caller(build_person(database, "vera", Role.VIEWER))


def _rows(reader: HttpCaller, report: str, **query: Any) -> list[tuple[Any, ...]]:
    response = reader.get(f"{API}/{report}", params=query)
    assert response.status_code == 200, response.text
    return [
        (
            *(row[name] for name in ("storeId", "itemId", "reason", "period") if row[name] is not None),
            *(str(row[name]) for name in ("quantity", "value", "sales", "rate")),
        )
        for row in decode_json(response.content)["items"]
    ]


def test_shrinkage_by_store_and_reason(reader: HttpCaller) -> None:
    assert _rows(reader, "shrinkage") == [
        ("STORE-01", "DAMAGE", "-1", "-5.00", "30.00", "-0.166667"),
        ("STORE-01", "LATE_EVENT", "1", "4.00", "30.00", "0.133333"),
        ("STORE-01", "SHRINKAGE", "-2", "-8.00", "30.00", "-0.266667"),
        ("STORE-01", "THEFT", "-1", "-4.00", "30.00", "-0.133333"),
        ("STORE-02", "SHRINKAGE", "0", "-25.00", "0", "None"),
    ]


def test_shrinkage_by_item_against_the_sales_of_the_item(reader: HttpCaller) -> None:
    assert _rows(reader, "shrinkage", groupBy="item", storeId="STORE-01") == [
        ("apple", "-2", "-8.00", "30.00", "-0.266667"),
        ("pear", "-1", "-5.00", "0", "None"),
    ]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (
            "day",
            [("2026-01-20", "-1", "-4.00", "0", "None"), ("2026-02-10", "-2", "-9.00", "30.00", "-0.300000")],
        ),
        (
            "week",
            [("2026-W04", "-1", "-4.00", "0", "None"), ("2026-W07", "-2", "-9.00", "30.00", "-0.300000")],
        ),
        (
            "month",
            [("2026-01", "-1", "-4.00", "0", "None"), ("2026-02", "-2", "-9.00", "30.00", "-0.300000")],
        ),
    ],
)
def test_shrinkage_by_day_week_and_month(
    reader: HttpCaller, period: str, expected: list[tuple[str, ...]]
) -> None:
    assert _rows(reader, "shrinkage", groupBy=period, storeId="STORE-01") == expected


def test_a_report_of_some_days_leaves_the_others_out(reader: HttpCaller) -> None:
    query = {"from": "2026-02-01", "to": "2026-02-28"}
    assert _rows(reader, "shrinkage", groupBy="store", **query) == [
        ("STORE-01", "-2", "-9.00", "30.00", "-0.300000"),
        ("STORE-02", "0", "-25.00", "0", "None"),
    ]


def test_variance_is_what_counts_found_with_what_came_late_taken_out(reader: HttpCaller) -> None:
    assert _rows(reader, "variance") == [
        ("STORE-01", "apple", "-1", "-4.00", "30.00", "-0.133333"),
        ("STORE-01", "pear", "0", "0", "0", "None"),
    ]


@pytest.mark.parametrize("ask", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_a_report_comes_as_csv(reader: HttpCaller, ask: dict[str, Any]) -> None:
    response = reader.get(f"{API}/variance", **ask)
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert rows[0] == {
        "storeId": "STORE-01", "itemId": "apple", "currency": "USD", "quantity": "-1", "value": "-4.00",
        "sales": "30.00", "rate": "-0.133333",
    }  # fmt: skip


@pytest.mark.parametrize("group_by", ["", "colour", "store,store", "day,week"])
def test_a_grouping_that_makes_no_sense_is_refused(reader: HttpCaller, group_by: str) -> None:
    response = reader.get(f"{API}/shrinkage", params={"groupBy": group_by})
    assert response.status_code == 422
    assert [each["field"] for each in response.json()["details"]["violations"]] == ["groupBy"]
