"""Hands windows of messages to Kafka so that no message ever overtakes an earlier one with the same key.

librdkafka alone does not promise that: a message that times out leaves a hole which later ones fill. So here
no message times out, a producer that still owes a message is never used again, and whoever sends again starts
at the first message that is not confirmed. Every producer then writes an unbroken run from there, and
whatever two of them write at once, first occurrences stay in order; a repetition is allowed.

A report for each message takes as long as sending it. So a producer asks for reports of failures alone, and a
window of which none came is confirmed as a whole; after a failure its successor asks for every report, since
it matters then which messages got through.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from shared.clock import Clock
from sync_server.kafka_cluster import KafkaCluster
from sync_server.publishing.errors import BrokerAway
from sync_server.publishing.messages import Message
from sync_server.publishing.topics import ensure_topics, partitions_by_topic

PATIENCE_SECONDS: Final = 4
"""Without any confirmation for so long, the broker is asked whether it is there at all."""
LONGEST_PATIENCE_SECONDS: Final = 64
"""Patience doubles up to this while a broker answers and confirms nothing, such as one short of replicas."""
_ANSWER_SECONDS: Final = 2
_LOOK_UP_SECONDS: Final = 0.25  # float: seconds between looks at the order to stop and at the leadership
_SETTINGS: Final = {
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,
    "acks": "all",
    "message.timeout.ms": 0,  # never: a message given up is a hole in its store's order
    "partitioner": "murmur2",  # Java's, so that consumers written in Java find a store where they expect it
    "allow.auto.create.topics": False,  # a broker that lost its topics would make them up as it likes
    "linger.ms": 1,
}
_CONSEQUENCES: Final = (KafkaError._FATAL, KafkaError._PURGE_INFLIGHT, KafkaError._PURGE_QUEUE)
"""Reports of messages that failed because another one did."""


@dataclass(slots=True)
class Window:
    """What became of some messages that were sent together, each known by its index."""

    confirmed: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    """Messages that Kafka does not take as they are, with the reason."""
    is_broken: bool = False
    """Whether the producer that sent them cannot be used any more."""
    sent: list[int] = field(default_factory=list)
    """What was handed to the producer."""

    def report(self, index: int, error: KafkaError | None, _message: Any) -> None:
        """The delivery report of one message."""
        if error is None:
            self.confirmed.add(index)
            return
        self.is_broken = True
        if error.code() not in _CONSEQUENCES:
            self.refused[index] = error.str()

    def report_failure(self, _error: KafkaError, _message: Any) -> None:
        """The report of a failure, from a producer that reports nothing else."""
        self.is_broken = True


class KafkaProducer:
    """An idempotent producer that is built when it is needed, and anew after every fault."""

    def __init__(
        self,
        cluster: KafkaCluster,
        clock: Clock,
        *,
        on_created: Callable[[frozenset[str]], None],
        on_away: Callable[[BrokerAway], None],
    ) -> None:
        """`on_created` hears of topics that were missing, `on_away` of a broker that does not answer."""
        self._cluster = cluster
        self._clock = clock
        self._on_created = on_created
        self._on_away = on_away
        self._producer: Producer | None = None
        self._window = Window()
        self._is_careful = False
        self._patience = PATIENCE_SECONDS

    def deliver(self, messages: Sequence[Message], keep_waiting: Callable[[], bool]) -> Window:
        """Sends `messages` in their order; returns when all are settled or waiting longer has no sense.

        A broker that is away is waited for as long as `keep_waiting()` is true. Messages of a key that follow
        a refused one are not sent. Raises BrokerAway or TopicUnusable when no producer can be built.
        """
        producer = self._ready_producer()
        window = self._window = Window()
        self._hand_over(producer, messages, window)
        self._await(producer, window, keep_waiting)
        if window.is_broken or len(producer):
            self.close()
            self._is_careful = True
            return window
        if not self._is_careful:
            window.confirmed.update(window.sent)
        self._patience = PATIENCE_SECONDS
        return window

    def close(self) -> None:
        """Lets go of the producer at once: what it owes is not waited for, and it sends nothing further."""
        self._producer = None

    def _ready_producer(self) -> Producer:
        if self._producer is None:
            created = ensure_topics(self._cluster)
            if created:
                self._on_created(created)
            reports = {} if self._is_careful else self._failures_alone()
            self._producer = Producer({**self._cluster.configuration(), **_SETTINGS, **reports})
        return self._producer

    def _failures_alone(self) -> dict[str, Any]:
        def report_failure(error: KafkaError, message: Any) -> None:
            self._window.report_failure(error, message)

        return {"delivery.report.only.error": True, "on_delivery": report_failure}

    def _hand_over(self, producer: Producer, messages: Sequence[Message], window: Window) -> None:
        blocked: set[bytes] = set()
        for index, message in enumerate(messages):
            if message.key in blocked:
                continue
            try:
                if self._is_careful:
                    report = partial(window.report, index)
                    producer.produce(message.topic, message.value, message.key, on_delivery=report)
                else:
                    producer.produce(message.topic, message.value, message.key)
                window.sent.append(index)
            except KafkaException as error:
                blocked.add(message.key)
                if error.args[0].fatal():
                    window.is_broken = True
                    return
                window.refused[index] = error.args[0].str()

    def _await(self, producer: Producer, window: Window, keep_waiting: Callable[[], bool]) -> None:
        """Returns when the producer owes nothing, is broken, or stands still before a broker that answers."""
        owed, since = len(producer), self._clock.monotonic()
        while not window.is_broken and _flush(producer, window, _LOOK_UP_SECONDS) and keep_waiting():
            if len(producer) != owed:
                owed, since = len(producer), self._clock.monotonic()
            elif self._clock.monotonic() - since > self._patience:
                if self._answers() and _flush(producer, window, _ANSWER_SECONDS) == owed:
                    self._patience = min(2 * self._patience, LONGEST_PATIENCE_SECONDS)
                    self._on_away(
                        BrokerAway("Kafka answers and confirms nothing; has each partition its replicas?")
                    )
                    return
                since = self._clock.monotonic()

    def _answers(self) -> bool:
        """Whether any broker answers at the moment: then it is our producer that is stuck, not Kafka."""
        client = AdminClient(self._cluster.configuration())
        try:
            partitions_by_topic(client, _ANSWER_SECONDS)
        except BrokerAway as error:
            self._on_away(error)
            return False
        return True


def _flush(producer: Producer, window: Window, seconds: float) -> int:  # float: seconds
    """Waits up to `seconds` for delivery reports; the number of messages still without one."""
    try:
        return producer.flush(seconds)
    except KafkaException:  # a fatal error; the reports of what it concerns have been made
        window.is_broken = True
        return len(producer)
