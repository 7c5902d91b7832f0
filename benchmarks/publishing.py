"""Publishing: the relay, from the outbox to confirmed messages, against the bare idempotent producer.

The producer sends the very messages that the relay has sent, read back from the broker and lying in memory. Each
side has a broker of its own, empty.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from prometheus_client import CollectorRegistry

from benchmarks.direct_posting import DirectPosting
from benchmarks.stage import Stage
from benchmarks.starting_gate import lines_a_second, write_task
from shared.clock import SystemClock
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.kafka_cluster import KafkaCluster
from sync_server.publishing.relay import Relay
from sync_server.publishing.relay_metrics import RelayMetrics
from sync_server.publishing.topics import OutboxKind, ensure_topics

PUBLISHING = "relay, outbox to Kafka"
PRODUCER = "bare idempotent producer"
_PRODUCER_SETTINGS = {
    "enable.idempotence": True, "acks": "all", "partitioner": "murmur2", "linger.ms": 1, "log_level": 0,
    "queue.buffering.max.messages": 1_000_000, "delivery.report.only.error": True,
}  # fmt: skip
_AT_ONCE = 5000
_PATIENCE_SECONDS = 120


@dataclass
class Publishing:
    """The relay over a full outbox; see `starting_gate.Task`."""

    database_url: str
    bootstrap_servers: str

    def prepare(self) -> None:
        """Makes topics and takes the lead."""
        cluster = KafkaCluster(self.bootstrap_servers)
        ensure_topics(cluster)
        metrics = RelayMetrics(CollectorRegistry())
        self._relay = Relay(Database(self.database_url), cluster, SystemClock(), metrics)

    def run(self) -> int:
        """Publishes until nothing waits; how many messages Kafka has confirmed."""
        published, done = 0, self._relay.run_once()
        assert done.leads, "nobody else publishes this database"
        while done.advanced:
            published += done.published
            done = self._relay.run_once()
        self._relay.close()
        return published


@dataclass
class Producing:
    """The bare producer with the messages of a filled broker; see `starting_gate.Task`."""

    filled: str
    bootstrap_servers: str
    _messages: list[tuple[str, bytes, bytes]] = field(default_factory=list)

    def prepare(self) -> None:
        """Reads the messages and makes the topics."""
        self._messages = _read_all(self.filled)
        cluster = KafkaCluster(self.bootstrap_servers)
        ensure_topics(cluster)
        self._failed: list[str] = []
        reports = {"on_delivery": lambda error, _: self._failed.append(str(error))}
        self._producer = Producer({**cluster.configuration(), **_PRODUCER_SETTINGS, **reports})

    def run(self) -> int:
        """Sends all of them and waits until they are confirmed."""
        producer = self._producer
        for topic, key, value in self._messages:
            while True:
                try:
                    producer.produce(topic, value, key)
                except BufferError:
                    producer.poll(0.01)
                else:
                    break
        left = producer.flush(_PATIENCE_SECONDS)
        assert not left, f"{left} messages were never confirmed"
        assert not self._failed, self._failed[:3]
        return len(self._messages)


def _read_all(bootstrap_servers: str) -> list[tuple[str, bytes, bytes]]:
    """Every message of every topic, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "benchmark",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    topics = consumer.list_topics(timeout=10).topics
    names = {kind.topic for kind in OutboxKind} & set(topics)
    unread = {(name, number) for name in names for number in topics[name].partitions}
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for name, number in sorted(unread)])
    found: list[tuple[str, bytes, bytes]] = []
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    while unread and time.perf_counter() < deadline:
        for message in consumer.consume(_AT_ONCE, timeout=0.2):
            error = message.error()
            if error is None:
                found.append((str(message.topic()), message.key() or b"", message.value() or b""))
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard((message.topic(), message.partition()))
    consumer.close()
    assert found
    assert not unread, "the broker's messages could not be read back"
    return found


def measure_publishing(stage: Stage) -> Mapping[str, float]:
    """Messages a second of both sides."""
    with (
        stage.fresh_database() as url,
        EmbeddedKafka(_new_folder(stage)) as filled,
        EmbeddedKafka(_new_folder(stage)) as empty,
    ):
        posting = DirectPosting(url, stage.headquarters.credentials, stage.in_order)
        lines_a_second([[write_task(posting, stage.new_path("post.task"))]])
        relay = Publishing(url, filled.bootstrap_servers)
        ours = lines_a_second([[write_task(relay, stage.new_path("relay.task"))]])
        bare = Producing(filled.bootstrap_servers, empty.bootstrap_servers)
        limit = lines_a_second([[write_task(bare, stage.new_path("produce.task"))]])
    return {PUBLISHING: ours, PRODUCER: limit}


def _new_folder(stage: Stage) -> Path:
    folder = stage.new_path("kafka")
    folder.mkdir()
    return folder
