"""The items that a batch names, each once, whatever the till called it, with the store's stock of it."""

from collections.abc import Collection
from typing import Any

from psycopg import Cursor

from sync_server.ingestion.array_literals import texts
from sync_server.ingestion.known_state import BARCODE_MARK, KnownItem, read_stock
from sync_server.ingestion.references import References
from sync_server.inventory.item_catalogue import CatalogueItem, find_items, find_items_by_barcode
from sync_server.inventory.valuation import ZERO, StockPosition

_WITH_STOCK = """
SELECT i.item_id, i.item_no, i.placeholder, coalesce(s.on_hand, 0), coalesce(s.value, 0),
       coalesce(s.unit_cost, i.unit_cost, 0), s.last_sequence, nullif(s.reserved, 0)
FROM item i LEFT JOIN store_stock s ON s.store_no = %s AND s.item_no = i.item_no
WHERE i.item_id = ANY(%s::varchar[])
"""

_MAPPED = """
SELECT p.item_no, i.item_id FROM item p JOIN item i ON i.item_no = p.mapped_to_item_no
WHERE p.item_no = ANY(%s::int[])
"""
_OWNERS = """
SELECT b.barcode, i.item_id FROM item_barcode b JOIN item i USING (item_no) WHERE b.barcode = ANY(%s::varchar[])
"""


def read_items(cursor: Cursor[Any], store_no: int, of: References) -> dict[str, KnownItem]:
    """The items by what the till said (an item id, or a barcode behind BARCODE_MARK), where the store stands.

    An item that is named by its id here and by a barcode there is one and the same object, since posting moves
    its position along. What nobody has described yet becomes a placeholder, in this transaction.
    """
    named = _by_id(cursor, store_no, of.items) if of.items else {}
    if of.barcodes:
        _add_by_barcode(cursor, store_no, of.barcodes, named)
    if any(item.placeholder for item in named.values()):
        _follow_mappings(cursor, store_no, named)
    return named


def _follow_mappings(cursor: Cursor[Any], store_no: int, named: dict[str, KnownItem]) -> None:
    """A placeholder that a person has mapped stands for its item from then on, whatever tills call it."""
    placeholders = [item.item_no for item in named.values() if item.placeholder]
    mapped = dict(cursor.execute(_MAPPED, [placeholders]).fetchall())
    if not mapped:
        return
    targets = _by_id(cursor, store_no, set(mapped.values()) - named.keys())
    by_id = {item.item_id: item for item in named.values()} | targets
    for name, item in named.items():
        if item.item_no in mapped:
            named[name] = by_id[mapped[item.item_no]]


def conflicting_barcodes(cursor: Cursor[Any], named_twice: Collection[tuple[str, str]]) -> list[str]:
    """Barcodes that a line named beside the id of an item to which they do not belong."""
    if not named_twice:
        return []
    rows = cursor.execute(_OWNERS, [texts([barcode for _, barcode in named_twice])]).fetchall()
    owners: dict[str, str] = dict(rows)
    return sorted({barcode for item_id, barcode in named_twice if owners.get(barcode, item_id) != item_id})


def _by_id(cursor: Cursor[Any], store_no: int, ids: set[str]) -> dict[str, KnownItem]:
    cursor.execute(_WITH_STOCK, [store_no, texts(list(ids))], prepare=True)
    named = {
        item_id: KnownItem(
            number,
            item_id,
            StockPosition(on_hand, value, unit_cost),
            last_sequence,
            placeholder,
            on_hand < ZERO,
            reserved,
        )
        for item_id, number, placeholder, on_hand, value, unit_cost, last_sequence, reserved in cursor.fetchall()
    }
    if len(named) < len(ids):
        unknown = find_items(cursor, ids - named.keys())
        named |= {item_id: _without_stock(item) for item_id, item in unknown.items()}
    return named


def _add_by_barcode(
    cursor: Cursor[Any], store_no: int, barcodes: set[str], named: dict[str, KnownItem]
) -> None:
    by_number = {item.item_no: item for item in named.values()}
    fresh: list[KnownItem] = []
    for barcode, item in find_items_by_barcode(cursor, barcodes).items():
        known = by_number.get(item.item_no)
        if known is None:
            known = by_number[item.item_no] = _without_stock(item)
            fresh.append(known)
        named[f"{BARCODE_MARK}{barcode}"] = known
    read_stock(cursor, store_no, fresh)


def _without_stock(item: CatalogueItem) -> KnownItem:
    position = StockPosition(unit_cost=item.unit_cost or ZERO)
    return KnownItem(item.item_no, item.item_id, position, placeholder=item.placeholder)
