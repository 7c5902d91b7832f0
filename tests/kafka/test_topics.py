"""The contract's topics on a real broker: created with 6 partitions, once, and refused when they are not so."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.errors import BrokerAway, TopicUnusable
from sync_server.publishing.topics import PUBLISHED_TOPICS, ensure_topics, partitions_by_topic

CONTRACT = {
    "inventory.pos.pos-sale.posted",
    "inventory.pos.pos-return.posted",
    "inventory.pos.store-stock.reconciled",
    "inventory.pos.pos-void.posted",
    "inventory.pos.store-transfer.updated",
    "inventory.pos.store-availability.updated",
    "inventory.pos.gl-journal.posted",
}


def test_every_topic_of_the_contract_has_six_partitions(broker: EmbeddedKafka) -> None:
    assert ensure_topics(broker.cluster) == CONTRACT
    client = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    assert partitions_by_topic(client, 5) == dict.fromkeys(CONTRACT, 6)


def test_topics_that_are_there_are_left_alone(broker: EmbeddedKafka) -> None:
    ensure_topics(broker.cluster)
    assert ensure_topics(broker.cluster) == frozenset()


def test_topics_created_by_four_at_once_are_created_once(broker: EmbeddedKafka) -> None:
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(ensure_topics, [broker.cluster] * 4))
    assert sorted(topic for topics in created for topic in topics) == sorted(PUBLISHED_TOPICS)


def test_a_topic_with_other_partitions_is_refused_with_what_to_do(broker: EmbeddedKafka) -> None:
    client = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    for made in client.create_topics([NewTopic("inventory.pos.pos-sale.posted", 4, 1)]).values():
        made.result()
    with pytest.raises(TopicUnusable, match=r"pos-sale\.posted has 4\. Delete such a topic"):
        ensure_topics(broker.cluster)


def test_no_broker_is_said_in_time(broker: EmbeddedKafka) -> None:
    broker.stop()
    with pytest.raises(BrokerAway, match="No Kafka broker answers"):
        ensure_topics(broker.cluster, timeout_seconds=1)
