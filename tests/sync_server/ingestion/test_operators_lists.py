"""Batches, held events and store-days as operators list them."""

from decimal import Decimal

import pytest

from shared.wire_json import decode_json
from sync_server.database import Database
from tests.agent_stream import AgentStream
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.sync_server.inventory.test_stock_api import pages
from tests.till_events import ITEM, sale

API = "/api/v1/inventory"
STORE = f"{API}/stores/STORE-01"


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01 with plenty of item-001."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("100", "4.00")})
    return ledger


@pytest.fixture
def viewer(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """Somebody who may read."""
    return http.as_caller(build_person(store.database, "ada"))


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_batches_come_last_received_first(store: StoreLedger, viewer: HttpCaller, limit: int) -> None:
    for number in range(5):
        store.post(sale(1), batch_id=f"b-{number}")
    rows = pages(viewer, f"{STORE}/batches", limit=limit)
    assert [row["batchId"] for row in rows] == ["b-4", "b-3", "b-2", "b-1", "b-0"]
    assert {row["storeId"] for row in rows} == {"STORE-01"}


def test_a_batch_shows_what_it_posted_and_what_was_held(store: StoreLedger, viewer: HttpCaller) -> None:
    store.post(sale(1, eventId="e-1"))
    store.post(sale(2, "20.00", eventId="e-2"), sale(9, eventId="e-1"), batch_id="a/b c")
    batch = decode_json(viewer.get(f"{STORE}/batches/a/b c").content)
    assert (batch["batchId"], batch["accepted"], batch["held"]) == ("a/b c", 1, 1)
    (event,) = batch["events"]
    assert (event["eventId"], event["type"], event["itemId"], event["quantity"]) == ("e-2", "SALE", ITEM, 2)
    assert (event["amount"], event["cost"]) == (Decimal("20.00"), 8)
    (held,) = batch["heldEvents"]
    assert held["reason"] == "EVENT_ID_REUSED"
    assert viewer.get(f"{STORE}/batches/none").status_code == 404


def test_held_events_show_what_the_till_said_to_the_letter(store: StoreLedger, viewer: HttpCaller) -> None:
    store.post(sale(1, eventId="e-1"))
    store.post(sale(9, "12345678901234567.89", eventId="e-1", extra={"a": [None, 1]}))
    store.post(sale(8, eventId="e-1"))
    first, second = pages(viewer, f"{API}/held-events", limit=1, storeId="STORE-01")
    assert (first["reason"], first["status"], first["storeId"]) == ("EVENT_ID_REUSED", "HELD", "STORE-01")
    assert first["raw"]["amount"] == "12345678901234567.89"
    assert first["raw"]["extra"] == {"a": [None, 1]}
    one = decode_json(viewer.get(f"{API}/held-events/{second['heldEventId']}").content)
    assert one == second
    assert viewer.get(f"{API}/held-events/999").status_code == 404
    assert pages(viewer, f"{API}/held-events", status="DISCARDED") == []
    assert pages(viewer, f"{API}/held-events", reason="REFUSED") == []


@pytest.mark.parametrize("limit", [1, 100])
def test_days_say_what_is_proven_and_what_is_missing(
    store: StoreLedger, viewer: HttpCaller, limit: int
) -> None:
    stream = AgentStream()
    store.post(sale(1, occurredAt="2026-02-07T12:00:00Z"))
    store.post(*stream.groups(sale(1, occurredAt="2026-02-08T12:00:00Z")), stream=stream)
    stream.skip()
    store.post(*stream.groups(*[sale(1, occurredAt="2026-02-09T12:00:00Z")] * 2), stream=stream)
    with store.database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO store_day (store_no, business_date, stream_no, state, digest, events, compared_at) "
            "SELECT store_no, '2026-02-08', stream_no, 'PROVEN', '', 1, %s FROM stream",
            [START],
        )
    ninth, eighth, seventh = pages(viewer, f"{STORE}/days", limit=limit)
    assert (ninth["businessDate"], ninth["state"], ninth["events"]) == ("2026-02-09", "OPEN", 2)
    assert (eighth["businessDate"], eighth["state"], eighth["events"]) == ("2026-02-08", "PROVEN", 1)
    assert ninth["gaps"] == eighth["gaps"] == [[2, 2]]
    assert (seventh["businessDate"], seventh["directEvents"], seventh["gaps"]) == ("2026-02-07", 1, [])
    assert seventh["streams"] == []


def test_a_day_of_which_one_stream_differs_differs(store: StoreLedger, viewer: HttpCaller) -> None:
    for name in ("s-1", "s-2"):
        stream = AgentStream(name)
        store.post(*stream.groups(sale(1, occurredAt="2026-02-08T12:00:00Z")), stream=stream)
    with store.database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO store_day (store_no, business_date, stream_no, state, digest, events, compared_at) "
            "SELECT store_no, '2026-02-08', stream_no, CASE stream_id WHEN 's-1' THEN 'PROVEN' ELSE 'DIFFERS' END, "
            "'', 1, %s FROM stream",
            [START],
        )
    (day,) = pages(viewer, f"{STORE}/days")
    assert day["state"] == "DIFFERS"
    assert {each["streamId"]: each["state"] for each in day["streams"]} == {"s-1": "PROVEN", "s-2": "DIFFERS"}
