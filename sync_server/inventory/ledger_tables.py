"""The stock ledger, by migrations 0002, 0004, 0009 and 0013: movements for ever, stock as their projection."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, INSTANT


class StockMovement(SQLModel, table=True):
    """One change of an item's stock in a store; append-only, immutable by database rule."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        Index(
            "ix_stock_movement_reason",
            "store_no",
            "accounting_date",
            postgresql_where=text("reason_code IS NOT NULL"),
        ),
    )

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    item_no: int
    type: str
    """SALE, RETURN, VOID, RECEIPT, OPENING_STOCK, or what a document calls its movement."""
    quantity: Decimal
    """Change of on hand, signed, in the item's unit of measure."""
    value: Decimal
    """Change of inventory value, signed, in the store's currency, whole minor units."""
    on_hand_after: Decimal
    """On hand once this movement is posted: the ledger proves itself at every step."""
    previous_sequence: int | None = Field(default=None, sa_type=BIG)
    """The item's movement before this one: an item's history is walked without an index of its own."""
    event_sequence: int | None = Field(default=None, sa_type=BIG)
    """The till event that caused it."""
    journal_sequence: int | None = Field(default=None, sa_type=BIG)
    """The journal that books its value; none when nothing has a value."""
    reason_code: str | None = None
    business_date: date
    accounting_date: date
    occurred_at: datetime = Field(sa_type=INSTANT)
    reserved: Decimal | None = None
    """Change of what is reserved, signed; none for nearly every movement."""
    in_transit: Decimal | None = None
    """Change of what is under way to the store, signed."""
    in_transit_value: Decimal | None = None
    """Change of the value of what is under way, signed, in the store's currency."""
    document: str | None = None
    """The document of headquarters that caused it, where no till event did."""


class StoreStock(SQLModel, table=True):
    """A store's stock of an item: Σ of its movements, kept in the same transaction."""

    __tablename__ = "store_stock"
    __table_args__ = (Index(None, "item_no", "store_no"),)

    store_no: int = Field(primary_key=True)
    item_no: int = Field(primary_key=True)
    on_hand: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    in_transit: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    unit_cost: Decimal = Decimal(0)
    """Value per unit while on hand is above zero; frozen while it is not."""
    last_sequence: int | None = Field(default=None, sa_type=BIG)
    """The item's latest movement."""
    in_transit_value: Decimal = Decimal(0)
