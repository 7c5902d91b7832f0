"""The tables of ingestion, as migration 0002 creates them: batches, events, and what events did to each other."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, DOCUMENT, INSTANT, VERBATIM, given_number


class PosBatch(SQLModel, table=True):
    """One batch as it was answered; the same batch again gets the same counts."""

    __tablename__ = "pos_batch"
    __table_args__ = (Index(None, "store_no", "received_at", "batch_id"),)

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    batch_id: str = Field(primary_key=True)
    content_hash: bytes
    channel: str
    """`agent` or `direct`."""
    caller: str
    request_id: str
    stream_no: int | None = None
    posted_at: datetime = Field(sa_type=INSTANT)
    """What the sender wrote as postedAt."""
    received_at: datetime = Field(sa_type=INSTANT)
    accepted: int
    duplicates: int
    held: int
    findings: Any = Field(sa_type=DOCUMENT, nullable=False)
    first_sequence: int | None = Field(default=None, sa_type=BIG)
    """The first and last storeSequence that its posting took."""
    last_sequence: int | None = Field(default=None, sa_type=BIG)


class PostedEvent(SQLModel, table=True):
    """One till event as it was posted; append-only. Its key is what makes it count once, for ever."""

    __tablename__ = "pos_event"
    __table_args__ = (
        Index("uq_pos_event_event_key", "store_no", "event_key", unique=True),
        Index(None, "store_no", "business_date", postgresql_where=text("stream_no IS NULL")),
    )

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    event_key: UUID
    event_id: str | None = None
    """The till's own spelling of the id, where that is not the key itself."""
    content_hash: bytes
    stream_no: int | None = None
    sequence: int | None = Field(default=None, sa_type=BIG)
    type: str
    item_no: int | None = None
    quantity: Decimal | None = None
    amount: Decimal | None = None
    tax_amount: Decimal | None = None
    cost: Decimal | None = None
    """What the goods of the line cost (≥ 0), in the store's currency."""
    currency: str | None = None
    """Of its money; none when it moved none."""
    tenders: Any = Field(default=None, sa_type=VERBATIM, nullable=True)
    """The line's own share of each tender, `[[type, amount], …]`; none: one unspecified tender for all of it."""
    sale_id: str | None = None
    line_number: int | None = None
    transaction_number: str | None = None
    workstation_id: str | None = None
    cashier_id: str | None = None
    occurred_at: datetime = Field(sa_type=INSTANT)
    time_reading: str
    business_date: date
    agent_business_date: date | None = None
    """What the agent stamped, where HQ computes another."""
    journal_sequence: int | None = Field(default=None, sa_type=BIG)
    details: Any = Field(default=None, sa_type=VERBATIM, nullable=True)
    """Every other field the till gave, unknown ones included."""


class PosSale(SQLModel, table=True):
    """Where the lines of a sale id are: one row per group that brought some."""

    __tablename__ = "pos_sale"

    store_no: int = Field(primary_key=True)
    sale_key: UUID = Field(primary_key=True)
    first_sequence: int = Field(primary_key=True, sa_type=BIG)
    last_sequence: int = Field(sa_type=BIG)


class VoidEffect(SQLModel, table=True):
    """A line taken back: the event that voids and the event that is voided, at most once."""

    __tablename__ = "void_effect"
    __table_args__ = (UniqueConstraint("store_no", "voided_sequence"),)

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    void_sequence: int = Field(sa_type=BIG)
    voided_sequence: int = Field(sa_type=BIG)


class VoidClaim(SQLModel, table=True):
    """A void that still concerns lines to come: one before its sale, or one of a whole sale."""

    __tablename__ = "void_claim"
    __table_args__ = (
        Index(None, "store_no", "void_sequence", postgresql_where=text("pending AND NOT reported")),
    )

    store_no: int = Field(primary_key=True)
    claim_key: UUID = Field(primary_key=True)
    """The key of the sale id or of the event id that is taken back."""
    void_sequence: int = Field(primary_key=True, sa_type=BIG)
    line_number: int | None = None
    pending: bool
    """Whether nothing had been taken back when the void was posted."""
    reported: bool = False
    """Whether it has waited so long that somebody was told."""


class SaleReturn(SQLModel, table=True):
    """How much of a sold line a return brought back."""

    __tablename__ = "sale_return"

    store_no: int = Field(primary_key=True)
    sold_sequence: int = Field(primary_key=True, sa_type=BIG)
    return_sequence: int = Field(primary_key=True, sa_type=BIG)
    quantity: Decimal


class HeldEvent(SQLModel, table=True):
    """An event that was received and may not be posted as it is; raw, with its reason, until a person decides."""

    __tablename__ = "held_event"
    __table_args__ = (
        UniqueConstraint("store_no", "event_key", "content_hash"),
        Index(None, "store_no", "group_key", postgresql_where=text("status = 'HELD'")),
    )

    held_event_no: int | None = given_number(big=True)
    store_no: int = Field(foreign_key="store.store_no")
    event_key: UUID
    event_id: str | None = None
    content_hash: bytes
    stream_no: int | None = None
    sequence: int | None = Field(default=None, sa_type=BIG)
    batch_id: str
    reason: str
    raw: Any = Field(sa_type=VERBATIM, nullable=False)
    received_at: datetime = Field(sa_type=INSTANT)
    status: str
    """HELD until it is RELEASED or DISCARDED; the database lets nobody decide twice."""
    group_key: UUID | None = None
    """What it came with: events of one group are released together. None: it stands alone."""
    subject: str | None = None
    """The subject of the finding that its holding raised."""
    decided_at: datetime | None = Field(default=None, sa_type=INSTANT)
    decided_by: str | None = None
    decision_reason: str | None = None
    released_key: UUID | None = None
    """The key of the event as which it was posted."""
