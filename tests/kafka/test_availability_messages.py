"""What stores can promise, on Kafka: once an item and pass, as it stands, under an id that a restore gives again."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.relay import Relay
from sync_server.publishing.republish import publish_from, read_position
from sync_server.reservations.reserving import Wish, fulfil, release, reserve
from tests.kafka.posting_store import BY, NOON, PostingStore
from tests.kafka.topic_reader import Published, read_everything

ITEM = "item-001"


@pytest.fixture
def store(database: Database) -> PostingStore:
    """A store that has received 10 of item-001."""
    store = PostingStore(database)
    _receive(store, 10)
    return store


def _receive(store: PostingStore, quantity: int, item: str = ITEM) -> None:
    store.post({"type": "RECEIPT", "itemId": item, "quantity": quantity, "unitCost": "2.00"})


def _sell(store: PostingStore, quantity: int, item: str = ITEM) -> None:
    store.post({"type": "SALE", "itemId": item, "quantity": quantity, "amount": "5.00"})


def _told(broker: EmbeddedKafka) -> list[Published]:
    messages = read_everything(broker.bootstrap_servers)
    return [message for message in messages if message.topic == OutboxKind.AVAILABILITY.topic]


def _figures(messages: list[Published]) -> list[tuple[str, str, str, str]]:
    names = ("itemId", "available", "onHand", "reserved")
    return [
        tuple(str(message.payload[name]) for name in names)  # type: ignore[misc]
        for message in messages
    ]


def _catch_up(relay: Relay) -> None:
    while relay.run_once().advanced:
        pass


def test_an_item_is_told_once_a_pass_however_often_it_moved(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    for _ in range(4):
        _sell(store, 1)
    _receive(store, 3, "item-002")
    _catch_up(relay)
    assert sorted(_figures(_told(broker))) == [(ITEM, "6", "6", "0"), ("item-002", "3", "3", "0")]
    _sell(store, 2)
    _catch_up(relay)
    told = _told(broker)
    assert _figures(told)[-1] == (ITEM, "4", "4", "0")
    assert len(told) == 3
    assert {message.key for message in told} == {"STORE-01"}


def test_reserving_and_releasing_are_told_although_no_goods_moved(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore, database: Database
) -> None:
    """Of 10, 2 of them safety stock: 4 reserved leave 4; 1 of them shipped, still 4; the rest released, 7."""
    with database.unit_of_work() as work:
        work.connection.execute("UPDATE item SET safety_stock = 2 WHERE item_id = %s", [ITEM])
        wish = Wish(ITEM, Decimal(4), NOON + timedelta(days=1))
        reservation = reserve(work, store.store_no, wish, by=BY, now=NOON).reservation_id
    _catch_up(relay)
    with database.unit_of_work() as work:
        fulfil(work, ChartOfAccounts(), reservation, Decimal(1), by=BY, now=NOON)
    _catch_up(relay)
    with database.unit_of_work() as work:
        release(work, reservation, by=BY, reason=None, now=NOON)
    _catch_up(relay)
    assert _figures(_told(broker)) == [(ITEM, "4", "10", "4"), (ITEM, "4", "9", "3"), (ITEM, "7", "9", "0")]


def test_a_shortage_promises_nothing(relay: Relay, broker: EmbeddedKafka, store: PostingStore) -> None:
    _sell(store, 12)
    _catch_up(relay)
    assert _figures(_told(broker)) == [(ITEM, "0", "-2", "0")]


def test_sent_again_it_has_the_id_that_it_had(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore, database: Database
) -> None:
    _sell(store, 1)
    _catch_up(relay)
    publish_from(database, read_position("beginning"))
    _catch_up(relay)
    first, again = _told(broker)
    assert first.raw == again.raw


def test_parts_of_one_reservation_have_ids_of_their_own(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore, database: Database
) -> None:
    with database.unit_of_work() as work:
        wish = Wish(ITEM, Decimal(4), NOON + timedelta(days=1))
        reservation = reserve(work, store.store_no, wish, by=BY, now=NOON).reservation_id
    for _ in range(3):
        with database.unit_of_work() as work:
            fulfil(work, ChartOfAccounts(), reservation, Decimal(1), by=BY, now=NOON)
        _catch_up(relay)
    told = _told(broker)
    assert len({message.value["eventId"] for message in told}) == len(told) == 3


def test_a_store_that_drains_tells_of_each_item_as_it_stands_and_not_of_the_way(
    add_relay: Callable[[], Relay], broker: EmbeddedKafka, store: PostingStore
) -> None:
    """A backlog of several pages: the item is told with the last of them alone."""
    for _ in range(3):
        store.sell(lines=1500)
    relay = add_relay()
    passes = 0
    while relay.run_once().advanced:
        passes += 1
    assert passes > 1
    assert len(_told(broker)) == 1
