"""`sync-server publish --from`, as a person types it: a process of its own on a database and a broker."""

import os
import subprocess
import sys
from pathlib import Path

from shared.wire_json import decode_json
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.relay import Relay
from tests.kafka.posting_store import PostingStore
from tests.kafka.topic_reader import assert_in_order, read_published


def publish(
    database_url: str, brokers: str | None, data_dir: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """The command's outcome."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_SERVER_")}
    environment |= {"SYNC_SERVER_DATABASE_URL": database_url, "SYNC_SERVER_DATA_DIR": str(data_dir)}
    if brokers:
        environment["SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS"] = brokers
    command = [sys.executable, "-m", "sync_server", "publish", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_a_broker_that_lost_everything_is_filled_by_the_command_alone(
    database_url: str, relay: Relay, broker: EmbeddedKafka, store: PostingStore, tmp_path: Path
) -> None:
    for _ in range(3):
        store.sell()
    relay.catch_up()
    before = {message.raw for message in read_published(broker.bootstrap_servers)}
    broker.stop()
    broker.start()
    done = publish(database_url, broker.bootstrap_servers, tmp_path, "--from", "beginning", "--json")
    assert done.returncode == 0, done.stderr
    assert decode_json(done.stdout.encode()) == {"stores": 1, "messages": 12, "pruned": 0, "sent": True}
    messages = read_published(broker.bootstrap_servers)
    assert {message.raw for message in messages} == before
    assert_in_order(messages)


def test_while_a_relay_leads_the_command_leaves_the_sending_to_it(
    database_url: str, relay: Relay, broker: EmbeddedKafka, store: PostingStore, tmp_path: Path
) -> None:
    store.sell()
    relay.run_once()
    done = publish(database_url, broker.bootstrap_servers, tmp_path, "--from", "STORE-01:1")
    assert "4 messages of 1 stores will be sent again by the relay" in done.stdout
    assert relay.run_once().published == 4 + 1  # and what can be promised now


def test_without_kafka_the_outbox_waits(database_url: str, store: PostingStore, tmp_path: Path) -> None:
    store.sell()
    done = publish(database_url, None, tmp_path, "--from", "beginning", "--json")
    assert decode_json(done.stdout.encode()) == {"stores": 0, "messages": 0, "pruned": 0, "sent": False}
    assert store.published_sequence() == 0


def test_a_position_that_is_none_is_refused_in_one_sentence(database_url: str, tmp_path: Path) -> None:
    done = publish(database_url, None, tmp_path, "--from", "yesterday")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().endswith("or a store and its sequence such as STORE-01:1201.")
    assert "Traceback" not in done.stderr
