"""Dead letters: messages that cannot be posted, kept as they came on `<topic>.dlq`, with the reason in headers."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from shared.clock import instant_text
from shared.wire_json import encode_json
from sync_server.consuming.inbound import Unusable
from sync_server.consuming.store_batches import Received
from sync_server.kafka_cluster import KafkaCluster
from sync_server.publishing.topics import create_topics, partitions_by_topic

SUFFIX: Final = ".dlq"
CONFIRMED_WITHIN_SECONDS: Final = 10
MOST_CHARACTERS: Final = 10_000
"""Of a header: what is wrong with a message may be longer than the message."""
DeadLetter = tuple[Received, Unusable]
Headers = list[tuple[str, str | bytes | None]]


class DeadLetters:
    """Produces dead letters and says which of them Kafka has confirmed."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._producer: Producer | None = None
        self._there: set[str] = set()

    def deliver(self, letters: Sequence[DeadLetter], now: datetime) -> list[Received]:
        """Produces the letters; returns the messages whose letters are confirmed.

        Raises BrokerAway or TopicUnusable when none can be produced. What is not confirmed is delivered again
        later, so that a letter may be there twice and none is lost.
        """
        self._ensure_topics({letter_topic(message.topic) for message, _ in letters})
        producer = self._producer = self._producer or self._new_producer()
        confirmed: list[Received] = []
        for message, why in letters:
            try:
                self._produce(producer, message, _headers(message, why, now), confirmed)
            except (KafkaException, BufferError):
                break
        if producer.flush(CONFIRMED_WITHIN_SECONDS):
            self._producer = None  # what it still owes is not waited for
        return list(confirmed)

    def _produce(
        self, producer: Producer, message: Received, headers: Headers, confirmed: list[Received]
    ) -> None:
        """Raises KafkaException or BufferError when the producer takes nothing at the moment."""
        topic, note = letter_topic(message.topic), partial(_note, confirmed, message)
        every = [*message.headers, *headers]
        try:
            producer.produce(topic, message.value, message.key, headers=every, on_delivery=note)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise
            # As large as Kafka takes already: with the reason it is more. The message stays where it came from.
            dropped = ("valueDropped", str(len(message.value or b"")).encode())
            producer.produce(topic, None, message.key, headers=[*headers, dropped], on_delivery=note)

    def _ensure_topics(self, topics: set[str]) -> None:
        missing = topics - self._there
        if missing:
            client = AdminClient(self._cluster.configuration())
            create_topics(client, missing - partitions_by_topic(client, 5).keys(), 5)
            self._there |= missing

    def _new_producer(self) -> Producer:
        return Producer(
            {
                **self._cluster.configuration(),
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2",
                "message.timeout.ms": CONFIRMED_WITHIN_SECONDS * 1000,
                "allow.auto.create.topics": False,
                "linger.ms": 1,
            }
        )


def letter_topic(topic: str) -> str:
    """Where the dead letters of a topic lie."""
    return topic + SUFFIX


def _note(confirmed: list[Received], message: Received, error: KafkaError | None, _produced: Any) -> None:
    if error is None:
        confirmed.append(message)


def _headers(message: Received, why: Unusable, now: datetime) -> Headers:
    headers = {
        "reason": why.reason.value,
        "message": why.sentence[:MOST_CHARACTERS],
        "sourceTopic": message.topic,
        "sourcePartition": str(message.partition),
        "sourceOffset": str(message.offset),
        "failedAt": instant_text(now),
    }
    named: Headers = [(name, text.encode()) for name, text in headers.items()]
    if why.violations:
        violations = [
            {"field": one.field, "constraint": one.constraint, "rejectedValue": one.rejected_value}
            for one in why.violations
        ]
        told = encode_json(violations)
        named.append(("violations", told if len(told) <= MOST_CHARACTERS else b"[]"))
    return named
