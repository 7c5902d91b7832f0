"""The tables of reconciliations: the document, its content, who made it, and what came late for it.

PostgreSQL keeps the rules that matter most: a document begins OPEN, its content changes only while it is, and
nobody approves what they made.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, INSTANT

_DOCUMENT = ["reconciliation.store_no", "reconciliation.reconciliation_id"]


def _of_document() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["store_no", "reconciliation_id"], _DOCUMENT)


class Reconciliation(SQLModel, table=True):
    """A proposal to adjust a store's books: made by one person, approved by another, posted."""

    __table_args__ = (
        UniqueConstraint("reconciliation_id"),
        CheckConstraint("kind IN ('MONEY', 'COUNT', 'ADJUSTMENT')", name="kind"),
        Index(
            "uq_reconciliation_open",
            "store_no",
            "date",
            "reason",
            "variance_amount",
            "made_by",
            unique=True,
            postgresql_where=text("status = 'OPEN' AND kind = 'MONEY'"),
        ),
        Index(
            "uq_reconciliation_session",
            "store_no",
            "session",
            unique=True,
            postgresql_where=text("status = 'OPEN'"),
        ),
    )

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    reconciliation_id: str = Field(primary_key=True)
    date: date
    variance_amount: Decimal
    """Signed, in the store's currency: counted − system. Of a count, what it posted; 0 until then."""
    reason: str
    status: str
    """OPEN, APPROVED, POSTED or REJECTED."""
    complete: bool
    """Whether every event up to it had arrived when somebody looked last; after approval, then."""
    made_by: str
    made_at: datetime = Field(sa_type=INSTANT)
    kind: str = Field(default="MONEY", sa_column_kwargs={"server_default": "MONEY"})
    """MONEY: an amount alone. COUNT: items and tenders. ADJUSTMENT: a till's, above the store's limit."""
    session: str | None = None
    """The workstation's session in which a till counts; its lines join the open document of it."""
    content_hash: bytes | None = None
    """What it proposed when it was made."""
    counted_hash: bytes | None = None
    """The part of it that people counted, which late events do not change."""
    base_sequence: int | None = Field(default=None, sa_type=BIG)
    """What was posted up to this number came before the count, whatever its clock says."""
    approved_by: int | None = Field(default=None, foreign_key="person.person_no")
    approved_at: datetime | None = Field(default=None, sa_type=INSTANT)
    approved_hash: bytes | None = None
    """The content that the approver saw."""
    approval_reason: str | None = None
    rejected_by: str | None = None
    rejected_at: datetime | None = Field(default=None, sa_type=INSTANT)
    reject_reason: str | None = None
    posted_by: str | None = None
    posted_at: datetime | None = Field(default=None, sa_type=INSTANT)
    journal_sequence: int | None = Field(default=None, sa_type=BIG)
    cleared_by: str | None = None
    """Of money: the item count that has explained it since."""
    acknowledged_sequence: int | None = Field(default=None, sa_type=BIG)
    """Corrections up to this number have been seen by the approver."""


class ReconciliationMaker(SQLModel, table=True):
    """Somebody who made a part of it: a person, a cashier of the store, or a service that nobody stands behind."""

    __tablename__ = "reconciliation_maker"
    __table_args__ = (_of_document(),)

    store_no: int = Field(primary_key=True)
    reconciliation_id: str = Field(primary_key=True)
    maker: str = Field(primary_key=True)
    person_no: int | None = Field(default=None, foreign_key="person.person_no")
    cashier_id: str | None = None


class ReconciliationView(SQLModel, table=True):
    """What a person was shown of it, last, while it was open."""

    __tablename__ = "reconciliation_view"
    __table_args__ = (_of_document(),)

    store_no: int = Field(primary_key=True)
    reconciliation_id: str = Field(primary_key=True)
    person_no: int = Field(primary_key=True, foreign_key="person.person_no")
    content_hash: bytes
    seen_at: datetime = Field(sa_type=INSTANT)


class ReconciliationLine(SQLModel, table=True):
    """An item that was counted, or adjusted: there is no `counted` then, and the variance is what the till said."""

    __tablename__ = "reconciliation_line"
    __table_args__ = (
        _of_document(),
        CheckConstraint("counted >= 0", name="counted_not_negative"),
        Index(None, "store_no", "item_no", "counted_at"),
        Index("uq_reconciliation_line_event", "store_no", "event_sequence", unique=True),
    )

    store_no: int = Field(primary_key=True)
    reconciliation_id: str = Field(primary_key=True)
    line_number: int = Field(primary_key=True)
    item_no: int = Field(foreign_key="item.item_no")
    counted: Decimal | None = None
    counted_at: datetime = Field(sa_type=INSTANT)
    reason_code: str
    event_sequence: int | None = Field(default=None, sa_type=BIG)
    """The till's event, where a till counted."""
    stream_no: int | None = None
    sequence: int | None = Field(default=None, sa_type=BIG)
    workstation_id: str | None = None
    withdrawn: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    """Taken back by the till, or counted anew in the same session."""
    system_quantity: Decimal | None = None
    """What the books had at the count's instant; settled at approval, as the variance is."""
    variance_quantity: Decimal | None = None
    uncertain_quantity: Decimal | None = None
    """Moved so near to the count's instant, at other workstations, that no clock tells which came first."""
    value: Decimal | None = None
    """What the variance was worth when it was posted, signed."""
    movement_sequence: int | None = Field(default=None, sa_type=BIG)


class ReconciliationTender(SQLModel, table=True):
    """What lay in the drawer, and what the books say of that business date; settled at approval."""

    __tablename__ = "reconciliation_tender"
    __table_args__ = (_of_document(),)

    store_no: int = Field(primary_key=True)
    reconciliation_id: str = Field(primary_key=True)
    tender: str = Field(primary_key=True)
    counted: Decimal
    expected: Decimal | None = None


class CountCorrection(SQLModel, table=True):
    """What a movement dated before a settled count did, undone on that count: the shelf stays as it was counted."""

    __tablename__ = "count_correction"
    __table_args__ = (
        UniqueConstraint("store_no", "cause_sequence"),
        ForeignKeyConstraint(
            ["store_no", "reconciliation_id", "line_number"],
            [
                "reconciliation_line.store_no",
                "reconciliation_line.reconciliation_id",
                "reconciliation_line.line_number",
            ],
        ),
        Index(None, "store_no", "reconciliation_id"),
    )

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    """The correcting movement."""
    reconciliation_id: str
    line_number: int
    cause_sequence: int = Field(sa_type=BIG)
    """The movement that came late."""
    quantity: Decimal
    value: Decimal
    posted_at: datetime = Field(sa_type=INSTANT)
