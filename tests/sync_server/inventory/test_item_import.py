"""The item master from a file: what a row may say, what became of each, and what agents hear of it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sync_server.csv_import import ImportReport, RowOutcome
from sync_server.database import Database
from sync_server.inventory.item_import import import_items
from sync_server.inventory.items import MasterItem, read_item
from tests.builders import OPERATOR, build_agent, build_store
from tests.http_caller import HttpCaller
from tests.set_clock import START

HEADER = "itemId,description,barcodes,unitOfMeasure,unitCost,price,safetyStock\n"


def _import(database: Database, folder: Path, text: str, header: str = HEADER) -> ImportReport:
    file = folder / "items.csv"
    file.write_text(header + text, encoding="utf-8")
    with database.unit_of_work() as work:
        return import_items(work, file, by=OPERATOR, now=START)


def _outcomes(report: ImportReport) -> dict[str, RowOutcome]:
    return {row.subject: row.outcome for row in report.rows}


def _items(database: Database) -> list[tuple[Any, ...]]:
    with database.reading() as work:
        return work.connection.execute(
            "SELECT item_id, description, unit_of_measure, unit_cost, price, safety_stock, placeholder, "
            "array(SELECT barcode FROM item_barcode b WHERE b.item_no = i.item_no ORDER BY 1) "
            "FROM item i ORDER BY item_id"
        ).fetchall()


def test_items_are_added_with_exact_numbers_and_several_barcodes(database: Database, tmp_path: Path) -> None:
    report = _import(
        database,
        tmp_path,
        'milk,"Milk, 1 l",4001 4002;4003,EA,0.333333333,0.99,12\nham,Ham,,KG,12345678901234567.89,,\n',
    )
    assert report.counts == {"added": 2, "changed": 0, "unchanged": 0, "refused": 0}
    assert _items(database) == [
        ("ham", "Ham", "KG", Decimal("12345678901234567.89"), None, Decimal(0), False, []),
        (
            "milk",
            "Milk, 1 l",
            "EA",
            Decimal("0.333333333"),
            Decimal("0.99"),
            Decimal(12),
            False,
            ["4001", "4002", "4003"],
        ),
    ]


def test_a_file_imported_twice_changes_nothing(database: Database, tmp_path: Path) -> None:
    text = "milk,Milk,4002 4001,EA,0.33,0.990,12\n"
    _import(database, tmp_path, text)
    assert _import(database, tmp_path, text).counts["unchanged"] == 1
    with database.reading() as work:
        entries = work.connection.execute(
            "SELECT count(*) FROM audit_entry WHERE action = 'items.imported'"
        ).fetchone()
    assert entries == (1,)


def test_a_row_makes_the_item_as_it_says_and_a_missing_column_leaves_it(
    database: Database, tmp_path: Path
) -> None:
    _import(database, tmp_path, "milk,Milk,4001,EA,0.33,0.99,12\n")
    _import(database, tmp_path, "milk,Fresh milk,\n", "itemId,description,price\n")
    assert _items(database) == [
        ("milk", "Fresh milk", "EA", Decimal("0.33"), None, Decimal(12), False, ["4001"])
    ]


def test_a_placeholder_is_completed(database: Database, tmp_path: Path) -> None:
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO item (item_id, description, unit_of_measure, placeholder) VALUES ('milk', '?', 'EA', true)"
        )
    assert _outcomes(_import(database, tmp_path, "milk,?,,,,,\n")) == {"milk": RowOutcome.CHANGED}
    assert [row[6] for row in _items(database)] == [False]


def test_rows_that_cannot_be_used_are_named_and_hold_up_nobody(database: Database, tmp_path: Path) -> None:
    _import(database, tmp_path, "old,Old,4009,,,,\n")
    report = _import(
        database,
        tmp_path,
        "good,Good,4001,,,,\n"
        ",Nameless,,,,,\n"
        "cheap,Cheap,,,-1,1e400,x\n"
        "good,Good again,,,,,\n"
        "thief,Thief,4001,,,,\n"
        "robber,Robber,4009,,,,\n",
    )
    reasons = {row.line: (row.outcome.value, row.reason) for row in report.rows}
    assert reasons[2] == ("ADDED", "")
    assert reasons[3][0] == "REFUSED"
    assert "itemId" in reasons[3][1]
    assert "unitCost must not be negative; price" in reasons[4][1]
    assert "safetyStock must be a decimal number" in reasons[4][1]
    assert reasons[5] == ("REFUSED", "line 2 states the same item")
    assert reasons[6] == ("REFUSED", "barcode 4001 stands on line 2 already")
    assert reasons[7] == ("REFUSED", "barcode 4009 belongs to item old")


def test_a_barcode_moves_when_the_file_takes_it_from_the_other_item(
    database: Database, tmp_path: Path
) -> None:
    _import(database, tmp_path, "a,A,4001,,,,\nb,B,,,,,\n")
    report = _import(database, tmp_path, "b,B,4001,,,,\na,A,4002,,,,\n")
    assert _outcomes(report) == {"a": RowOutcome.CHANGED, "b": RowOutcome.CHANGED}
    assert [(row[0], row[7]) for row in _items(database)] == [("a", ["4002"]), ("b", ["4001"])]


def test_an_empty_cell_takes_away_and_a_missing_one_does_not() -> None:
    before = MasterItem(item_id="a", description="A", price=Decimal(5), barcodes=("1",))
    kept = read_item({"itemId": "a"}, before)
    assert kept == before
    emptied = read_item({"itemId": "a", "price": "", "barcodes": ""}, before)
    assert emptied == MasterItem(item_id="a", description="A")


def _profile(http: HttpCaller, key: str, **query: Any) -> dict[str, Any]:
    path = "/api/v1/inventory/stores/STORE-01/profile"
    answer: dict[str, Any] = http.as_caller(key).get(path, params=query).json()
    return answer


def test_an_agent_pages_through_barcodes_and_hears_later_of_what_changed(
    database: Database, http: HttpCaller, tmp_path: Path
) -> None:
    build_store(database)
    agent = build_agent(database)
    _import(database, tmp_path, "a,A,1,,,,\nb,B,2 3,,,,\nc,C,,,,,\nd,D,4,,,,\n")
    first = _profile(http, agent.credential, limit=2)
    second = _profile(http, agent.credential, limit=2, after=first["next"])
    assert first["items"] == [{"itemId": "a", "barcodes": ["1"]}, {"itemId": "b", "barcodes": ["2", "3"]}]
    assert second["items"] == [{"itemId": "d", "barcodes": ["4"]}], "an item without barcodes is no news"
    assert second["next"] is None
    assert _profile(http, agent.credential, after=second["position"])["items"] == []
    _import(database, tmp_path, "a,A renamed,1,,,,\nb,B,3,,,,\nd,D,,,,,\n")
    news = _profile(http, agent.credential, after=second["position"])
    assert news["items"] == [{"itemId": "b", "barcodes": ["3"]}, {"itemId": "d", "barcodes": []}]


@pytest.mark.parametrize(
    "after", ["W10", "WzFd", "WyJhIiwiYiJd", "WzEsMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDBd", "MQ"]
)
def test_another_lists_cursor_is_refused(database: Database, http: HttpCaller, after: str) -> None:
    build_store(database)
    path = "/api/v1/inventory/stores/STORE-01/profile"
    caller = http.as_caller(build_agent(database).credential)
    assert caller.get(path, params={"after": after}).status_code == 422
