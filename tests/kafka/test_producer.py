"""The producer on a real broker: what it calls confirmed is in the topic, and nothing is sent behind a refusal."""

import os
import signal
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from shared.clock import SystemClock
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.errors import BrokerAway
from sync_server.publishing.kafka_producer import KafkaProducer
from sync_server.publishing.messages import Message
from tests.kafka.topic_reader import read_published
from tests.kafka.waiting import wait_until

TOPIC = "inventory.pos.pos-sale.posted"
TOO_LARGE = b"x" * 1_100_000


class Heard:
    """What a producer tells those who built it."""

    def __init__(self) -> None:
        self.created: list[frozenset[str]] = []
        self.away: list[BrokerAway] = []


@pytest.fixture
def heard() -> Heard:
    """Nothing yet."""
    return Heard()


@pytest.fixture
def producer(broker: EmbeddedKafka, heard: Heard) -> KafkaProducer:
    """A producer for this test's broker."""
    return KafkaProducer(
        broker.cluster, SystemClock(), on_created=heard.created.append, on_away=heard.away.append
    )


def messages(*values: bytes, key: bytes = b"STORE-01") -> list[Message]:
    """Messages of one store."""
    return [Message(TOPIC, key, value) for value in values]


def always() -> bool:
    """Whoever has all the time in the world."""
    return True


def for_looks(count: int) -> Callable[[], bool]:
    """Somebody who is told to stop after so many looks."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


def published(broker: EmbeddedKafka) -> list[bytes]:
    """The values that lie in the topics."""
    return [message.raw for message in read_published(broker.bootstrap_servers)]


def test_everything_is_confirmed_and_there(
    broker: EmbeddedKafka, producer: KafkaProducer, heard: Heard
) -> None:
    window = producer.deliver(messages(b"1", b"2", b"3"), always)
    assert (window.confirmed, window.refused) == ({0, 1, 2}, {})
    assert published(broker) == [b"1", b"2", b"3"]
    assert [len(topics) for topics in heard.created] == [7]


def test_nothing_of_a_store_is_sent_behind_a_message_that_is_refused(
    broker: EmbeddedKafka, producer: KafkaProducer
) -> None:
    window = producer.deliver(
        [*messages(b"1", TOO_LARGE, b"3"), *messages(b"other", key=b"STORE-02")], always
    )
    assert window.confirmed == {0, 3}
    assert list(window.refused) == [1]
    assert sorted(published(broker)) == [b"1", b"other"]


def test_what_a_frozen_broker_did_not_confirm_is_not_called_confirmed(
    broker: EmbeddedKafka, producer: KafkaProducer
) -> None:
    producer.deliver(messages(b"1"), always)
    os.kill(broker.process_id, signal.SIGSTOP)
    window = producer.deliver(messages(b"2", b"3"), for_looks(3))
    assert window.confirmed == set()
    os.kill(broker.process_id, signal.SIGCONT)
    again = producer.deliver(messages(b"2", b"3", b"4"), always)
    assert again.confirmed == {0, 1, 2}
    assert list(dict.fromkeys(published(broker))) == [b"1", b"2", b"3", b"4"]


def test_a_broker_that_forgot_the_producer_gets_a_new_one_and_every_report_is_asked_for(
    broker: EmbeddedKafka, producer: KafkaProducer, heard: Heard
) -> None:
    producer.deliver(messages(b"1"), always)
    os.kill(broker.process_id, signal.SIGKILL)
    wait_until(lambda: not broker.is_running())
    broker.start()
    assert producer.deliver(messages(b"2"), always).confirmed == set()
    window = producer.deliver(messages(b"2", TOO_LARGE, b"3"), always)
    assert (window.confirmed, list(window.refused)) == ({0}, [1])
    assert producer.deliver(messages(b"4"), always).confirmed == {0}
    assert published(broker) == [b"2", b"4"]
    assert [len(topics) for topics in heard.created] == [7, 7]


def test_a_broker_that_stops_answering_is_said_while_it_is_waited_for(
    broker: EmbeddedKafka, producer: KafkaProducer, heard: Heard
) -> None:
    producer.deliver(messages(b"1"), always)
    os.kill(broker.process_id, signal.SIGSTOP)
    producer.deliver(messages(b"2"), lambda: not heard.away)
    assert "No Kafka broker answers" in str(heard.away[0])


def test_a_delivery_that_times_out_in_mid_stream_leaves_a_hole_with_librdkafka_alone_and_none_with_ours(
    broker: EmbeddedKafka, producer: KafkaProducer
) -> None:
    sent = [b"%03d" % number for number in range(40)]
    theirs, ours = messages(*sent, key=b"THEIRS"), messages(*sent, key=b"OURS")
    assert producer.deliver(ours[:10], always).confirmed == set(range(10))
    alone = Producer(
        {**broker.cluster.configuration(), "enable.idempotence": True, "message.timeout.ms": 1500}
    )
    for message in theirs[:10]:
        alone.produce(message.topic, message.value, message.key)
    assert alone.flush(30) == 0

    os.kill(broker.process_id, signal.SIGSTOP)
    for message in theirs[10:20]:
        alone.produce(message.topic, message.value, message.key)
    window = producer.deliver(ours[10:30], for_looks(10))
    alone.flush(3)
    os.kill(broker.process_id, signal.SIGCONT)
    for message in theirs[20:]:
        alone.produce(message.topic, message.value, message.key)
    alone.flush(30)
    first_unconfirmed = next((index for index in range(20) if index not in window.confirmed), 20)
    rest = ours[10 + first_unconfirmed :]
    while rest:
        done = producer.deliver(rest, always).confirmed
        rest = rest[next((index for index in range(len(rest)) if index not in done), len(rest)) :]

    found = read_published(broker.bootstrap_servers)
    seen = {
        key: list(dict.fromkeys(message.raw for message in found if message.key == key))
        for key in ("THEIRS", "OURS")
    }
    assert seen["OURS"] == sent, "no hole, and nothing was overtaken"
    assert seen["THEIRS"] != sent, "the fault that this guards against is real"
