"""`GET …/stock` and `…/movements`: the store's stock and how it came there, page by page."""

from decimal import Decimal
from typing import Any

import pytest

from shared.wire_json import decode_json
from sync_server.database import Database
from sync_server.inventory.stock_lists import HISTORY
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, receipt, sale

STORE = "/api/v1/inventory/stores/STORE-01"


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01 after a few days: 10 pieces at 4.00, two sold, one more each day."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00"), "item-002": ("5", "2.50")})
    ledger.post(sale(2, "20.00", eventId="s-1", occurredAt="2026-02-08T12:00:00Z"))
    ledger.post(sale(1, "10.00", eventId="s-2", occurredAt="2026-02-09T12:00:00Z"))
    ledger.post(receipt(3, "5.00", eventId="r-1", occurredAt="2026-02-09T13:00:00Z"))
    ledger.post(sale(9, "9.00", item="item-002", occurredAt="2026-02-10T12:00:00Z"))
    return ledger


@pytest.fixture
def viewer(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """Somebody who may read."""
    return http.as_caller(build_person(store.database, "ada"))


def pages(caller: HttpCaller, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        response = caller.get(path, params={**query, **({"after": after} if after else {})})
        assert response.status_code == 200, response.text
        page = decode_json(response.content)
        rows += page["items"]
        after = page["next"]
        if after is None:
            return rows


def test_stock_says_what_is_there_what_is_free_and_what_it_costs(
    store: StoreLedger, viewer: HttpCaller
) -> None:
    first, second = pages(viewer, f"{STORE}/stock", limit=1)
    assert {name: first[name] for name in ("storeId", "itemId", "onHand", "reserved", "inTransit")} == {
        "storeId": "STORE-01",
        "itemId": ITEM,
        "onHand": 10,
        "reserved": 0,
        "inTransit": 0,
    }
    # 10 at 4.00, 3 sold: 28.00 for 7; 3 more at 5.00: 43.00 for 10.
    assert (first["available"], first["averageCost"], first["value"]) == (10, Decimal("4.3"), 43)
    # 5 at 2.50, 9 sold: 4 short at the frozen cost.
    assert (second["onHand"], second["available"], second["averageCost"]) == (-4, 0, Decimal("2.5"))
    store.check()


def test_stock_is_filtered(viewer: HttpCaller) -> None:
    assert [row["itemId"] for row in pages(viewer, f"{STORE}/stock", negative=True)] == ["item-002"]
    assert [row["itemId"] for row in pages(viewer, f"{STORE}/stock", itemId=[ITEM, "x"])] == [ITEM]
    assert pages(viewer, f"{STORE}/stock", itemId="unheard-of") == []


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_an_items_history_is_walked_from_its_last_movement_to_its_first(
    viewer: HttpCaller, limit: int
) -> None:
    rows = pages(viewer, f"{STORE}/movements", itemId=ITEM, limit=limit)
    assert [(row["type"], row["quantity"], row["onHandAfter"], row["eventId"]) for row in rows] == [
        ("RECEIPT", 3, 10, "r-1"),
        ("SALE", -1, 7, "s-2"),
        ("SALE", -2, 8, "s-1"),
        ("OPENING_STOCK", 10, 10, None),
    ]
    assert {row["itemId"] for row in rows} == {ITEM}
    assert rows[2]["journalId"].startswith("STORE-01-")


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize(
    ("dates", "events"),
    [
        ({"from": "2026-02-09", "to": "2026-02-09"}, ["r-1", "s-2"]),
        ({"to": "2026-02-08"}, ["s-1"]),
        ({"from": "2026-03-01"}, []),
    ],
)
def test_movements_are_filtered_by_business_date(
    viewer: HttpCaller, limit: int, dates: dict[str, str], events: list[str]
) -> None:
    for item in ({}, {"itemId": ITEM}):
        rows = pages(viewer, f"{STORE}/movements", limit=limit, **dates, **item)
        assert [row["eventId"] for row in rows] == events


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_all_movements_come_newest_first(store: StoreLedger, viewer: HttpCaller, limit: int) -> None:
    rows = pages(viewer, f"{STORE}/movements", limit=limit)
    numbers = [row["storeSequence"] for row in rows]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == store.count("SELECT count(*) FROM stock_movement")


def test_an_items_history_is_never_scanned_for_whatever_statistics_say(store: StoreLedger) -> None:
    facts = {"store_no": store.store_no, "item_no": 1, "start": 9, "steps": 100, "first": None, "last": None}
    with store.database.reading() as work:
        plan = "\n".join(row[0] for row in work.connection.execute(f"EXPLAIN {HISTORY}".encode(), facts))
    recursive = plan.partition("Recursive Union")[2].partition("Scan on chain")[0]
    assert "Index Scan using pk_stock_movement" in recursive
    assert "Seq Scan on stock_movement" not in plan


def test_a_page_stays_what_it_was_while_the_store_goes_on(store: StoreLedger, viewer: HttpCaller) -> None:
    first = viewer.get(f"{STORE}/movements", params={"limit": 2}).json()
    then = viewer.get(f"{STORE}/movements", params={"limit": 2, "after": first["next"]}).json()
    store.post(sale(1))
    assert viewer.get(f"{STORE}/movements", params={"limit": 2, "after": first["next"]}).json() == then


def test_an_item_that_never_moved_has_no_history(viewer: HttpCaller) -> None:
    assert pages(viewer, f"{STORE}/movements", itemId="unheard-of") == []
    assert viewer.get(f"{STORE}/movements", params={"from": "yesterday"}).status_code == 422
    assert viewer.get(f"{STORE}/movements", params={"after": "forged"}).status_code == 422
