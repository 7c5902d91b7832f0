"""What the demo reads in the topics of a real broker, in messages as docs/ describes them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from shared.clock import SystemClock
from shared.identifiers import event_key
from shared.wire_json import encode_json
from sync_server.demo.topic_evidence import TopicEvidence, read_topics
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.topics import OutboxKind, ensure_topics


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker of this test's own, its topics empty."""
    with EmbeddedKafka(tmp_path) as broker:
        ensure_topics(broker.cluster)
        yield broker


def message(
    store_sequence: int,
    event_id: str,
    store_id: str = "STORE-292",
    kind: OutboxKind = OutboxKind.SALE,
) -> tuple[str, dict[str, Any]]:
    """A topic and what is published in it of one posted event; only what the proof looks at."""
    payload = {"storeId": store_id, "posEventId": event_id, "quantity": 1}
    return kind.topic, {"eventType": kind.event_type, "payload": payload, "storeSequence": store_sequence}


def published(
    broker: EmbeddedKafka, messages: Iterable[tuple[str, dict[str, Any]]]
) -> dict[str, TopicEvidence]:
    """What is read once `messages` lie in their topics."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "enable.idempotence": True})
    for topic, value in messages:
        producer.produce(topic, encode_json(value), value["payload"]["storeId"])
    assert producer.flush(20) == 0
    return read_topics(broker.bootstrap_servers, SystemClock())


def test_each_stores_events_are_found_once_however_often_they_were_published(broker: EmbeddedKafka) -> None:
    sales = [message(1, "292-1-1"), message(2, "292-1-2"), message(1, "406-1-1", "STORE-406")]

    found = published(broker, [*sales, sales[0]])

    assert found["STORE-292"].published == {event_key("292-1-1"), event_key("292-1-2")}
    assert found["STORE-406"].published == {event_key("406-1-1")}
    assert (found["STORE-292"].messages, found["STORE-292"].out_of_order) == (3, 0)


def test_returns_and_voids_are_read_from_their_own_topics(broker: EmbeddedKafka) -> None:
    kinds = {"292-1-1": OutboxKind.SALE, "292-2-1": OutboxKind.RETURN, "292-3-1": OutboxKind.VOID}

    found = published(
        broker, [message(9 - n, event_id, kind=kind) for n, (event_id, kind) in enumerate(kinds.items())]
    )

    assert found["STORE-292"].published == set(map(event_key, kinds))
    assert found["STORE-292"].out_of_order == 0  # order holds within a topic


def test_a_void_of_two_lines_is_one_event_in_two_messages(broker: EmbeddedKafka) -> None:
    voided = [message(number, "292-1-0-VOID", kind=OutboxKind.VOID) for number in (5, 6)]

    found = published(broker, voided)["STORE-292"]

    assert found.published == {event_key("292-1-0-VOID")}
    assert (found.messages, found.out_of_order) == (2, 0)


def test_a_message_that_comes_after_a_later_one_is_noticed(broker: EmbeddedKafka) -> None:
    assert published(broker, [message(2, "292-1-2"), message(1, "292-1-1")])["STORE-292"].out_of_order == 1


def test_empty_topics_hold_nothing(broker: EmbeddedKafka) -> None:
    assert published(broker, []) == {}
