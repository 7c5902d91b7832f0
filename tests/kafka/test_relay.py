"""The relay on a healthy broker: every outbox row once, in order, under its ids, and nothing else."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from shared.clock import SystemClock
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.messages import event_id
from sync_server.publishing.relay import Relay
from sync_server.publishing.relay_metrics import RelayMetrics
from sync_server.publishing.topics import partitions_by_topic
from tests.kafka.posting_store import PostingStore, sale_event
from tests.kafka.topic_reader import Published, assert_in_order, read_published
from tests.store_ledger import assert_whole

SALES, RETURNS = "inventory.pos.pos-sale.posted", "inventory.pos.pos-return.posted"
VOIDS, JOURNALS = "inventory.pos.pos-void.posted", "inventory.pos.gl-journal.posted"


class PostingGivenUp(Exception):
    """What makes a test's posting roll back."""


def publish_all(relay: Relay) -> int:
    """Runs the relay until it has nothing more to tell; the number of messages."""
    published = 0
    while (done := relay.run_once()).advanced:
        published += done.published
    return published


def outbox_rows(database: Database) -> list[tuple[str, int]]:
    """(store id, store sequence) of every outbox row."""
    with database.reading() as work:
        return work.connection.execute(
            "SELECT store_id, store_sequence FROM outbox JOIN store USING (store_no) ORDER BY 1, 2"
        ).fetchall()


def by_topic(messages: list[Published], topic: str) -> list[Published]:
    """Those of one topic."""
    return [message for message in messages if message.topic == topic]


def test_every_outbox_row_is_published_once(
    database: Database, relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    for _ in range(5):
        store.sell(lines=4)
    published = publish_all(relay)

    messages = read_published(broker.bootstrap_servers)
    assert len(messages) == 5 * (4 + 1)
    assert published == len(messages) + 1  # and what can be promised now
    assert sorted((message.key, message.sequence) for message in messages) == outbox_rows(database)
    assert len({message.value["eventId"] for message in messages}) == len(messages)
    assert store.published_sequence() == store.last_sequence()


def test_the_topics_have_six_partitions_before_the_first_message(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.sell()
    publish_all(relay)
    partitions = partitions_by_topic(AdminClient({"bootstrap.servers": broker.bootstrap_servers}), 5)
    assert Counter(partitions.values()) == {6: 7}


def test_a_sale_carries_the_specs_fields_and_exact_decimals(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.post(
        sale_event(
            "E-1",
            saleId="SALE-1001",
            quantity="0.250",
            amount="12345678901234567.89",
            taxAmount="1.10",
            discountAmount="2.50",
            workstationId="W-1",
            transactionNumber="77",
            lineNumber=1,
        )
    )
    publish_all(relay)
    (sale,) = by_topic(read_published(broker.bootstrap_servers), SALES)
    assert b'"amount":12345678901234567.89' in sale.raw
    assert b'"quantity":0.250' in sale.raw
    assert sale.key == "STORE-01"
    assert sale.value["eventType"] == "POSSalePostedEvent"
    assert sale.payload == {
        "storeId": "STORE-01",
        "saleId": "SALE-1001",
        "itemId": "item-001",
        "quantity": Decimal("0.250"),
        "amount": Decimal("12345678901234567.89"),
        "currency": "USD",
        "taxAmount": Decimal("1.10"),
        "discountAmount": Decimal("2.50"),
        "lineNumber": 1,
        "businessDate": "2026-02-10",
        "accountingDate": "2026-02-10",
        "occurredAt": "2026-02-10T11:59:00Z",
        "workstationId": "W-1",
        "transactionNumber": "77",
        "posEventId": "E-1",
    }


def test_a_journal_balances_and_names_the_events_that_it_books(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    ids = store.sell(lines=3, tenders=[{"type": "CASH", "amount": "150.00"}])[:3]
    publish_all(relay)
    (journal,) = by_topic(read_published(broker.bootstrap_servers), JOURNALS)
    assert journal.payload["posEventIds"] == ids
    lines = journal.payload["lines"]
    assert sum(line["debit"] for line in lines) == sum(line["credit"] for line in lines) > 0
    assert {line.get("tender") for line in lines if line["account"] == "1000"} == {"CASH"}


def test_a_return_says_what_became_of_the_goods(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.post(sale_event("S-1", saleId="SALE-1"))
    back = {**sale_event("R-1", originalSaleId="SALE-1", disposition="DAMAGED"), "type": "RETURN"}
    store.post(back)
    publish_all(relay)
    (message,) = by_topic(read_published(broker.bootstrap_servers), RETURNS)
    assert message.payload["disposition"] == "DAMAGED"
    assert message.payload["originalSaleId"] == "SALE-1"
    assert (message.payload["quantity"], message.payload["posEventId"]) == (2, "R-1")


def test_a_void_of_a_sale_takes_back_each_line_with_the_opposite_sign(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    ids = store.sell(lines=2)
    store.post({"type": "VOID", "eventId": "V-1", "voids": {"saleId": "STORE-01-SALE-1"}})
    publish_all(relay)
    messages = read_published(broker.bootstrap_servers)
    voids = by_topic(messages, VOIDS)
    assert [void.payload["voidedEventId"] for void in voids] == ids
    assert {void.payload["posEventId"] for void in voids} == {"V-1"}
    sums = sum(message.payload["amount"] for message in (*by_topic(messages, SALES), *voids))
    assert sums == 0
    assert by_topic(messages, JOURNALS)[-1].payload["posEventIds"] == ["V-1"]


def test_a_void_before_its_sale_is_published_when_it_takes_effect(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.post({"type": "VOID", "eventId": "V-1", "voids": {"eventId": "S-1"}})
    publish_all(relay)
    assert read_published(broker.bootstrap_servers) == []
    store.post(sale_event("S-1"))
    publish_all(relay)
    messages = read_published(broker.bootstrap_servers)
    (void,) = by_topic(messages, VOIDS)
    assert (void.payload["voidedEventId"], void.payload["posEventId"]) == ("S-1", "V-1")
    booked = [journal.payload["posEventIds"] for journal in by_topic(messages, JOURNALS)]
    assert booked == [["S-1"], ["V-1"]]


def test_an_event_without_an_id_is_published_under_the_id_it_was_given(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.post({"type": "SALE", "itemId": "item-001", "quantity": 2, "amount": "50.00"})
    publish_all(relay)
    (sale,) = by_topic(read_published(broker.bootstrap_servers), SALES)
    assert len(sale.payload["posEventId"]) == 36
    assert sale.payload["saleId"] is None


def test_an_event_in_a_foreign_currency_keeps_it(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.post(sale_event("E-1", currency="EUR"))
    publish_all(relay)
    messages = read_published(broker.bootstrap_servers)
    assert by_topic(messages, SALES)[0].payload["currency"] == "EUR"
    assert len({message.value["eventId"] for message in messages}) == len(messages)


def test_a_receipt_of_goods_is_told_by_its_journal_alone(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.post({"type": "RECEIPT", "eventId": "G-1", "itemId": "item-001", "quantity": 5, "unitCost": "2.00"})
    publish_all(relay)
    (journal,) = read_published(broker.bootstrap_servers)
    assert (journal.topic, journal.payload["posEventIds"]) == (JOURNALS, ["G-1"])


def test_each_stores_messages_are_in_the_order_of_posting(
    database: Database, relay: Relay, broker: EmbeddedKafka
) -> None:
    stores = [PostingStore(database, f"STORE-{number:02}") for number in range(8)]
    for _ in range(3):
        for store in stores:
            store.sell(lines=5)
        publish_all(relay)
    messages = read_published(broker.bootstrap_servers)
    assert_in_order(messages)
    assert len(messages) == 3 * 8 * 6
    placed = {(message.key, message.topic): message.partition for message in messages}
    assert all(placed[message.key, message.topic] == message.partition for message in messages)


def test_the_partition_is_the_one_that_a_java_producer_takes(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.sell(lines=1)
    publish_all(relay)
    assert {message.partition for message in read_published(broker.bootstrap_servers)} == {
        murmur2_partition(b"STORE-01")
    }


def test_nothing_uncommitted_is_published(relay: Relay, broker: EmbeddedKafka, store: PostingStore) -> None:
    store.sell(lines=1)

    def publish_meanwhile() -> None:
        publish_all(relay)
        raise PostingGivenUp

    with pytest.raises(PostingGivenUp):
        store.post(sale_event("NEVER"), before_commit=publish_meanwhile)
    publish_all(relay)
    events = [
        sale.payload["posEventId"] for sale in by_topic(read_published(broker.bootstrap_servers), SALES)
    ]
    assert events == ["STORE-01-SALE-1-1"]


def test_a_row_that_refers_to_nothing_stops_its_store_and_no_other(
    database: Database, relay: Relay, broker: EmbeddedKafka, metrics: RelayMetrics
) -> None:
    broken, whole = PostingStore(database, "BROKEN"), PostingStore(database, "WHOLE")
    broken.sell(lines=1)
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO outbox SELECT store_no, last_sequence + 1, 1 FROM store WHERE store_id = 'BROKEN'"
        )
        work.connection.execute(
            "UPDATE store SET last_sequence = last_sequence + 1 WHERE store_id = 'BROKEN'"
        )
    broken.sell(lines=1)
    whole.sell(lines=1)
    publish_all(relay)
    published = Counter(message.key for message in read_published(broker.bootstrap_servers))
    assert published == {"BROKEN": 2, "WHOLE": 2}
    assert broken.published_sequence() == 2
    assert metrics.set_aside._value.get() == 1


def test_lag_is_measured_and_gone_when_everything_is_published(
    relay: Relay, store: PostingStore, metrics: RelayMetrics
) -> None:
    store.sell(lines=3, now=SystemClock().now())
    relay.run_once()
    assert metrics.lag_messages._value.get() == store.last_sequence()
    relay.run_once()
    assert metrics.lag_messages._value.get() == 0
    assert metrics.lag_seconds._value.get() == 0


def test_of_two_relays_one_leads_and_the_other_takes_over(
    add_relay: Callable[[], Relay], broker: EmbeddedKafka, store: PostingStore
) -> None:
    first, second = add_relay(), add_relay()
    store.sell(lines=1)
    assert first.run_once().leads
    assert not second.run_once().leads
    first.close()
    store.sell(lines=1)
    assert second.run_once().leads
    assert len(read_published(broker.bootstrap_servers)) == 4


def murmur2_partition(key: bytes, partitions: int = 6) -> int:
    """Where Kafka's Java client puts a key: written down from its source, for comparison."""
    mask = 0xFFFFFFFF
    m, h = 0x5BD1E995, 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at : at + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = h * m & mask ^ k
    tail = key[whole:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    h ^= h >> 15
    return (h & 0x7FFFFFFF) % partitions


def test_a_command_catches_up_unless_a_relay_leads(
    add_relay: Callable[[], Relay], broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.sell(lines=1)
    assert add_relay().catch_up()
    assert len(read_published(broker.bootstrap_servers)) == 2
    assert add_relay().run_once().leads
    store.sell(lines=1)
    assert not add_relay().catch_up()
    assert len(read_published(broker.bootstrap_servers)) == 2


def test_what_a_document_announces_is_published_word_for_word(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    payload = {"date": "2026-02-10", "varianceAmount": Decimal("-12345678901234567.89"), "reason": "THEFT"}
    store.announce((OutboxKind.RECONCILED, "REC-1 THEFT", payload))
    store.sell()
    publish_all(relay)
    messages = read_published(broker.bootstrap_servers)
    (told,) = by_topic(messages, OutboxKind.RECONCILED.topic)
    assert told.payload == {"storeId": "STORE-01", **payload}
    assert b'"varianceAmount":-12345678901234567.89' in told.raw
    assert told.value["eventId"] == event_id(OutboxKind.RECONCILED, "STORE-01", "REC-1 THEFT")
    assert (told.key, told.sequence, told.value["timestamp"]) == ("STORE-01", 1, "2026-02-10T12:00:00Z")
    assert store.published_sequence() == store.last_sequence() == 5
    assert_whole(store.database)


def test_one_cause_is_announced_once(store: PostingStore) -> None:
    said = (OutboxKind.TRANSFER, "TR-1 SHIPPED", {"transferId": "TR-1"})
    store.announce(said)
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.announce(said)
    assert store.last_sequence() == 1
