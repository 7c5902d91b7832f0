"""A relay as a process of its own, for tests that kill it: `python -m tests.kafka.relay_process URL BROKERS`."""

import subprocess
import sys

from prometheus_client import CollectorRegistry

from shared.clock import SystemClock
from shared.stop_request import StopRequest
from sync_server.database import Database
from sync_server.kafka_cluster import KafkaCluster
from sync_server.publishing.relay import Relay
from sync_server.publishing.relay_metrics import RelayMetrics


def start_relay(database_url: str, bootstrap_servers: str) -> subprocess.Popen[bytes]:
    """The running process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kafka.relay_process", database_url, bootstrap_servers]
    )


if __name__ == "__main__":
    metrics = RelayMetrics(CollectorRegistry())
    Relay(Database(sys.argv[1]), KafkaCluster(sys.argv[2]), SystemClock(), metrics).run(StopRequest())
