"""Reads topics from their beginning: what a consumer who was never here before finds."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from shared.clock import SystemClock
from shared.wire_json import decode_json
from sync_server.publishing.topics import PUBLISHED_TOPICS, OutboxKind


@dataclass(frozen=True)
class Published:
    """One message as it lies in its topic."""

    topic: str
    partition: int
    key: str
    raw: bytes

    @property
    def value(self) -> dict[str, Any]:
        """The decoded value, its numbers exact."""
        decoded: dict[str, Any] = decode_json(self.raw)
        return decoded

    @property
    def payload(self) -> dict[str, Any]:
        """The event's payload."""
        payload: dict[str, Any] = self.value["payload"]
        return payload

    @property
    def sequence(self) -> int:
        """Its store sequence."""
        return int(self.value["storeSequence"])


def read_published(bootstrap_servers: str, timeout_seconds: int = 60) -> list[Published]:
    """What the outbox told: all topics but that of availability, which has no rows there."""
    messages = read_everything(bootstrap_servers, timeout_seconds)
    return [message for message in messages if message.topic != OutboxKind.AVAILABILITY.topic]


def read_everything(bootstrap_servers: str, timeout_seconds: int = 60) -> list[Published]:
    """Everything in the contract's topics at this moment, each partition in its own order."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "tests",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,  # a broker holds back the answer that nothing more is there for so long
            "log_level": 0,
        }
    )
    try:
        return _read_to_the_end(consumer, timeout_seconds)
    finally:
        consumer.close()


def _read_to_the_end(consumer: Consumer, timeout_seconds: int) -> list[Published]:
    topics = consumer.list_topics(timeout=10).topics
    unread = {
        (name, number) for name in PUBLISHED_TOPICS if name in topics for number in topics[name].partitions
    }
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for name, number in unread])
    found: list[Published] = []
    clock = SystemClock()
    deadline = clock.monotonic() + timeout_seconds
    while unread:
        assert clock.monotonic() < deadline, f"not read to the end: {unread}"
        for message in consumer.consume(500, timeout=0.2):
            error, topic, partition = message.error(), str(message.topic()), int(message.partition() or 0)
            if error is None:
                found.append(
                    Published(topic, partition, (message.key() or b"").decode(), message.value() or b"")
                )
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                unread.discard((topic, partition))
    return found


def first_occurrences(messages: list[Published]) -> dict[tuple[str, str], list[int]]:
    """By topic and store: the store sequences in the order in which each was first seen."""
    seen: dict[tuple[str, str], dict[int, None]] = {}
    for message in messages:
        seen.setdefault((message.topic, message.key), {})[message.sequence] = None
    return {place: list(sequences) for place, sequences in seen.items()}


def assert_in_order(messages: list[Published]) -> None:
    """First occurrences per store and topic are in the order of posting."""
    for place, sequences in first_occurrences(messages).items():
        assert sequences == sorted(sequences), place


def amounts(messages: list[Published]) -> list[Decimal]:
    """The amounts of the payloads."""
    return [Decimal(message.payload["amount"]) for message in messages]
