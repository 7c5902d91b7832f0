"""Where a store stands with an item, in all its quantities, read under the store's lock for a document to move."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from sync_server.inventory.valuation import ZERO, StockPosition

_READ = """
SELECT i.item_no, i.item_id, coalesce(s.on_hand, 0), coalesce(s.value, 0), coalesce(s.unit_cost, i.unit_cost, 0),
       coalesce(s.reserved, 0), coalesce(s.in_transit, 0), coalesce(s.in_transit_value, 0), i.safety_stock,
       s.last_sequence
FROM item i LEFT JOIN store_stock s ON s.store_no = %s AND s.item_no = i.item_no
WHERE i.item_no = ANY(%s::int[]) ORDER BY i.item_no
"""


@dataclass(slots=True)
class ItemStock:
    """An item in a store; all quantities in the item's unit of measure, values in the store's currency."""

    item_no: int
    item_id: str
    position: StockPosition = field(default_factory=StockPosition)
    """On hand with its value; an item the store never had stands at its master cost."""
    reserved: Decimal = ZERO
    in_transit: Decimal = ZERO
    in_transit_value: Decimal = ZERO
    safety_stock: Decimal = ZERO
    last_sequence: int | None = None
    """The item's latest movement in the store."""

    @property
    def available(self) -> Decimal:
        """On hand − reserved − safety stock, never below zero."""
        return max(ZERO, self.position.on_hand - self.reserved - self.safety_stock)


def read_item_stock(cursor: Cursor[Any], store_no: int, item_nos: Collection[int]) -> dict[int, ItemStock]:
    """The store's stock of each item, by item number; item numbers that do not exist are left out.

    Call it under the store's lock when what it says is to be moved.
    """
    rows = cursor.execute(_READ, [store_no, list(item_nos)]).fetchall()
    return {
        item_no: ItemStock(
            item_no, item_id, StockPosition(on_hand, value, cost), reserved, transit, worth, safety, last
        )
        for item_no, item_id, on_hand, value, cost, reserved, transit, worth, safety, last in rows
    }
