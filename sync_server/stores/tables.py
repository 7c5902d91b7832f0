"""The tables of stores and their agents, as migration 0001 creates them."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.multirange import Multirange
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, CURRENCY, DOCUMENT, INSTANT, SEQUENCES, VERBATIM, given_number


class Store(SQLModel, table=True):
    """A shop: its identity, its day, and the heads of its two chains, both moved under this row's lock."""

    store_no: int | None = given_number()
    store_id: str = Field(unique=True)
    location_id: str
    timezone: str
    day_start: time
    currency: str = Field(sa_type=CURRENCY)
    created_at: datetime = Field(sa_type=INSTANT)
    intake: str | None = None
    """The one way by which its events come; None until the first batch claims it."""
    intake_declared: bool = False
    """Whether a person chose it."""
    last_sequence: int = Field(default=0, sa_type=BIG)
    """The storeSequence given last: gapless, in the order of commits."""
    audit_sequence: int = Field(default=0, sa_type=BIG)
    audit_hash: bytes = bytes(32)
    closed_through: date | None = None
    """The last day of the closed periods; what arrives for one of them is booked on the day after."""
    counted_until: datetime | None = Field(default=None, sa_type=INSTANT)
    """The latest instant of an approved count; what is dated up to it may have to be corrected."""
    adjustment_limit: Decimal | None = None
    """What a till may adjust at once without approval, in the store's currency; none: any amount."""


class Device(SQLModel, table=True):
    """One enrolled agent and the SHA-256 of its credential; enrolling the device anew replaces it."""

    device_no: int | None = given_number()
    store_no: int = Field(foreign_key="store.store_no")
    device_id: UUID = Field(unique=True)
    device_name: str
    credential_sha256: bytes = Field(unique=True)
    agent_version: str
    enrolled_at: datetime = Field(sa_type=INSTANT)
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)
    signing_key: bytes | None = None
    """The public half of the device's Ed25519 key, by which its export files are checked."""


class Stream(SQLModel, table=True):
    """One agent's numbered sequence of events, and which of its numbers have been received."""

    __table_args__ = (UniqueConstraint("store_no", "stream_id"),)

    stream_no: int | None = given_number()
    store_no: int = Field(foreign_key="store.store_no")
    stream_id: str
    device_no: int | None = Field(default=None, foreign_key="device.device_no")
    received: Any = Field(default_factory=Multirange, sa_type=SEQUENCES, nullable=False)


class EnrolmentCode(SQLModel, table=True):
    """A one-time code, by its SHA-256: for which store, until when, and which device took it."""

    __tablename__ = "enrolment_code"

    code_sha256: bytes = Field(primary_key=True)
    store_no: int = Field(foreign_key="store.store_no")
    created_at: datetime = Field(sa_type=INSTANT)
    created_by: str
    expires_at: datetime = Field(sa_type=INSTANT)
    used_at: datetime | None = Field(default=None, sa_type=INSTANT)
    device_id: UUID | None = None


class AgentHeartbeat(SQLModel, table=True):
    """What an agent said of itself last; the history of contact is not kept here."""

    __tablename__ = "agent_heartbeat"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    device_no: int = Field(foreign_key="device.device_no", primary_key=True)
    received_at: datetime = Field(sa_type=INSTANT)
    sent_at: datetime = Field(sa_type=INSTANT)
    agent_version: str
    stream_id: str
    timezone_data: str
    clock_offset_ms: int | None = Field(default=None, sa_type=BIG)
    backlog_events: int = Field(sa_type=BIG)
    oldest_accepted_at: datetime | None = Field(default=None, sa_type=INSTANT)
    last_sequence: int = Field(sa_type=BIG)
    acknowledged_sequence: int = Field(sa_type=BIG)
    undeliverable: int = Field(sa_type=BIG)
    disk_free_bytes: int = Field(sa_type=BIG)
    alarms: Any = Field(default_factory=list, sa_type=VERBATIM, nullable=False)
    """What is wrong with its PC, `[{code, since, sentence}, …]`."""


class AgentCommand(SQLModel, table=True):
    """An instruction that a store's agents fetch: from a closed list, expiring, answered once."""

    __tablename__ = "agent_command"
    __table_args__ = (Index(None, "store_no", postgresql_where=text("finished_at IS NULL")),)

    command_no: int | None = given_number(big=True)
    command_id: UUID = Field(unique=True)
    store_no: int = Field(foreign_key="store.store_no")
    device_no: int | None = Field(default=None, foreign_key="device.device_no")
    type: str
    arguments: dict[str, Any] = Field(sa_type=DOCUMENT)
    created_at: datetime = Field(sa_type=INSTANT)
    created_by: str
    expires_at: datetime = Field(sa_type=INSTANT)
    finished_at: datetime | None = Field(default=None, sa_type=INSTANT)
    succeeded: bool | None = None
    result: dict[str, Any] | None = Field(default=None, sa_type=VERBATIM)
    reason: str | None = None
    """Why a person asked for it."""
    attachment: bytes | None = None
    """A file that the answer brought along: the zip of a BUNDLE."""


class CarriedFile(SQLModel, table=True):
    """An export file that was carried to headquarters by hand, as it was first taken in; append-only."""

    __tablename__ = "carried_file"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    sha256: bytes = Field(primary_key=True)
    device_no: int | None = Field(default=None, foreign_key="device.device_no")
    rescued: bool
    """Not signed: read from a dead PC's disk, and taken in on a person's word."""
    reason: str | None = None
    made_at: datetime = Field(sa_type=INSTANT)
    imported_at: datetime = Field(sa_type=INSTANT)
    imported_by: str
    batches: int
    events: int = Field(sa_type=BIG)
    accepted: int = Field(sa_type=BIG)
    duplicates: int = Field(sa_type=BIG)
    held: int = Field(sa_type=BIG)


class StoreDay(SQLModel, table=True):
    """What the last comparison said of one stream's events of one business date."""

    __tablename__ = "store_day"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    business_date: date = Field(primary_key=True)
    stream_no: int = Field(foreign_key="stream.stream_no", primary_key=True)
    state: str
    digest: bytes
    events: int = Field(sa_type=BIG)
    compared_at: datetime = Field(sa_type=INSTANT)
    proven_at: datetime | None = Field(default=None, sa_type=INSTANT)


class Finding(SQLModel, table=True):
    """Something posted that a person should look at; at most one open per store, code and subject."""

    __table_args__ = (
        Index(
            "uq_finding_open",
            "store_no",
            "code",
            "subject",
            unique=True,
            postgresql_where=text("status = 'OPEN'"),
        ),
    )

    finding_no: int | None = given_number(big=True)
    store_no: int = Field(foreign_key="store.store_no")
    code: str
    subject: str
    count: int = Field(sa_type=BIG)
    status: str
    first_seen: datetime = Field(sa_type=INSTANT)
    last_seen: datetime = Field(sa_type=INSTANT)
    closed_by: str | None = None
    close_reason: str | None = None
    detail: str | None = None
    """The figures behind it, as they were last: which numbers are missing, what differs."""
