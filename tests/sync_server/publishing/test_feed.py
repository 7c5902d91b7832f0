"""`GET /events`: everything that is told, once, in an order that never changes, without any Kafka."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.wire_json import decode_json
from sync_server.database import Database
from sync_server.publishing.feed import give_positions, read_feed
from sync_server.publishing.outbox import read_entries
from sync_server.publishing.page import PublishedStore, Span, render
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, receipt, sale, void

EVENTS = "/api/v1/inventory/events"


@pytest.fixture
def stores(database: Database) -> list[StoreLedger]:
    """Two stores that sold something."""
    found = [StoreLedger(database, name) for name in ("STORE-01", "STORE-02")]
    for store in found:
        store.open_with({ITEM: ("10", "4.00")})
        store.post(sale(1, "12345678901234567.89", eventId="s-1"), receipt(2), sale(1, eventId="s-2"))
        store.post(void("s-2"))
    return found


@pytest.fixture
def viewer(stores: list[StoreLedger], http: HttpCaller) -> HttpCaller:
    """Somebody who may read."""
    return http.as_caller(build_person(stores[0].database, "ada"))


def _read(caller: HttpCaller, limit: int, after: str | None = None) -> tuple[list[dict[str, Any]], str]:
    rows: list[dict[str, Any]] = []
    while True:
        response = caller.get(EVENTS, params={"limit": limit, **({"after": after} if after else {})})
        assert response.status_code == 200, response.text
        page = decode_json(response.content)
        rows += page["items"]
        after = page["position"]
        if page["next"] is None:
            return rows, str(after)


def _told(store: StoreLedger) -> list[Any]:
    """What the relay would send of a store."""
    last = store.count("SELECT last_sequence FROM store WHERE store_no = %(store_no)s")
    span = Span(PublishedStore(store.store_no, store.store_id, "USD"), 1, last)
    with store.database.reading() as work:
        messages = [render(entry) for entry in read_entries(work, [span])]
    return [decode_json(message.value) for message in messages if message is not None]


@pytest.mark.parametrize("limit", [1, 3, 500])
def test_the_feed_tells_what_kafka_is_told_each_store_in_its_order(
    stores: list[StoreLedger], viewer: HttpCaller, limit: int
) -> None:
    rows, _ = _read(viewer, limit)
    positions = [row["position"] for row in rows]
    assert positions == sorted(set(positions))
    for store in stores:
        told = [row["event"] for row in rows if row["key"] == store.store_id]
        assert told == _told(store)
        assert len(told) > 5


def test_what_comes_later_stands_behind_what_was_seen(stores: list[StoreLedger], viewer: HttpCaller) -> None:
    before, position = _read(viewer, 2)
    stores[1].post(sale(1))
    stores[0].post(sale(1))
    later, _ = _read(viewer, 2, after=position)
    assert {row["event"]["eventType"] for row in later} == {"POSSalePostedEvent", "GLJournalPostedEvent"}
    assert min(row["position"] for row in later) > max(row["position"] for row in before)
    again, _ = _read(viewer, 500)
    assert again == before + later
    assert _read(viewer, 2, after=str(again[-1]["position"]))[0] == []


def test_readers_at_once_give_each_position_once(stores: list[StoreLedger], database: Database) -> None:
    def give(_: int) -> None:
        with database.unit_of_work() as work:
            give_positions(work)

    for _ in range(5):
        stores[0].post(sale(1))
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(give, range(4)))
    assert stores[0].count(
        "SELECT sum(last_position - first_position + 1) FROM feed_span WHERE store_no = %(store_no)s"
    ) == stores[0].count("SELECT last_sequence FROM store WHERE store_no = %(store_no)s")
    spans = stores[0].rows("SELECT first_position, last_position FROM feed_span ORDER BY first_position")
    assert [span[0] for span in spans[1:]] == [span[1] + 1 for span in spans[:-1]]


def test_a_reader_that_missed_what_was_pruned_is_told(stores: list[StoreLedger], viewer: HttpCaller) -> None:
    rows, _ = _read(viewer, 500)
    with stores[0].database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO relay_progress (store_no, published_sequence, pruned_sequence) VALUES (%s, 3, 3)",
            [stores[0].store_no],
        )
        work.connection.execute(
            "DELETE FROM outbox WHERE store_no = %s AND store_sequence <= 3", [stores[0].store_no]
        )
    late = viewer.get(EVENTS, params={"after": str(rows[0]["position"])})
    assert (late.status_code, late.json()["errorCode"]) == (409, "CONFLICT")
    rest, _ = _read(viewer, 500)
    assert 0 < len(rest) < len(rows)


@pytest.mark.parametrize("after", ["x", "-1", "1" * 19])
def test_what_is_no_position_is_refused(viewer: HttpCaller, after: str) -> None:
    assert viewer.get(EVENTS, params={"after": after}).status_code == 422


def test_a_store_that_was_pruned_before_anybody_read_begins_behind_it(
    stores: list[StoreLedger], database: Database
) -> None:
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO relay_progress (store_no, published_sequence, pruned_sequence) VALUES (%s, 3, 3)",
            [stores[0].store_no],
        )
        give_positions(work)
        assert read_feed(work, 0, 500).messages
    assert stores[0].count("SELECT first_sequence FROM feed_span WHERE store_no = %(store_no)s") == 4
