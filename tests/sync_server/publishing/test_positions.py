"""Where publishing begins again: how a position is written, and which marks it moves back."""

from datetime import UTC, datetime, timedelta

import pytest

from sync_server.database import Database
from sync_server.publishing.errors import PositionInvalid
from sync_server.publishing.page import Mark
from sync_server.publishing.progress import advance
from sync_server.publishing.republish import StorePosition, publish_from, read_position
from tests.kafka.posting_store import NOON, PostingStore, sale_event


@pytest.fixture
def published(database: Database) -> list[PostingStore]:
    """Two stores that have posted a sale an hour, three times, all of it published."""
    stores = [PostingStore(database, store_id) for store_id in ("STORE-01", "STORE-02")]
    for store in stores:
        for hour in range(3):
            store.post(sale_event(f"E-{hour}"), now=NOON + timedelta(hours=hour))
        with database.unit_of_work() as work:
            advance(work, [Mark(store.store_no, 0, store.last_sequence())])
    return stores


def test_a_position_is_the_beginning_an_instant_or_a_place_in_a_store() -> None:
    assert read_position("beginning") is None
    assert read_position("2026-02-10T23:00:00Z") == datetime(2026, 2, 10, 23, tzinfo=UTC)
    assert read_position("STORE-01:1201") == StorePosition("STORE-01", 1201)


@pytest.mark.parametrize(
    "text", ["", "now", "STORE-01", "STORE-01:", ":5", "STORE-01:-1", "2026-02-10T23:00:00", "2026-02-10"]
)
def test_anything_else_is_refused_with_what_to_give(text: str) -> None:
    with pytest.raises(PositionInvalid, match="Give `beginning`, an instant with an offset such as"):
        read_position(text)


def test_from_the_beginning_every_store_is_told_again(
    database: Database, published: list[PostingStore]
) -> None:
    again = publish_from(database, None)
    assert (again.stores, again.messages) == (2, 2 * 3 * 2)
    assert [store.published_sequence() for store in published] == [0, 0]


def test_from_a_place_one_store_is_told_again_and_that_place_included(
    database: Database, published: list[PostingStore]
) -> None:
    again = publish_from(database, StorePosition("STORE-02", 3))
    assert (again.stores, again.messages) == (1, 4)
    assert [store.published_sequence() for store in published] == [6, 2]


def test_from_an_instant_what_was_posted_since_is_told_again(
    database: Database, published: list[PostingStore]
) -> None:
    again = publish_from(database, NOON + timedelta(hours=1))
    assert (again.stores, again.messages) == (2, 8)
    assert [store.published_sequence() for store in published] == [2, 2]


def test_a_mark_is_never_moved_on(database: Database, published: list[PostingStore]) -> None:
    publish_from(database, StorePosition("STORE-01", 3))
    again = publish_from(database, StorePosition("STORE-01", 5))
    assert (again.stores, again.messages) == (0, 0)
    assert published[0].published_sequence() == 2


def test_a_mark_that_was_moved_back_meanwhile_is_not_moved_on_by_the_relay(
    database: Database, published: list[PostingStore]
) -> None:
    publish_from(database, None)
    with database.unit_of_work() as work:
        advance(work, [Mark(published[0].store_no, 6, 9)])
    assert published[0].published_sequence() == 0


def test_an_unknown_store_is_refused(database: Database) -> None:
    with pytest.raises(PositionInvalid, match="There is no store NOWHERE"):
        publish_from(database, StorePosition("NOWHERE", 1))
