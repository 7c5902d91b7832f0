"""What the topics say: a consumer that nobody has met reads them from their beginning to their end."""

from dataclasses import dataclass, field
from uuid import UUID

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from shared.clock import Clock
from shared.identifiers import event_key
from shared.wire_json import decode_json
from sync_server.demo.errors import DemoFailed
from sync_server.publishing.topics import OutboxKind

EVENT_TOPICS = (OutboxKind.SALE.topic, OutboxKind.RETURN.topic, OutboxKind.VOID.topic)
"""The topics in which till events appear; journals have their own."""
_TIMEOUT_SECONDS = 60
_AT_ONCE = 5000


@dataclass(slots=True)
class TopicEvidence:
    """What was found about one store."""

    published: set[UUID] = field(default_factory=set)
    """The events that messages tell of; a message that came twice counts once."""
    messages: int = 0
    out_of_order: int = 0
    """Messages seen for the first time after one of a later posting in the same topic."""


def read_topics(bootstrap_servers: str, clock: Clock) -> dict[str, TopicEvidence]:
    """By store id: everything that lies in the event topics at the moment of the call."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "demo-proof",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        return _read_to_the_end(consumer, clock)
    finally:
        consumer.close()


def _read_to_the_end(consumer: Consumer, clock: Clock) -> dict[str, TopicEvidence]:
    topics = consumer.list_topics(timeout=10).topics
    unread = {(name, number) for name in EVENT_TOPICS if name in topics for number in topics[name].partitions}
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for name, number in sorted(unread)])
    found: dict[str, TopicEvidence] = {}
    newest: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str, int, UUID]] = set()
    deadline = clock.monotonic() + _TIMEOUT_SECONDS
    while unread:
        if clock.monotonic() > deadline:
            raise DemoFailed(f"The topics could not be read to their end within {_TIMEOUT_SECONDS} seconds.")
        for message in consumer.consume(_AT_ONCE, timeout=0.2):
            error = message.error()
            if error is None:
                _take(message, found, newest, seen)
            elif error.code() == KafkaError._PARTITION_EOF:  # librdkafka's name for the end
                unread.discard((str(message.topic()), message.partition()))
            else:
                raise DemoFailed(f"The topics cannot be read: {error.str()}.")
    return found


def _take(
    message: Message,
    found: dict[str, TopicEvidence],
    newest: dict[tuple[str, str], int],
    seen: set[tuple[str, str, int, UUID]],
) -> None:
    value = decode_json(message.value() or b"")
    payload = value["payload"]
    topic, store_id, sequence = str(message.topic()), payload["storeId"], value["storeSequence"]
    key = event_key(payload["posEventId"])
    evidence = found.setdefault(store_id, TopicEvidence())
    evidence.messages += 1
    evidence.published.add(key)
    if (topic, store_id, sequence, key) not in seen:
        seen.add((topic, store_id, sequence, key))
        evidence.out_of_order += sequence < newest.get((topic, store_id), 0)
        newest[topic, store_id] = max(sequence, newest.get((topic, store_id), 0))
