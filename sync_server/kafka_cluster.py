"""The Kafka cluster that relay and consumer speak to: where it is, and how the line to it is secured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """Brokers and what secures the line to them, in librdkafka's words; secrets are never shown."""

    bootstrap_servers: str
    security: Mapping[str, str] = field(default_factory=dict, repr=False)

    def configuration(self, options: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """The configuration of a client: what every one has, and `options`."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "log_level": 0,  # what matters is said once, by whoever tries again; librdkafka would repeat it
            "reconnect.backoff.max.ms": 1000,
            **self.security,
            **options,
        }
