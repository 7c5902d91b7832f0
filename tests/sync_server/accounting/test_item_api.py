"""Items, mappings and imports over the API."""

from decimal import Decimal
from pathlib import Path

import pytest

from shared.wire_json import decode_json
from sync_server.commands.output import print_report
from sync_server.csv_import import CsvText
from sync_server.database import Database
from sync_server.inventory.item_import import import_items
from sync_server.people.roles import Role
from tests.builders import OPERATOR, build_person
from tests.http_caller import HttpCaller
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.sync_server.inventory.test_stock_api import pages
from tests.till_events import sale

API = "/api/v1/inventory"
ITEMS = "itemId,description,barcodes,unitOfMeasure,unitCost,price,safetyStock\n"


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01, where something unknown was sold."""
    ledger = StoreLedger(database)
    ledger.post(sale(2, item="mystery"))
    return ledger


@pytest.fixture
def ada(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """Somebody who looks after stores and items."""
    return http.as_caller(build_person(store.database, "ada", Role.STOCK_CONTROLLER, Role.ADMIN))


def test_an_item_is_added_and_changed_field_by_field(ada: HttpCaller) -> None:
    milk = {"description": "Milk", "unitCost": "0.333333333", "price": 0.99, "barcodes": ["4001", "4002"]}
    added = ada.order(f"{API}/items/milk", json=milk)
    assert added.status_code == 201, added.text
    changed = ada.order(f"{API}/items/milk", json={"price": "1.09"})
    item = decode_json(changed.content)
    assert (changed.status_code, item["price"]) == (200, Decimal("1.09"))
    assert (item["unitCost"], item["barcodes"]) == (Decimal("0.333333333"), ["4001", "4002"])
    assert decode_json(ada.get(f"{API}/items/milk").content) == item


def test_what_an_item_cannot_be_is_refused(ada: HttpCaller) -> None:
    refused = ada.order(f"{API}/items/milk", json={"description": "Milk", "price": -1})
    assert (refused.status_code, "price must not be negative" in refused.json()["message"]) == (422, True)
    assert ada.order(f"{API}/items/milk", json={"price": 1}).status_code == 422
    assert ada.get(f"{API}/items/milk").status_code == 404


def test_placeholders_are_listed_and_mapped(store: StoreLedger, ada: HttpCaller) -> None:
    ada.order(f"{API}/items/milk", json={"description": "Milk", "unitCost": 1})
    assert [row["itemId"] for row in pages(ada, f"{API}/items", placeholder=True, limit=1)] == ["mystery"]
    assert [row["itemId"] for row in pages(ada, f"{API}/items", placeholder=False)] == ["milk"]
    wish = {"to": "milk", "reason": "an old label"}
    mapped = ada.order(f"{API}/items/mystery/map", json=wish)
    assert (mapped.status_code, mapped.json()["mappedTo"]) == (200, "milk")
    store.post(sale(1, item="mystery"))
    assert store.stock("milk")[0] == "-1"
    assert ada.order(f"{API}/items/milk/map", json=wish).status_code == 409
    store.check()


def test_an_import_says_what_became_of_every_row(ada: HttpCaller) -> None:
    text = f"{ITEMS}milk,Milk,4001,EA,1.00,2.00,\n,nobody,,,,,\nham,Ham,4001,KG,,,\n"
    told = ada.order(f"{API}/imports/items", json={"csv": text}).json()
    assert (told["added"], told["refused"]) == (1, 2)
    assert [(row["line"], row["id"], row["outcome"]) for row in told["rows"]] == [
        (2, "milk", "ADDED"),
        (3, "", "REFUSED"),
        (4, "ham", "REFUSED"),
    ]
    assert "barcode 4001" in told["rows"][2]["reason"]
    again = ada.order(f"{API}/imports/items", json={"csv": f"{ITEMS}milk,Milk,4001,EA,1.00,2.00,\n"}).json()
    assert again["unchanged"] == 1


def test_stores_and_opening_stock_are_imported_too(store: StoreLedger, ada: HttpCaller) -> None:
    stores = "storeId,locationId,timezone\nSTORE-09,LOC-9,Europe/Berlin\nSTORE-10,LOC-10,Nowhere/At_All\n"
    told = ada.order(f"{API}/imports/stores", json={"csv": stores}).json()
    assert (told["added"], told["refused"]) == (1, 1)
    ada.order(f"{API}/items/milk", json={"description": "Milk"})
    stock = "storeId,itemId,quantity,unitCost\nSTORE-01,milk,10,1.50\nSTORE-09,milk,1,1\n"
    path = f"{API}/stores/STORE-01/imports/stock"
    told = ada.order(path, json={"csv": stock}).json()
    assert [row["outcome"] for row in told["rows"]] == ["ADDED", "REFUSED"]
    assert store.stock("milk") == ("10", "15")
    assert ada.order(path, json={"csv": stock}).json()["unchanged"] == 1
    store.check()


@pytest.mark.parametrize("text", ["", "itemId\n", "no such,header\n", 'itemId,description\n"open'])
def test_what_is_no_file_of_items_is_refused_whole(ada: HttpCaller, text: str) -> None:
    assert ada.order(f"{API}/imports/items", json={"csv": text}).status_code == 422


def test_who_may_only_read_imports_nothing(store: StoreLedger, http: HttpCaller) -> None:
    viewer = http.as_caller(build_person(store.database, "bob"))
    for path in ("imports/items", "imports/stores", "items/milk", "items/mystery/map"):
        assert viewer.order(f"{API}/{path}", json={"csv": "x"}).status_code == 403


def test_a_reports_file_names_every_row(tmp_path: Path, database: Database) -> None:
    with database.unit_of_work() as work:
        source = CsvText("items.csv", f"{ITEMS}milk,Milk,,,,,\nham,,,,,,\n")
        report = import_items(work, source, by=OPERATOR, now=START)
    assert print_report(report, as_json=False, file=tmp_path / "report.csv") == 1
    lines = (tmp_path / "report.csv").read_text().splitlines()
    assert lines == ["line,id,outcome,reason", "2,milk,ADDED,", "3,ham,REFUSED,description is required"]
