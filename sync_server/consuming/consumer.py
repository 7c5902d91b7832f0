"""The consumer: reads what tills and the inventory core say, posts it by store, commits the offsets behind it.

One thread does all of it: polls, posts, commits, and hears in the poll that partitions come and go. What cannot be
posted now, since the database is away or a store is held by somebody else, waits here; its partitions are paused
and polling goes on, so that the group never takes this consumer for dead. An offset is committed when the
transaction of every message before it is, or its dead letter is confirmed. A crash anywhere repeats messages;
their events are known by then.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, TopicPartition

from shared.clock import Clock
from shared.stop_request import StopRequest
from sync_server.consuming.consumer_metrics import ConsumerMetrics
from sync_server.consuming.core_transfer import CoreTransfer, read_word
from sync_server.consuming.dead_letters import DeadLetter, DeadLetters
from sync_server.consuming.inbound import Inbound
from sync_server.consuming.partition import Partition
from sync_server.consuming.pauses import Pauses
from sync_server.consuming.store_batches import Received, batches_by_store, without_open_group
from sync_server.consuming.store_posting import Posted, StoreIsBusy, StorePosting
from sync_server.consuming.transfer_posting import TransferPosting
from sync_server.database import Database
from sync_server.errors import SyncServerError, Unavailable
from sync_server.kafka_cluster import KafkaCluster
from sync_server.kafka_words import LastWords
from sync_server.publishing.errors import BrokerAway
from sync_server.publishing.outage import Outage

MESSAGES_AT_ONCE: Final = 500
POLL_SECONDS: Final = 0.2
"""How long a poll gathers messages; lines of one sale that come within it are one group."""
LONGEST_ROUND_SECONDS: Final = 20
"""Between two polls, however many stores keep us waiting; the group waits 300 seconds."""
_MEASURE_EVERY_SECONDS: Final = 5
_DOES_NOT_MATTER: Final = (KafkaError._PARTITION_EOF, KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT)

Place = tuple[str, int]
"""Topic and partition."""


class PosConsumer:
    """One member of the consumer group."""

    def __init__(
        self,
        database: Database,
        cluster: KafkaCluster,
        topics: Sequence[str],
        clock: Clock,
        metrics: ConsumerMetrics,
        *,
        group_id: str,
        session_timeout_seconds: int = 15,
    ) -> None:
        """A member that dies without a word is missed after `session_timeout_seconds`."""
        self._topics = list(topics)
        self._clock = clock
        self._metrics = metrics
        self._log: Any = structlog.get_logger(__name__)
        self._posting = StorePosting(database, clock)
        self._transfers = TransferPosting(database, clock, self._posting)
        self._dead_letters = DeadLetters(cluster)
        self._outage = Outage(
            self._log,
            clock,
            metrics.stopped,
            action="consumer",
            stopped="Nothing is posted from Kafka, its messages wait there",
            resumed="Posting from Kafka goes on",
        )
        self._pauses = Pauses(clock)
        self._partitions: dict[Place, Partition] = {}
        self._words = LastWords()
        self._open_groups: set[Place] = set()
        """Partitions of which a sale waits for its next lines."""
        self._missing: set[str] = set()
        self._measure_at = clock.monotonic()
        self._consumer = Consumer(
            cluster.configuration(
                {
                    "group.id": group_id,
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "partition.assignment.strategy": "cooperative-sticky",
                    "session.timeout.ms": session_timeout_seconds * 1000,
                    "heartbeat.interval.ms": session_timeout_seconds * 200,
                    "topic.metadata.refresh.interval.ms": 5000,
                    "socket.timeout.ms": 10_000,
                    "allow.auto.create.topics": False,
                    "error_cb": self._hear,
                }
            )
        )

    def run(self, stop: StopRequest) -> None:
        """Consumes until `stop` is set; what is being posted then is finished and committed."""
        self._consumer.subscribe(
            self._topics, on_assign=self._take_over, on_revoke=self._hand_over, on_lost=self._forget
        )
        try:
            while not stop.is_set():
                self._round(stop)
        finally:
            self._consumer.close()  # hands the partitions over, and that commits
            self._metrics.partitions.set(0)
            self._metrics.paused.set(0)

    def _round(self, stop: StopRequest) -> None:
        came = self._poll()
        if any(partition.waiting() for partition in self._partitions.values()):
            self._work_off(stop, more_lies_behind=came >= MESSAGES_AT_ONCE)
            self._commit(self._partitions.values())
        self._pause_and_resume()
        if self._clock.monotonic() >= self._measure_at:
            self._measure_at = self._clock.monotonic() + _MEASURE_EVERY_SECONDS
            self._measure()

    def _poll(self) -> int:
        came = self._consumer.consume(MESSAGES_AT_ONCE, POLL_SECONDS)
        for message in came:
            error = message.error()
            if error is not None:
                self._tell(error, message.topic())
                continue
            received = self._received(message)
            place = received.topic, received.partition
            self._partitions.setdefault(place, Partition(*place)).receive(received)
        return len(came)

    def _received(self, message: Any) -> Received:
        kind, milliseconds = message.timestamp()
        at = self._clock.now()
        if kind != TIMESTAMP_NOT_AVAILABLE and milliseconds > 0:
            at = datetime.fromtimestamp(milliseconds / 1000, UTC)
        value = message.value()
        return Received(
            message.topic(),
            message.partition(),
            message.offset(),
            message.key(),
            value,
            message.headers() or (),
            at,
            read_word(value),
        )

    def _work_off(self, stop: StopRequest, *, more_lies_behind: bool) -> None:
        """Posts what waits, store by store; a store or database that keeps us waiting is tried again later."""
        inbound: list[Received] = []
        transfers: list[Received] = []
        letters: list[DeadLetter] = []
        for message in self._due(more_lies_behind=more_lies_behind):
            if isinstance(message.content, Inbound):
                inbound.append(message)
            elif isinstance(message.content, CoreTransfer):
                transfers.append(message)
            else:
                letters.append((message, message.content))
        give_up_at = self._clock.monotonic() + LONGEST_ROUND_SECONDS
        batches = [
            (batch.store_id, partial(self._posting.post, batch)) for batch in batches_by_store(inbound)
        ]
        whole = [(each.content.store_id, partial(self._transfers.post, each)) for each in transfers]
        for store_id, post in (*batches, *whole):
            if stop.is_set() or self._clock.monotonic() > give_up_at or self._pauses.is_everything():
                break
            if not self._pauses.is_store(store_id):
                letters += self._post(store_id, post)
        if letters and not self._pauses.is_letters():
            self._lay_aside(letters)

    def _due(self, *, more_lies_behind: bool) -> Iterable[Received]:
        """What waits, but for the last lines of a sale whose next ones lie behind them in Kafka."""
        self._open_groups.clear()
        for place, partition in self._partitions.items():
            waiting = partition.waiting()
            due = without_open_group(waiting) if more_lies_behind else waiting
            if len(due) < len(waiting) < MESSAGES_AT_ONCE:
                self._open_groups.add(place)
            yield from due

    def _post(self, store_id: str, post: Callable[[], Posted]) -> list[DeadLetter]:
        try:
            posted = post()
        except StoreIsBusy:
            if self._pauses.pause_store(store_id):
                self._log.warning(
                    f"Store {store_id} is held by somebody else; its messages wait, others go on.",
                    action="consumer.store_busy",
                    store_id=store_id,
                )
            return []
        except Unavailable as error:
            self._pauses.pause_everything()
            self._outage.begin(error)
            return []
        self._outage.end()
        self._pauses.resume(store_id)
        self._finish(posted.done)
        for outcome in ("accepted", "duplicates", "held"):
            self._metrics.messages.labels(outcome).inc(getattr(posted, outcome))
        return posted.letters

    def _lay_aside(self, letters: Sequence[DeadLetter]) -> None:
        letters = sorted(letters, key=_place)
        try:
            confirmed = self._dead_letters.deliver(letters, self._clock.now())
        except SyncServerError as error:
            self._pauses.pause_letters()
            self._log.warning(
                f"Dead letters cannot be written and wait: {error}", action="consumer.letters_wait"
            )
            return
        self._finish(confirmed)
        done = {id(message) for message in confirmed}
        for message, why in letters:
            if id(message) not in done:
                self._pauses.pause_letters()
                continue
            self._metrics.messages.labels("dead_letter").inc()
            self._metrics.dead_letters.labels(message.topic, why.reason.value).inc()
            self._log.warning(
                f"A message was laid aside: {why.sentence}",
                action="consumer.dead_letter",
                topic=message.topic,
                partition=message.partition,
                offset=message.offset,
                reason=why.reason.value,
            )

    def _finish(self, messages: Iterable[Received]) -> None:
        for message in messages:
            partition = self._partitions.get((message.topic, message.partition))
            if partition is not None:
                partition.finish([message.offset])

    def _commit(self, partitions: Iterable[Partition]) -> None:
        """Tells Kafka how far each partition is done; what it does not hear now it hears the next time."""
        news = [
            (partition, mark)
            for partition in partitions
            if (mark := partition.mark()) is not None and mark != partition.committed
        ]
        if not news:
            return
        offsets = [TopicPartition(partition.topic, partition.number, mark) for partition, mark in news]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._log.info(
                f"Offsets could not be committed and are tried again: {error.args[0].str()}",
                action="consumer.commit_failed",
            )
            return
        for partition, mark in news:
            partition.committed = mark

    def _pause_and_resume(self) -> None:
        """A partition of which something waits is given nothing further; polling it goes on all the same."""
        waiting = {place for place, partition in self._partitions.items() if partition.waiting()}
        waiting -= self._open_groups
        pause, resume = self._pauses.change(waiting, self._partitions.keys())
        try:
            if pause:
                self._consumer.pause([TopicPartition(*place) for place in pause])
            if resume:
                self._consumer.resume([TopicPartition(*place) for place in resume])
        except KafkaException as error:  # a partition that was taken away meanwhile
            self._log.debug(error.args[0].str(), action="consumer.pause_failed")
        self._metrics.paused.set(len(waiting))

    def _take_over(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._metrics.rebalances.inc()
        for given in partitions:
            self._partitions[given.topic, given.partition] = Partition(given.topic, given.partition)
            self._pauses.forget((given.topic, given.partition))
        self._metrics.partitions.set(len(self._partitions))
        self._log.info(
            f"{len(partitions)} partitions were given to this consumer.",
            action="consumer.assigned",
            partitions=[f"{given.topic}/{given.partition}" for given in partitions],
        )

    def _hand_over(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """What is done is committed while the partitions are still ours; the rest is their next owner's."""
        places = [(taken.topic, taken.partition) for taken in partitions]
        self._commit([self._partitions[place] for place in places if place in self._partitions])
        self._forget(consumer, partitions)

    def _forget(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """They are somebody else's by now: nothing of them is posted or committed here any more."""
        self._metrics.rebalances.inc()
        for taken in partitions:
            self._partitions.pop((taken.topic, taken.partition), None)
            self._pauses.forget((taken.topic, taken.partition))
        self._metrics.partitions.set(len(self._partitions))
        self._log.info(
            f"{len(partitions)} partitions were taken from this consumer.", action="consumer.revoked"
        )

    def _hear(self, error: KafkaError) -> None:
        """What librdkafka says of its lines to the brokers."""
        self._words.hear(error)
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._outage.begin(BrokerAway(self._words.explain("No Kafka broker answers.")))

    def _tell(self, error: KafkaError, topic: str | None) -> None:
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            if topic is not None and topic not in self._missing:
                self._missing.add(topic)
                self._log.warning(
                    f"Topic {topic} is not there; it is read from its beginning once it is.",
                    action="consumer.topic_missing",
                    topic=topic,
                )
        elif error.code() not in _DOES_NOT_MATTER:
            self._log.warning(f"Kafka says: {error.str()}", action="consumer.kafka_error")

    def _measure(self) -> None:
        lag = 0
        for (topic, number), partition in self._partitions.items():
            place = TopicPartition(topic, number)
            try:
                low, high = self._consumer.get_watermark_offsets(place, cached=True)
            except KafkaException:  # nothing has been fetched of it yet
                continue
            mark = partition.mark()
            lag += max(0, high - (low if mark is None else mark)) if high > 0 else 0
        self._metrics.lag.set(lag)
        if self._outage.lasts and not self._pauses.is_everything():
            try:
                self._consumer.list_topics(timeout=1)
            except KafkaException:
                return
            self._outage.end()


def _place(letter: DeadLetter) -> tuple[str, int, int]:
    """Dead letters are written in the order of their messages."""
    message, _ = letter
    return message.topic, message.partition, message.offset
