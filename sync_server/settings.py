"""Every setting of the server, declared once: name, default, unit and a sentence.

A setting is taken from the command line's flag, else from the environment (`SYNC_SERVER_PORT=9003`), else
from `sync-server.toml` in the data folder, else from its default. A name that nobody declared is refused,
wherever it stands: a misspelt setting must not pass as the default.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError

from shared.protocol import DEFAULT_LIMITS, Limits
from sync_server.errors import SettingsInvalid

ENVIRONMENT_PREFIX = "SYNC_SERVER_"
SETTINGS_FILE = "sync-server.toml"
DEFAULT_PORT = 9003


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least severe line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class KafkaSecurity(StrEnum):
    """What secures the line to Kafka, in Kafka's own words."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How a client signs in to Kafka."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class Part(StrEnum):
    """The parts of the server, which one machine runs together or several apart."""

    API = "api"
    RELAY = "relay"
    CONSUMER = "consumer"
    SCHEDULER = "scheduler"


class Settings(BaseSettings):
    """The server's settings; see `docs/settings.md`, which a test holds against this class."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: Path.home() / ".tillsync" / "sync-server",
        description="Folder for all that the server keeps: its settings file, the embedded PostgreSQL, logs.",
    )
    host: str = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 for every network of the machine."
    )
    port: int = Field(DEFAULT_PORT, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        None, description="Address by which stores reach this server, as printed on enrolment slips."
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that serve the API.")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL to use, postgresql://…; none runs an embedded one in the data folder."
    )
    database_owner_url: SecretStr | None = Field(
        None,
        description="The same database as the role that owns the schema, for `migrate`; none: database_url.",
    )
    database_pool_size: int = Field(
        8, ge=1, le=200, description="Connections that each API process keeps to PostgreSQL."
    )
    database_statement_timeout_seconds: int = Field(
        60, ge=1, description="Seconds after which PostgreSQL gives up a statement of the API."
    )
    kafka_bootstrap_servers: str | None = Field(
        None, description="Kafka brokers, host:port,…; none publishes nothing and the outbox waits."
    )
    kafka_group_id: str = Field(
        "inventory-core-cg",
        min_length=1,
        description="The consumer group that reads what tills say on Kafka.",
    )
    kafka_topic_sales: str = Field(
        "pos.sale", min_length=1, description="The topic of POSSaleEvent; dead letters go to it with .dlq."
    )
    kafka_topic_returns: str = Field("pos.return", min_length=1, description="The topic of POSReturnEvent.")
    kafka_topic_transfers: str = Field(
        "inventory.core.store-transfer", min_length=1, description="The topic of StoreTransferEvent."
    )
    kafka_session_timeout_seconds: int = Field(
        15, ge=6, le=300, description="Seconds after which a consumer that died without a word is missed."
    )
    kafka_security_protocol: KafkaSecurity = Field(
        KafkaSecurity.PLAINTEXT,
        description="How the line to Kafka is secured: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
    )
    kafka_ca_file: Path | None = Field(
        None, description="PEM file of the authorities that vouch for the brokers; none: the system's own."
    )
    kafka_certificate_file: Path | None = Field(
        None, description="PEM file of this server's certificate, where brokers ask for one."
    )
    kafka_key_file: Path | None = Field(None, description="PEM file of the key to that certificate.")
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        None, description="How this server signs in to Kafka: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_sasl_username: str | None = Field(None, description="The name by which it signs in to Kafka.")
    kafka_sasl_password: SecretStr | None = Field(None, description="The password to that name.")
    outbox_keep_days: int = Field(
        30, ge=1, description="Days after publishing for which a message can be published again."
    )
    limit_events: int = Field(DEFAULT_LIMITS.max_events, ge=1, description="Events that a batch may hold.")
    limit_body_bytes: int = Field(
        DEFAULT_LIMITS.max_body_bytes, ge=1024, description="Bytes that a request body may have as sent."
    )
    limit_decompressed_bytes: int = Field(
        DEFAULT_LIMITS.max_decompressed_bytes, ge=1024, description="Bytes that a gzip body may unpack to."
    )
    credential_cache_seconds: int = Field(
        10,
        ge=0,
        le=30,
        description="Seconds for which a checked credential is believed without asking the database.",
    )
    reservation_expiry_seconds: int = Field(
        5, ge=1, description="Seconds between two looks for reservations whose time is over."
    )
    availability_live_seconds: int = Field(
        180, ge=1, description="Seconds up to which what is known of a store's stock counts as LIVE."
    )
    availability_known_seconds: int = Field(
        86_400, ge=1, description="Seconds after which what is known of a store's stock counts as UNKNOWN."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1",),
        description="Addresses of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    shutdown_grace_seconds: int = Field(
        20, ge=1, description="Seconds that running requests get to end when the server is stopped."
    )
    log_format: LogFormat = Field(
        LogFormat.AUTO, description="console for people, json for machines, auto for console on a terminal."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="The least severe line that is logged.")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _names_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value and urlsplit(value.get_secret_value()).scheme not in (
            "postgresql",
            "postgres",
            "postgresql+psycopg",
        ):
            raise ValueError("must start with postgresql://")
        return value

    @property
    def limits(self) -> Limits:
        """What a request may weigh, as published in every store's profile."""
        return Limits(
            max_events=self.limit_events,
            max_body_bytes=self.limit_body_bytes,
            max_decompressed_bytes=self.limit_decompressed_bytes,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the file in the data folder that these two name."""
        named = init_settings().get("data_dir") or env_settings().get("data_dir")
        data_dir = (
            Path(named) if named else cls.model_fields["data_dir"].get_default(call_default_factory=True)
        )
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, data_dir / SETTINGS_FILE)


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings for one run; `flags` holds what the command line gave, None for what it did not.

    Raises SettingsInvalid with every name that is unknown and every value that cannot be used.
    """
    unknown = _unknown_variables(os.environ)
    if unknown:
        raise SettingsInvalid(
            f"No such setting: {', '.join(unknown)}. Correct or unset it; docs/settings.md lists all."
        )
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsInvalid(f"The settings cannot be used: {_sentence(error)}.") from error
    except (SettingsError, ValueError, OSError) as error:
        raise SettingsInvalid(f"The settings cannot be read: {error}") from error


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {ENVIRONMENT_PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and name not in known)


def _sentence(error: ValidationError) -> str:
    """Every fault of a validation, without the values: one of them may be a password."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False, include_context=False)
    )
