"""The tables of reservations, as migration 0009 creates them; PostgreSQL refuses states that contradict themselves."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, INSTANT


class Reservation(SQLModel, table=True):
    """Goods of one item promised in one store; every quantity in the item's unit of measure."""

    __table_args__ = (
        Index(None, "store_no", "item_no", postgresql_where=text("status = 'OPEN'")),
        Index(None, "expires_at", postgresql_where=text("status = 'OPEN'")),
    )

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    reservation_id: str = Field(primary_key=True, unique=True)
    item_no: int = Field(foreign_key="item.item_no")
    quantity: Decimal
    """What was asked for and granted."""
    remaining: Decimal
    """What is still reserved; above zero exactly while the reservation is OPEN."""
    shipped: Decimal = Decimal(0)
    """What fulfilments have issued."""
    shipped_cost: Decimal = Decimal(0)
    """What that cost, in the store's currency."""
    billed: Decimal = Decimal(0)
    """How much of what was shipped a till has sold since."""
    billed_cost: Decimal = Decimal(0)
    taken: Decimal = Decimal(0)
    """What sales have issued from it while it was open."""
    status: str
    """OPEN, FULFILLED, RELEASED or EXPIRED."""
    expires_at: datetime = Field(sa_type=INSTANT)
    made_by: str
    made_at: datetime = Field(sa_type=INSTANT)
    closed_at: datetime | None = Field(default=None, sa_type=INSTANT)


class ReservationSale(SQLModel, table=True):
    """What a sold line had of a reservation; append-only. A void of the line gives exactly that back."""

    __tablename__ = "reservation_sale"
    __table_args__ = (
        ForeignKeyConstraint(
            ["store_no", "reservation_id"], ["reservation.store_no", "reservation.reservation_id"]
        ),
    )

    store_no: int = Field(primary_key=True)
    sale_sequence: int = Field(primary_key=True, sa_type=BIG)
    """The storeSequence of the sold line."""
    reservation_id: str
    billed: Decimal
    """Shipped before: the line moved no goods for it."""
    billed_cost: Decimal
    taken: Decimal
    """Reserved until the line issued it."""
