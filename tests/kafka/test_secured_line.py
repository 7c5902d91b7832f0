"""TLS and sign-in towards Kafka: what the settings say reaches librdkafka, and a refused line is told well.

The broker that comes along speaks plain text alone, so that TLS is real and taken off in front of it, and SASL is
tried as far as the broker's refusal.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from shared.clock import SystemClock
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.errors import SettingsInvalid
from sync_server.kafka_access import cluster_of
from sync_server.kafka_cluster import KafkaCluster
from sync_server.publishing.errors import BrokerAway
from sync_server.publishing.relay import Relay
from sync_server.publishing.relay_metrics import RelayMetrics
from sync_server.publishing.topics import ensure_topics
from sync_server.settings import Settings
from tests.free_ports import free_port
from tests.kafka.posting_store import PostingStore
from tests.kafka.tls_front import make_authority, tls_front

SASL: dict[str, Any] = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "SCRAM-SHA-512",
    "kafka_sasl_username": "tillsync",
    "kafka_sasl_password": SecretStr("geheim-7"),
}


def settings(tmp_path: Path, **named: Any) -> Settings:
    """Settings that name a Kafka, and what else is given."""
    named.setdefault("kafka_bootstrap_servers", "127.0.0.1:1")
    return Settings(data_dir=tmp_path / "data", **named)


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    """The authority that vouches for this test's broker."""
    return make_authority(tmp_path / "tls")


@pytest.fixture
def secured(tmp_path: Path, ca_file: Path) -> Iterator[str]:
    """The address of a broker that is reached by TLS alone."""
    port = free_port()
    with (
        EmbeddedKafka(tmp_path, advertised_port=port) as broker,
        tls_front(port, broker.port, ca_file.with_name("broker.pem")),
    ):
        yield f"127.0.0.1:{port}"


def test_the_relay_publishes_over_tls(
    database: Database, store: PostingStore, secured: str, ca_file: Path, tmp_path: Path
) -> None:
    store.sell()
    cluster = cluster_of(
        settings(
            tmp_path, kafka_bootstrap_servers=secured, kafka_security_protocol="SSL", kafka_ca_file=ca_file
        )
    )
    relay = Relay(database, cluster, SystemClock(), RelayMetrics(CollectorRegistry()))
    assert relay.catch_up()
    assert store.published_sequence() == store.last_sequence()


def test_a_broker_that_nobody_vouches_for_is_refused_and_told(secured: str, tmp_path: Path) -> None:
    stranger = make_authority(tmp_path / "stranger")
    cluster = cluster_of(
        settings(
            tmp_path, kafka_bootstrap_servers=secured, kafka_security_protocol="SSL", kafka_ca_file=stranger
        )
    )
    with pytest.raises(BrokerAway, match=r"The line is refused: .*certificate verify failed.*Check what"):
        ensure_topics(cluster, timeout_seconds=3)


def test_tls_towards_a_broker_of_plain_text_is_told(broker: EmbeddedKafka, tmp_path: Path) -> None:
    cluster = cluster_of(
        settings(tmp_path, kafka_bootstrap_servers=broker.bootstrap_servers, kafka_security_protocol="SSL")
    )
    with pytest.raises(BrokerAway, match="No Kafka broker answers"):
        ensure_topics(cluster, timeout_seconds=3)


def test_the_sign_in_reaches_librdkafka_and_its_password_no_text(ca_file: Path, tmp_path: Path) -> None:
    named = settings(tmp_path, kafka_ca_file=ca_file, **SASL)
    cluster = cluster_of(named)
    assert (
        cluster.configuration()
        | {
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(ca_file),
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": "tillsync",
            "sasl.password": "geheim-7",
        }
        == cluster.configuration()
    )
    Producer(cluster.configuration()).flush(0)  # librdkafka refuses what it does not know
    assert "geheim" not in repr(named) + repr(cluster) + str(named)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"kafka_bootstrap_servers": None}, "No Kafka is named"),
        ({**SASL, "kafka_sasl_password": None}, "SASL_SSL needs kafka_sasl_mechanism"),
        ({**SASL, "kafka_security_protocol": "SSL"}, "kafka_sasl_password has no effect with .* SSL"),
        ({"kafka_ca_file": Path("/etc/hostname")}, "kafka_ca_file has no effect with .* PLAINTEXT"),
        (
            {"kafka_security_protocol": "SSL", "kafka_ca_file": Path("/nowhere.pem")},
            "/nowhere.pem is no file",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_key_file": Path("/etc/hostname")},
            "kafka_certificate_file and kafka_key_file go together",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    named: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsInvalid, match=sentence):
        cluster_of(settings(tmp_path, **named))


def test_a_cluster_without_security_has_none() -> None:
    assert KafkaCluster("broker:9092").configuration().keys() == {
        "bootstrap.servers",
        "log_level",
        "reconnect.backoff.max.ms",
    }
