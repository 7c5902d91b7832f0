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
DeadLetter = tuple[Received, Unusable]


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
                producer.produce(
                    letter_topic(message.topic),
                    message.value,
                    message.key,
                    headers=[*message.headers, *_headers(message, why, now)],
                    on_delivery=partial(_note, confirmed, message),
                )
            except (KafkaException, BufferError):
                break
        if producer.flush(CONFIRMED_WITHIN_SECONDS):
            self._producer = None  # what it still owes is not waited for
        return list(confirmed)

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


def _headers(message: Received, why: Unusable, now: datetime) -> list[tuple[str, bytes]]:
    headers = {
        "reason": why.reason.value,
        "message": why.sentence,
        "sourceTopic": message.topic,
        "sourcePartition": str(message.partition),
        "sourceOffset": str(message.offset),
        "failedAt": instant_text(now),
    }
    named = [(name, text.encode()) for name, text in headers.items()]
    if why.violations:
        violations = [
            {"field": one.field, "constraint": one.constraint, "rejectedValue": one.rejected_value}
            for one in why.violations
        ]
        named.append(("violations", encode_json(violations)))
    return named
