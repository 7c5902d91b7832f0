"""A consumer as a process of its own, for tests that kill it: `python -m tests.kafka.consumer_process URL BROKERS`."""

import signal
import subprocess
import sys

from prometheus_client import CollectorRegistry

from shared.clock import SystemClock
from shared.stop_request import StopRequest
from sync_server.consuming.consumer import PosConsumer
from sync_server.consuming.consumer_metrics import ConsumerMetrics
from sync_server.database import Database
from sync_server.kafka_cluster import KafkaCluster
from tests.kafka.consuming import GROUP, TOPICS


def start_consumer(database_url: str, bootstrap_servers: str) -> subprocess.Popen[bytes]:
    """The running process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kafka.consumer_process", database_url, bootstrap_servers]
    )


if __name__ == "__main__":
    stop = StopRequest()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    PosConsumer(
        Database(sys.argv[1]),
        KafkaCluster(sys.argv[2]),
        TOPICS,
        SystemClock(),
        ConsumerMetrics(CollectorRegistry()),
        group_id=GROUP,
        session_timeout_seconds=6,
    ).run(stop)
