"""The items that a batch names, each once, whatever the till called it."""

from collections.abc import Iterable
from typing import Any

from psycopg import Cursor

from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import BARCODE_MARK, KnownItem
from sync_server.inventory.item_catalogue import CatalogueItem, find_items, find_items_by_barcode
from sync_server.inventory.valuation import ZERO, StockPosition


def read_items(cursor: Cursor[Any], of: Iterable[Arrival]) -> dict[str, KnownItem]:
    """The items by what the till said (an item id, or a barcode behind BARCODE_MARK).

    An item that is named by its id here and by a barcode there is one and the same object, since posting moves
    its position along.
    """
    ids: set[str] = set()
    barcodes: set[str] = set()
    for arrival in of:
        if arrival.event.item_id is not None:
            ids.add(arrival.event.item_id)
        elif arrival.event.barcode is not None:
            barcodes.add(arrival.event.barcode)
    by_number: dict[int, KnownItem] = {}
    named = {item_id: _known(item, by_number) for item_id, item in find_items(cursor, ids).items()}
    for barcode, item in find_items_by_barcode(cursor, barcodes).items():
        named[f"{BARCODE_MARK}{barcode}"] = _known(item, by_number)
    return named


def _known(item: CatalogueItem, by_number: dict[int, KnownItem]) -> KnownItem:
    known = by_number.get(item.item_no)
    if known is None:
        position = StockPosition(unit_cost=item.unit_cost or ZERO)
        known = KnownItem(item.item_no, item.item_id, position, placeholder=item.placeholder)
        by_number[item.item_no] = known
    return known
