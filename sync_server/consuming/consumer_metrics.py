"""What the consumer tells of itself; docs/metrics.md says what each number is good for."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ConsumerMetrics:
    """The consumer's metrics in one registry; several processes add theirs up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "sync_server_consumed_messages_total",
            "Messages that were read from Kafka and are done, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "sync_server_dead_letters_total",
            "Messages that could not be posted and were laid aside.",
            ["topic", "reason"],
            registry=registry,
        )
        self.partitions = Gauge(
            "sync_server_consumer_partitions",
            "Partitions that this consumer has.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.paused = Gauge(
            "sync_server_consumer_partitions_paused",
            "Partitions that wait for the database, for a store or for the dead letters' topic.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.stopped = Gauge(
            "sync_server_consumer_stopped",
            "1 while nothing can be posted from Kafka.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.lag = Gauge(
            "sync_server_consumer_lag_messages",
            "Messages that lie in this consumer's partitions and are not done.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.rebalances = Counter(
            "sync_server_consumer_rebalances_total",
            "Times that partitions were given to or taken from this consumer.",
            registry=registry,
        )
