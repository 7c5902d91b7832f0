"""What the demo reads in the topics, written there as the relay writes it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from shared.clock import SystemClock
from shared.identifiers import event_key
from sync_server.demo.topic_evidence import TopicEvidence, read_topics
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.messages import Message, PostedLine, PostedVoid, sale_message, void_message
from sync_server.publishing.topics import ensure_topics

SOLD_AT = "2017-09-04 17:30:00+00"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker of this test's own, its topics empty."""
    with EmbeddedKafka(tmp_path) as broker:
        ensure_topics(broker.bootstrap_servers)
        yield broker


def posted(store_sequence: int, event_id: str, store_id: str = "STORE-292") -> PostedLine:
    """A sold line as it was posted."""
    return PostedLine(
        store_id=store_id,
        store_sequence=store_sequence,
        event_key=str(event_key(event_id)),
        event_id=event_id,
        sale_id="1001",
        item_id="1",
        quantity="1",
        amount="2.50",
        currency="USD",
        tax_amount=None,
        line_number=1,
        business_date="2017-09-04",
        accounting_date="2017-09-04",
        occurred_at=SOLD_AT,
        posted_at=SOLD_AT,
        workstation_id="TILL-1",
        transaction_number="1",
        details=None,
    )


def published(broker: EmbeddedKafka, messages: Iterable[Message]) -> dict[str, TopicEvidence]:
    """What is read once `messages` lie in their topics."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "enable.idempotence": True})
    for message in messages:
        producer.produce(message.topic, message.value, message.key)
    assert producer.flush(20) == 0
    return read_topics(broker.bootstrap_servers, SystemClock())


def test_each_stores_events_are_found_once_however_often_they_were_published(broker: EmbeddedKafka) -> None:
    sales = [posted(1, "292-1-1"), posted(2, "292-1-2"), posted(1, "406-1-1", "STORE-406")]

    found = published(broker, [sale_message(sale) for sale in (*sales, sales[0])])

    assert found["STORE-292"].published == {event_key("292-1-1"), event_key("292-1-2")}
    assert found["STORE-406"].published == {event_key("406-1-1")}
    assert (found["STORE-292"].messages, found["STORE-292"].out_of_order) == (3, 0)


def test_a_void_of_two_lines_is_one_event_in_two_messages(broker: EmbeddedKafka) -> None:
    void = event_key("292-1-0-VOID")
    messages = [
        void_message(PostedVoid(posted(number, f"292-1-{number}"), "SALE", str(void), "292-1-0-VOID", None))
        for number in (5, 6)
    ]

    found = published(broker, messages)["STORE-292"]

    assert found.published == {void}
    assert (found.messages, found.out_of_order) == (2, 0)


def test_a_message_that_comes_after_a_later_one_is_noticed(broker: EmbeddedKafka) -> None:
    sales = [posted(2, "292-1-2"), posted(1, "292-1-1")]

    assert published(broker, map(sale_message, sales))["STORE-292"].out_of_order == 1


def test_empty_topics_hold_nothing(broker: EmbeddedKafka) -> None:
    assert published(broker, []) == {}
