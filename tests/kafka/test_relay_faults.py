"""The relay under faults that a broker, a network and a process really have: nothing lost, nothing overtaken."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from structlog.testing import capture_logs

from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.errors import BrokerAway, TopicUnusable
from sync_server.publishing.relay import Relay
from sync_server.publishing.relay_metrics import RelayMetrics
from sync_server.publishing.republish import publish_from, read_position
from tests.kafka.posting_store import PostingStore
from tests.kafka.relay_process import start_relay
from tests.kafka.topic_reader import assert_in_order, read_published
from tests.kafka.waiting import wait_until

pytestmark = pytest.mark.long


@contextmanager
def running(relay: Relay) -> Iterator[None]:
    """The relay at work in a thread of its own."""
    stop = Event()
    thread = Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def wait_until_published(*stores: PostingStore) -> None:
    """Waits until the marks have reached what was posted."""
    wait_until(lambda: all(store.published_sequence() == store.last_sequence() for store in stores))


def assert_all_in_order(broker: EmbeddedKafka, *stores: PostingStore) -> None:
    """Every outbox row of `stores` is in the topics, first occurrences in the order of posting."""
    messages = read_published(broker.bootstrap_servers)
    assert_in_order(messages)
    for store in stores:
        assert {message.sequence for message in messages if message.key == store.store_id} == outbox_of(store)


def outbox_of(store: PostingStore) -> set[int]:
    """The store sequences of a store's outbox rows."""
    with store.database.reading() as work:
        rows = work.connection.execute(
            "SELECT store_sequence FROM outbox WHERE store_no = %s", [store.store_no]
        )
        return {sequence for (sequence,) in rows}


def test_a_frozen_broker_is_waited_for_and_nothing_is_overtaken(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.sell()
    with running(relay):
        wait_until_published(store)
        os.kill(broker.process_id, signal.SIGSTOP)
        for _ in range(3):
            store.sell(lines=20)
        Event().wait(7)
        assert store.published_sequence() < store.last_sequence()
        os.kill(broker.process_id, signal.SIGCONT)
        store.sell()
        wait_until_published(store)
    assert_all_in_order(broker, store)


def test_a_broker_that_is_away_is_said_once_in_the_log(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore, metrics: RelayMetrics
) -> None:
    broker.stop()
    store.sell()
    with capture_logs() as log, running(relay):
        wait_until(lambda: metrics.stopped._value.get() == 1)
        Event().wait(8)
        broker.start()
        wait_until_published(store)
    actions = [line["action"] for line in log]
    assert actions == ["publishing.stopped", "publishing.resumed"]
    assert metrics.stopped._value.get() == 0


def test_a_relay_that_waits_for_its_broker_stops_when_told(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore
) -> None:
    store.sell()
    with running(relay):
        wait_until_published(store)
        os.kill(broker.process_id, signal.SIGSTOP)
        store.sell()
        Event().wait(1)
    assert store.published_sequence() < store.last_sequence()


def test_a_broker_that_came_back_empty_is_filled_again_with_the_same_ids(
    database: Database, relay: Relay, broker: EmbeddedKafka, store: PostingStore, metrics: RelayMetrics
) -> None:
    for _ in range(4):
        store.sell()
    with capture_logs() as log, running(relay):
        wait_until_published(store)
        before = {
            message.value["eventId"]: message.raw for message in read_published(broker.bootstrap_servers)
        }
        os.kill(broker.process_id, signal.SIGKILL)
        wait_until(lambda: not broker.is_running())
        broker.start()
        store.sell()
        wait_until_published(store)
        again = publish_from(database, read_position("beginning"))
        assert (again.stores, again.messages) == (1, len(outbox_of(store)))
        wait_until_published(store)
    messages = read_published(broker.bootstrap_servers)
    found = {message.value["eventId"]: message.raw for message in messages}
    assert before.items() <= found.items()
    assert {message.sequence for message in messages} == outbox_of(store)
    assert [line["action"] for line in log if line["log_level"] == "error"] == ["publishing.topics_lost"]
    assert metrics.topics_lost._value.get() == 2


def test_a_killed_leader_is_replaced_and_nothing_is_lost_or_overtaken(
    database_url: str, broker: EmbeddedKafka, database: Database
) -> None:
    stores = [PostingStore(database, f"STORE-{number:02}") for number in range(4)]
    relays = [start_relay(database_url, broker.bootstrap_servers) for _ in range(2)]
    try:
        for store in stores:
            store.sell()
        wait_until_published(*stores)
        leader = next(relay for relay in relays if relay.pid in leaders(database))
        for turn in range(20):
            if turn == 10:
                leader.kill()
            for store in stores:
                store.sell(lines=10)
        wait_until_published(*stores)
    finally:
        for relay in relays:
            relay.kill()
            relay.wait()
    assert_all_in_order(broker, *stores)


def leaders(database: Database) -> set[int]:
    """The process ids of those who hold the relay's lock, by the name that they gave their connection."""
    with database.reading() as work:
        rows = work.connection.execute(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted"
        )
        return {int(name.rpartition(" ")[2]) for (name,) in rows}


def test_a_frozen_leader_that_wakes_up_harms_nothing(
    database_url: str, broker: EmbeddedKafka, store: PostingStore, add_relay: Callable[[], Relay]
) -> None:
    frozen = start_relay(database_url, broker.bootstrap_servers)
    try:
        store.sell()
        wait_until_published(store)
        os.kill(frozen.pid, signal.SIGSTOP)
        end_connection_of_leader(store.database)
        store.sell(lines=30)
        with running(add_relay()):
            wait_until_published(store)
            os.kill(frozen.pid, signal.SIGCONT)
            store.sell(lines=30)
            wait_until_published(store)
    finally:
        frozen.kill()
        frozen.wait()
    assert_all_in_order(broker, store)


def end_connection_of_leader(database: Database) -> None:
    """What the keepalive of TCP does to a leader that answers no more."""
    with database.reading() as work:
        work.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )


def test_a_message_that_kafka_does_not_take_stops_its_store_and_no_other(
    database: Database, relay: Relay, broker: EmbeddedKafka, metrics: RelayMetrics
) -> None:
    large, small = PostingStore(database, "LARGE"), PostingStore(database, "SMALL")
    large.sell(lines=2)
    # One journal that names 12,000 events of 100 characters each is more than Kafka's megabyte.
    large.sell_many(12_000)
    large.sell(lines=2)
    small.sell(lines=2)
    with capture_logs() as log:
        while relay.run_once().advanced:
            pass
    published = {message.key: message.sequence for message in read_published(broker.bootstrap_servers)}
    assert small.published_sequence() == small.last_sequence()
    assert large.published_sequence() == 3 + 12_000 == published["LARGE"]
    assert [line["store_id"] for line in log if line["log_level"] == "error"] == ["LARGE"]
    assert metrics.set_aside._value.get() == 1


def test_no_broker_and_a_misshapen_topic_are_told_to_whoever_makes_one_pass(
    relay: Relay, broker: EmbeddedKafka, store: PostingStore, tmp_path: Path
) -> None:
    store.sell()
    broker.stop()
    with pytest.raises(BrokerAway):
        relay.run_once()
    broker.start()
    client = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    client.create_topics([NewTopic("inventory.pos.pos-sale.posted", 1, 1)])[
        "inventory.pos.pos-sale.posted"
    ].result()
    with pytest.raises(TopicUnusable):
        relay.run_once()
    assert store.published_sequence() == 0
