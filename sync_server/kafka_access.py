"""From the settings to the cluster: which security the line has, and whether the settings for it go together."""

from sync_server.errors import SettingsInvalid
from sync_server.kafka_cluster import KafkaCluster
from sync_server.settings import Settings


def cluster_of(settings: Settings) -> KafkaCluster:
    """The cluster that the settings name.

    Raises SettingsInvalid when none is named, when what the protocol needs is missing or not to be read, and
    when something is set that it does not use: a password that is never sent is a line less safe than it looks.
    """
    servers = settings.kafka_bootstrap_servers
    if servers is None:
        raise SettingsInvalid("No Kafka is named: set SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS.")
    protocol = settings.kafka_security_protocol.value
    security = {"security.protocol": protocol}
    if protocol.endswith("SSL"):
        security |= _tls(settings)
    else:
        _refuse_unused(settings, ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file"))
    if protocol.startswith("SASL"):
        security |= _sasl(settings)
    else:
        _refuse_unused(settings, ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password"))
    return KafkaCluster(servers, security)


def _tls(settings: Settings) -> dict[str, str]:
    files = {
        "ssl.ca.location": settings.kafka_ca_file,
        "ssl.certificate.location": settings.kafka_certificate_file,
        "ssl.key.location": settings.kafka_key_file,
    }
    if (settings.kafka_certificate_file is None) != (settings.kafka_key_file is None):
        raise SettingsInvalid("kafka_certificate_file and kafka_key_file go together: set both or none.")
    for path in files.values():
        if path is not None and not path.is_file():
            raise SettingsInvalid(f"{path} is no file that can be read; the settings name it for Kafka.")
    return {name: str(path) for name, path in files.items() if path is not None}


def _sasl(settings: Settings) -> dict[str, str]:
    mechanism, username = settings.kafka_sasl_mechanism, settings.kafka_sasl_username
    password = settings.kafka_sasl_password
    if mechanism is None or not username or password is None:
        raise SettingsInvalid(
            f"{settings.kafka_security_protocol} needs kafka_sasl_mechanism, kafka_sasl_username and "
            "kafka_sasl_password; set all three."
        )
    return {
        "sasl.mechanisms": mechanism.value,
        "sasl.username": username,
        "sasl.password": password.get_secret_value(),
    }


def _refuse_unused(settings: Settings, names: tuple[str, ...]) -> None:
    unused = [name for name in names if getattr(settings, name) is not None]
    if unused:
        raise SettingsInvalid(
            f"{', '.join(unused)} has no effect with kafka_security_protocol {settings.kafka_security_protocol}: "
            "choose a protocol that uses it, or unset it."
        )
