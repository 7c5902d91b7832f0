"""What the relay tells of itself; docs/metrics.md says what each number is good for."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class RelayMetrics:
    """The relay's metrics in one registry; where several processes add up theirs, one leads and its word counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leads = Gauge(
            "sync_server_relay_leader",
            "1 where this process is the one that publishes.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.stopped = Gauge(
            "sync_server_relay_stopped",
            "1 while nothing can be published.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.published = Counter(
            "sync_server_messages_published_total",
            "Messages that Kafka has confirmed, repetitions included.",
            ["topic"],
            registry=registry,
        )
        self.set_aside = Gauge(
            "sync_server_relay_stores_set_aside",
            "Stores whose next message cannot be published.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.lag_messages = Gauge(
            "sync_server_outbox_lag_messages",
            "Store sequences that are posted and not yet published: at most so many messages wait.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.lag_seconds = Gauge(
            "sync_server_outbox_lag_seconds",
            "Age of the oldest posting that is not yet published.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.topics_lost = Counter(
            "sync_server_relay_topics_lost_total",
            "Topics that were missing although messages had been published there.",
            registry=registry,
        )

    def stand_by(self) -> None:
        """Another process publishes: what this one knew of it counts no longer."""
        for gauge in (self.leads, self.stopped, self.set_aside, self.lag_messages, self.lag_seconds):
            gauge.set(0)
