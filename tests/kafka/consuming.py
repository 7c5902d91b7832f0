"""What a test of the consumer needs: topics that tills speak on, messages, consumers in threads, dead letters."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import CollectorRegistry

from shared.clock import SystemClock
from shared.stop_request import StopRequest
from sync_server.consuming.consumer import PosConsumer
from sync_server.consuming.consumer_metrics import ConsumerMetrics
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from tests.kafka.waiting import wait_until

SALES, RETURNS, TRANSFERS = TOPICS = ("pos.sale", "pos.return", "inventory.core.store-transfer")
GROUP = "inventory-core-cg"
EVENT_TYPES = {SALES: "POSSaleEvent", RETURNS: "POSReturnEvent", TRANSFERS: "StoreTransferEvent"}


def till_event(**fields: Any) -> dict[str, Any]:
    """The payload of a sale of two items for 50.00 in STORE-01."""
    return {
        "storeId": "STORE-01",
        "itemId": "item-001",
        "quantity": 2,
        "amount": 50.00,
        "occurredAt": "2026-02-10T11:59:00Z",
        **fields,
    }


class Tills:
    """Whoever produces to the consumed topics of one broker."""

    def __init__(self, broker: EmbeddedKafka) -> None:
        self.broker = broker
        self._admin = AdminClient(broker.cluster.configuration())
        self._producer = Producer(broker.cluster.configuration())
        self.ends: dict[tuple[str, int], int] = {}
        """The offset behind the last message of each partition that has any."""

    def create_topics(self) -> None:
        """The topics as the inventory core has them."""
        for topic in self._admin.create_topics([NewTopic(name, 6, 1) for name in TOPICS]).values():
            topic.result()

    def say(self, *payloads: dict[str, Any], topic: str = SALES, ids: bool = True, prefix: str = "E") -> None:
        """Each payload as a message of the topic's event, under `prefix`-1, `prefix`-2… or without an id."""
        for number, payload in enumerate(payloads, 1):
            message: dict[str, Any] = {"eventType": EVENT_TYPES[topic], "payload": payload}
            if ids:
                message["eventId"] = f"{prefix}-{number}"
            self.send(json.dumps(message).encode(), topic=topic, key=payload.get("storeId", ""))
        self.flush()

    def send(self, value: bytes | None, *, topic: str = SALES, key: str = "STORE-01", **more: Any) -> None:
        """Any bytes as a message."""
        self._producer.produce(topic, value, key, on_delivery=self._note, **more)

    def flush(self) -> None:
        """Returns when everything is in the topics."""
        assert self._producer.flush(30) == 0

    def committed(self) -> dict[tuple[str, int], int]:
        """What the group has committed."""
        reader = self._reader(GROUP)
        try:
            places = [TopicPartition(topic, number) for topic in TOPICS for number in range(6)]
            offsets = reader.committed(places, timeout=10)
            return {(place.topic, place.partition): place.offset for place in offsets if place.offset >= 0}
        finally:
            reader.close()

    def letters(self, topic: str = SALES) -> list[tuple[bytes | None, dict[str, str]]]:
        """The dead letters of a topic: value and headers."""
        reader = self._reader("letters")
        name = f"{topic}.dlq"
        try:
            topics = reader.list_topics(timeout=10).topics
            unread = set(topics[name].partitions) if name in topics else set()
            reader.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in unread])
            found = []
            while unread:
                for message in reader.consume(500, timeout=0.2):
                    error = message.error()
                    if error is None:
                        found.append((message.value(), _texts(message.headers())))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        unread.discard(message.partition() or 0)
            return found
        finally:
            reader.close()

    def _reader(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.broker.bootstrap_servers,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,
                "log_level": 0,
            }
        )

    def wait_until_done(self) -> None:
        """Returns when the group has committed everything that was said."""
        wait_until(lambda: self.committed() == self.ends)

    def _note(self, error: KafkaError | None, message: Any) -> None:
        assert error is None, error
        place = message.topic(), message.partition()
        self.ends[place] = max(self.ends.get(place, 0), message.offset() + 1)


def _texts(headers: Any) -> dict[str, str]:
    return {name: (text or b"").decode() for name, text in headers or ()}


class Consumers:
    """Members of the group, each in a thread."""

    def __init__(self, database: Database, broker: EmbeddedKafka) -> None:
        self._database = database
        self._broker = broker
        self.registries: list[CollectorRegistry] = []

    @contextmanager
    def running(self) -> Iterator[StopRequest]:
        """One more consumer, until the block ends or the request is set."""
        stop, registry = StopRequest(), CollectorRegistry()
        self.registries.append(registry)
        consumer = PosConsumer(
            self._database,
            self._broker.cluster,
            TOPICS,
            SystemClock(),
            ConsumerMetrics(registry),
            group_id=GROUP,
            session_timeout_seconds=6,
        )
        thread = threading.Thread(target=consumer.run, args=(stop,))
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive()

    def number(self, name: str, index: int = 0, **labels: str) -> float:
        """A metric of one consumer; 0 while nobody counted."""
        return self.registries[index].get_sample_value(name, labels) or 0
