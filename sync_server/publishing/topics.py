"""The topics of the contract, and that each is there with its partitions."""

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from sync_server.kafka_cluster import KafkaCluster
from sync_server.kafka_words import LastWords
from sync_server.publishing.errors import BrokerAway, TopicUnusable
from sync_server.publishing.kinds import OutboxKind

__all__ = ["PARTITIONS", "PUBLISHED_TOPICS", "OutboxKind", "ensure_topics", "partitions_by_topic"]

PARTITIONS: Final = 6
PUBLISHED_TOPICS: Final = tuple(kind.topic for kind in OutboxKind)
_REPLICATION_OF_THE_CLUSTER: Final = -1
"""The cluster's own default: one on a laptop, three where somebody operates it."""
_NO_ANSWER: Final = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)


def ensure_topics(cluster: KafkaCluster, *, timeout_seconds: int = 5) -> frozenset[str]:
    """Creates the topics that are missing; returns the names of those it created.

    `timeout_seconds` bounds each request. Raises BrokerAway when no broker answers, TopicUnusable when a
    topic may not be created or has another number of partitions.
    """
    words = LastWords()
    client = AdminClient(cluster.configuration({"error_cb": words.hear}))
    partitions = partitions_by_topic(client, timeout_seconds, words)
    _refuse_misshapen(partitions)
    missing = [topic for topic in PUBLISHED_TOPICS if topic not in partitions]
    created = create_topics(client, missing, timeout_seconds)
    if created != set(missing):
        _refuse_misshapen(partitions_by_topic(client, timeout_seconds))
    return created


def partitions_by_topic(
    client: AdminClient, timeout_seconds: int, words: LastWords | None = None
) -> dict[str, int]:
    """The number of partitions of every topic of the cluster.

    Raises BrokerAway when no broker answers in time.
    """
    try:
        topics = client.list_topics(timeout=timeout_seconds).topics
    except KafkaException as error:
        client.poll(0)  # has what went wrong with the line told to whoever listens
        sentence = f"No Kafka broker answers: {error.args[0].str()}."
        raise BrokerAway(words.explain(sentence) if words else sentence) from error
    return {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}


def create_topics(client: AdminClient, topics: Iterable[str], timeout_seconds: int) -> frozenset[str]:
    """Creates topics with the contract's partitions; returns those that this call created.

    One that somebody else created meanwhile is as good. Raises BrokerAway or TopicUnusable.
    """
    wanted = [NewTopic(topic, PARTITIONS, _REPLICATION_OF_THE_CLUSTER) for topic in topics]
    if not wanted:
        return frozenset()
    futures = client.create_topics(wanted, request_timeout=timeout_seconds)
    return frozenset(topic for topic, future in futures.items() if _was_created(topic, future))


def _was_created(topic: str, future: Future[None]) -> bool:
    try:
        future.result()
    except KafkaException as error:
        reason: KafkaError = error.args[0]
        if reason.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        if reason.code() in _NO_ANSWER or reason.retriable():
            raise BrokerAway(f"No Kafka broker answers: {reason.str()}.") from error
        raise TopicUnusable(
            f"Topic {topic} cannot be created: {reason.str()} "
            f"Create it with {PARTITIONS} partitions, or allow this server to."
        ) from error
    return True


def _refuse_misshapen(partitions: dict[str, int]) -> None:
    wrong = {
        topic: partitions[topic]
        for topic in PUBLISHED_TOPICS
        if partitions.get(topic, PARTITIONS) != PARTITIONS
    }
    if wrong:
        found = ", ".join(f"{topic} has {number}" for topic, number in wrong.items())
        raise TopicUnusable(
            f"Topics must have {PARTITIONS} partitions, and {found}. Delete such a topic: it is then created "
            "anew, and `sync-server publish --from beginning` fills it."
        )
