"""Fixtures of publishing: a broker of the test's own, relays, stores that post."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from shared.clock import SystemClock
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.relay import Relay
from sync_server.publishing.relay_metrics import RelayMetrics
from tests.kafka.posting_store import PostingStore


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker of this test's own, empty."""
    with EmbeddedKafka(tmp_path) as broker:
        yield broker


@pytest.fixture
def metrics() -> RelayMetrics:
    """What the relay of this test measures."""
    return RelayMetrics(CollectorRegistry())


@pytest.fixture
def relay(database: Database, broker: EmbeddedKafka, metrics: RelayMetrics) -> Iterator[Relay]:
    """A relay from this test's database to its broker."""
    relay = Relay(database, broker.cluster, SystemClock(), metrics)
    yield relay
    relay.close()


@pytest.fixture
def add_relay(database: Database, broker: EmbeddedKafka) -> Iterator[Callable[[], Relay]]:
    """Makes further relays of the same database and broker."""
    relays: list[Relay] = []

    def add() -> Relay:
        relays.append(Relay(database, broker.cluster, SystemClock(), RelayMetrics(CollectorRegistry())))
        return relays[-1]

    yield add
    for relay in relays:
        relay.close()


@pytest.fixture
def store(database: Database) -> PostingStore:
    """A store that posts."""
    return PostingStore(database)
