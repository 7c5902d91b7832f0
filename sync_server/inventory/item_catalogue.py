"""Which item a till means: by item id or barcode, with a placeholder for what HQ does not know yet.

Items are never deleted and never renumbered, so that a process may remember them.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Cursor

_BY_ID = """
SELECT item_id, item_no, item_id, unit_cost, placeholder FROM item WHERE item_id = ANY(%s::varchar[])
"""
_BY_BARCODE = """
SELECT b.barcode, i.item_no, i.item_id, i.unit_cost, i.placeholder
FROM item_barcode b JOIN item i ON i.item_no = b.item_no WHERE b.barcode = ANY(%s::varchar[])
"""
_PLACEHOLDERS = """
INSERT INTO item (item_id, description, unit_of_measure, placeholder)
SELECT id, 'Unknown item ' || id, 'EA', true FROM unnest(%s::varchar[]) AS id ORDER BY id
ON CONFLICT (item_id) DO NOTHING
"""
UNKNOWN_BARCODE_PREFIX = "barcode:"
"""What leads the item id of a placeholder that only a barcode is known of."""


class CatalogueItem(msgspec.Struct, frozen=True, gc=False):
    """An item as the master has it."""

    item_no: int
    item_id: str
    unit_cost: Decimal | None
    placeholder: bool


def find_items(cursor: Cursor[Any], item_ids: Iterable[str]) -> dict[str, CatalogueItem]:
    """The items with these ids; those that nobody has described yet become placeholders, in this transaction."""
    wanted = sorted(set(item_ids))
    found = _select(cursor, _BY_ID, wanted)
    if missing := [item_id for item_id in wanted if item_id not in found]:
        cursor.execute(_PLACEHOLDERS, [missing])
        found |= _select(cursor, _BY_ID, missing)
    return found


def find_items_by_barcode(cursor: Cursor[Any], barcodes: Iterable[str]) -> dict[str, CatalogueItem]:
    """The items with these barcodes; an unknown barcode gets a placeholder item named after it."""
    wanted = sorted(set(barcodes))
    if not wanted:
        return {}
    found = _select(cursor, _BY_BARCODE, wanted)
    missing = {f"{UNKNOWN_BARCODE_PREFIX}{code}": code for code in wanted if code not in found}
    if missing:
        placeholders = find_items(cursor, missing)
        found |= {missing[item_id]: item for item_id, item in placeholders.items()}
    return found


def _select(cursor: Cursor[Any], query: str, keys: list[str]) -> dict[str, CatalogueItem]:
    cursor.execute(query.encode(), [keys])
    return {row[0]: CatalogueItem(*row[1:]) for row in cursor}
