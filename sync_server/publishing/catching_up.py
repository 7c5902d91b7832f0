"""Publishing for a command: empties the outbox into Kafka and ends."""

from prometheus_client import CollectorRegistry

from shared.clock import Clock
from sync_server.database import Database
from sync_server.kafka_cluster import KafkaCluster
from sync_server.publishing.relay import Relay
from sync_server.publishing.relay_metrics import RelayMetrics


def catch_up(database: Database, cluster: KafkaCluster, clock: Clock) -> bool:
    """Publishes until nothing waits; false, and nothing done, when the relay of a running server leads.

    Raises BrokerAway, TopicUnusable or Unavailable; what was not published waits in the outbox.
    """
    return Relay(database, cluster, clock, RelayMetrics(CollectorRegistry())).catch_up()
