"""Availability over stores: what each can promise, how fresh that is, and whom a caller can demand."""

from datetime import datetime, timedelta
from typing import Any

from shared.clock import instant_text
from shared.event_batch import EventBatch, read_batch_document
from shared.wire_json import decode_json, encode_json
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database
from sync_server.ingestion.acceptance import accept_batch
from sync_server.stores.heartbeats import Heartbeat, record_heartbeat
from tests.builders import build_agent
from tests.set_clock import START
from tests.store_ledger import POSTED_AT, StoreLedger
from tests.sync_server.reservations.reserving_shop import AVAILABILITY, ReservingShop
from tests.till_events import ITEM, sale

HOUR = timedelta(hours=1)


def _heard(
    store: StoreLedger, at: datetime, *, backlog: int = 0, oldest: datetime | None = None, offset_ms: int = 0
) -> None:
    """A fresh agent of the store reports at an instant."""
    agent = build_agent(store.database, store.store_id)
    beat = Heartbeat(
        agent_version="0.1.0",
        stream_id=f"stream-{agent.device_id}",
        sent_at=at,
        timezone_data="2025b",
        clock_offset_ms=offset_ms,
        backlog_events=backlog,
        oldest_accepted_at=oldest,
        last_sequence=backlog,
        acknowledged_sequence=0,
        undeliverable=0,
        disk_free_bytes=1,
    )
    with store.database.unit_of_work() as work:
        (device_no,) = work.connection.execute(
            "SELECT device_no FROM device WHERE device_id = %s", [agent.device_id]
        ).fetchone() or (0,)
        record_heartbeat(work, store.store_no, device_no, beat, now=at)


def _rows(shop: ReservingShop, **asked: Any) -> list[dict[str, Any]]:
    response = shop.ada.get(AVAILABILITY, params={"itemId": ITEM, **asked})
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = decode_json(response.content)["items"]
    return rows


def _belief(shop: ReservingShop) -> tuple[str | None, int | None, str]:
    (row,) = _rows(shop, storeId="STORE-01")
    return row["asOf"], row["backlog"], row["confidence"]


def _others(database: Database, count: int) -> list[StoreLedger]:
    stores = [StoreLedger(database, f"STORE-{number:02}") for number in range(2, count + 2)]
    for store in stores:
        store.open_with({ITEM: ("3", "4.00")})
    return stores


def test_every_store_that_had_the_item_is_listed_page_by_page(shop: ReservingShop) -> None:
    _others(shop.store.database, 5)
    StoreLedger(shop.store.database, "STORE-EMPTY")
    shop.reserve(4)
    seen: list[tuple[str, str]] = []
    asked: dict[str, Any] = {"itemId": ITEM, "limit": 2}
    page = decode_json(shop.ada.get(AVAILABILITY, params=asked).content)
    while True:
        seen += [(row["storeId"], str(row["available"])) for row in page["items"]]
        if page["next"] is None:
            break
        page = decode_json(shop.ada.get(AVAILABILITY, params={**asked, "after": page["next"]}).content)
    assert seen == [("STORE-01", "6"), *[(f"STORE-{number:02}", "3") for number in range(2, 7)]]


def test_a_store_that_was_never_heard_of_is_unknown(shop: ReservingShop) -> None:
    assert _belief(shop) == (None, None, "UNKNOWN")


def test_an_agent_without_a_backlog_is_live_until_it_falls_silent(shop: ReservingShop) -> None:
    _heard(shop.store, START)
    assert _belief(shop) == (instant_text(START), 0, "LIVE")
    shop.clock.advance(timedelta(seconds=181))
    assert _belief(shop) == (instant_text(START), 0, "STALE")
    shop.clock.advance(timedelta(days=1))
    assert _belief(shop) == (instant_text(START), 0, "UNKNOWN")


def test_with_a_backlog_a_store_is_known_up_to_its_oldest_unsent_sale(shop: ReservingShop) -> None:
    """The agent reports just now, 40 sales wait, the oldest by its clock of 21:55, which is ten minutes slow."""
    _heard(shop.store, START, backlog=40, oldest=START - timedelta(minutes=70), offset_ms=600_000)
    assert _belief(shop) == (instant_text(START - HOUR), 40, "STALE")


def test_a_clock_that_is_ahead_makes_no_backlog_fresh(shop: ReservingShop) -> None:
    _heard(shop.store, START, backlog=1, oldest=START + HOUR)
    assert _belief(shop)[0] == instant_text(START)


def test_of_two_agents_the_one_that_is_behind_counts(shop: ReservingShop) -> None:
    _heard(shop.store, START)
    _heard(shop.store, START - HOUR, backlog=2, oldest=START - 2 * HOUR)
    assert _belief(shop) == (instant_text(START - 2 * HOUR), 2, "STALE")


def test_a_till_that_posts_straight_to_headquarters_is_known_at_its_last_batch(shop: ReservingShop) -> None:
    shop.store.post(sale(1), now=START - HOUR)
    shop.store.post(sale(1), now=START)
    shop.reserve(1)
    assert _belief(shop) == (instant_text(START), None, "LIVE")


def test_a_demanded_freshness_leaves_out_who_is_older(shop: ReservingShop) -> None:
    fresh, stale, _unknown = _others(shop.store.database, 3)
    _heard(fresh, START - timedelta(seconds=10))
    _heard(stale, START - HOUR)
    assert [row["storeId"] for row in _rows(shop, maxAgeSeconds=60)] == [fresh.store_id]
    assert [row["storeId"] for row in _rows(shop, maxAgeSeconds=7200)] == [fresh.store_id, stale.store_id]
    assert len(_rows(shop)) == 4


def test_a_reservation_can_demand_a_freshness(shop: ReservingShop) -> None:
    _heard(shop.store, START - HOUR)
    refused = shop.ask(1, maxAgeSeconds=60)
    assert refused.status_code == 409
    problem = decode_json(refused.content)
    assert problem["errorCode"] == "AVAILABILITY_STALE"
    assert problem["details"] == {"storeId": "STORE-01", "asOf": instant_text(START - HOUR), "backlog": 0}
    assert shop.ask(1, maxAgeSeconds=3600).status_code == 201


def test_an_unknown_item_or_store_is_not_found(shop: ReservingShop) -> None:
    assert shop.ada.get(AVAILABILITY, params={"itemId": "nothing"}).status_code == 404
    assert shop.ada.get(AVAILABILITY, params={"itemId": ITEM, "storeId": "STORE-99"}).status_code == 404
    assert shop.ada.get(AVAILABILITY).status_code == 422


def test_selling_touches_no_index_of_stock(shop: ReservingShop) -> None:
    """Availability has an index of its own; each sale's update of stock stays on its page all the same (HOT)."""
    document = {"batchId": "b", "postedAt": POSTED_AT, "events": [sale(1), sale(2)]}
    batch = read_batch_document(encode_json(document), 10)
    assert isinstance(batch, EventBatch)
    store = shop.store
    with store.database.unit_of_work() as work:
        accept_batch(work, ChartOfAccounts(), store.caller(agent=False), store.store_no, batch, START)
        updated = work.connection.execute(
            """SELECT pg_stat_get_xact_tuples_updated('store_stock'::regclass),
                      pg_stat_get_xact_tuples_hot_updated('store_stock'::regclass)"""
        ).fetchone()
    assert updated == (1, 1)
