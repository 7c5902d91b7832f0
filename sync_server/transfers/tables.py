"""The tables of transfers. No row is changed by two stores: each posts its own part, and status follows from both."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, CURRENCY, INSTANT


class Transfer(SQLModel, table=True):
    """From which store to which other; what has become of it follows from legs, receipts and settlements."""

    __table_args__ = (
        CheckConstraint("from_store_no <> to_store_no", name="two_stores"),
        CheckConstraint("(cancelled_at IS NULL) = (cancelled_by IS NULL)", name="cancelled_by_somebody"),
        Index("ix_transfer_from_store_no", "from_store_no", "made_at", "transfer_id"),
        Index("ix_transfer_to_store_no", "to_store_no", "made_at", "transfer_id"),
        Index("ix_transfer_made_at_transfer_id", "made_at", "transfer_id"),
    )

    transfer_id: str = Field(primary_key=True)
    from_store_no: int = Field(foreign_key="store.store_no")
    to_store_no: int = Field(foreign_key="store.store_no")
    made_by: str
    made_at: datetime = Field(sa_type=INSTANT)
    cancelled_by: str | None = None
    cancelled_at: datetime | None = Field(default=None, sa_type=INSTANT)


class TransferLine(SQLModel, table=True):
    """How much of an item was asked for."""

    __tablename__ = "transfer_line"
    __table_args__ = (CheckConstraint("requested > 0", name="requested_positive"),)

    transfer_id: str = Field(foreign_key="transfer.transfer_id", primary_key=True)
    item_no: int = Field(foreign_key="item.item_no", primary_key=True)
    requested: Decimal


class TransferLeg(SQLModel, table=True):
    """Goods that left their source, under the number of the movement that took them off its shelf; append-only.

    A leg taken back by a void is a further leg of the opposite sign.
    """

    __tablename__ = "transfer_leg"
    __table_args__ = (
        UniqueConstraint("store_no", "reverses"),
        Index("ix_transfer_leg_transfer_id", "transfer_id"),
    )

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    transfer_id: str
    item_no: int
    quantity: Decimal
    value: Decimal
    """What 1410 was debited with at the source, in `currency`."""
    currency: str = Field(sa_type=CURRENCY)
    reverses: int | None = Field(default=None, sa_type=BIG)
    made_by: str | None = None
    """Who shipped; none where a till did."""
    cashier_id: str | None = None
    shipped_at: datetime = Field(sa_type=INSTANT)


class TransferLegWaiting(SQLModel, table=True):
    """A leg that its destination has not taken into account; gone as soon as it has."""

    __tablename__ = "transfer_leg_waiting"
    __table_args__ = (Index("ix_transfer_leg_waiting_transfer_id", "transfer_id"),)

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    transfer_id: str


class TransferArrival(SQLModel, table=True):
    """A leg as its destination took it into account, once: the key is the leg's; append-only."""

    __tablename__ = "transfer_arrival"
    __table_args__ = (
        UniqueConstraint("store_no", "store_sequence"),
        Index("ix_transfer_arrival_transfer_id", "transfer_id", "store_no"),
    )

    from_store_no: int = Field(primary_key=True)
    leg_sequence: int = Field(primary_key=True, sa_type=BIG)
    store_no: int
    store_sequence: int = Field(sa_type=BIG)
    transfer_id: str
    item_no: int
    quantity: Decimal
    value: Decimal
    """The leg's value in the destination's currency: what it takes over of 1410 from the source."""
    variance: Decimal
    """What of the value went to cost variance, since goods were received before at another cost."""


class TransferReceipt(SQLModel, table=True):
    """Goods put on the shelf, under the number of that movement; append-only, a void is one of the opposite sign."""

    __tablename__ = "transfer_receipt"
    __table_args__ = (
        UniqueConstraint("store_no", "reverses"),
        Index("ix_transfer_receipt_transfer_id", "transfer_id", "store_no"),
    )

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    transfer_id: str
    item_no: int
    quantity: Decimal
    value: Decimal
    """What 1410 was credited with."""
    reverses: int | None = Field(default=None, sa_type=BIG)
    made_by: str | None = None
    cashier_id: str | None = None
    received_at: datetime = Field(sa_type=INSTANT)


class TransferSettlement(SQLModel, table=True):
    """A discrepancy closed for a reason, by somebody who took no part in the transfer; append-only."""

    __tablename__ = "transfer_settlement"
    __table_args__ = (Index("ix_transfer_settlement_transfer_id", "transfer_id", "store_no"),)

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    transfer_id: str
    item_no: int
    quantity: Decimal
    """Change of what is in transit: below zero for goods that never came, above for more than were shipped."""
    value: Decimal
    reason_code: str = Field(foreign_key="reason_code.reason_code")
    settled_by: str
    settled_at: datetime = Field(sa_type=INSTANT)
