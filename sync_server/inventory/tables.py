"""The tables of items, as migration 0001 creates them."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, given_number


class Item(SQLModel, table=True):
    """What can be sold. A placeholder stands for an item that a till knew before headquarters did."""

    __table_args__ = (
        CheckConstraint("safety_stock >= 0", name="safety_stock_not_negative"),
        Index(None, "mapped_to_item_no", postgresql_where=text("mapped_to_item_no IS NOT NULL")),
        CheckConstraint("mapped_to_item_no IS NULL OR placeholder", name="only_placeholders_are_mapped"),
        Index(None, "change_sequence", "item_no", postgresql_where=text("change_sequence > 0")),
    )

    item_no: int | None = given_number()
    item_id: str = Field(unique=True)
    description: str
    unit_of_measure: str
    unit_cost: Decimal | None = None
    price: Decimal | None = None
    safety_stock: Decimal = Decimal(0)
    placeholder: bool = False
    mapped_to_item_no: int | None = Field(default=None, foreign_key="item.item_no")
    """Of a placeholder: the item that it really was."""
    change_sequence: int = Field(default=0, sa_type=BIG)
    """The position of the item's last change of barcodes; agents read on from the position they know."""


class ItemBarcode(SQLModel, table=True):
    """A barcode and the one item that it stands for."""

    __tablename__ = "item_barcode"

    barcode: str = Field(primary_key=True)
    item_no: int = Field(foreign_key="item.item_no", index=True)
