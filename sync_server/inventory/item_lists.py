"""Items of the master as they are listed; reading only."""

from typing import Any

from psycopg.rows import namedtuple_row

from sync_server.database import Work
from sync_server.errors import NotFound

_ITEM = """
SELECT i.item_id, i.description, i.unit_of_measure, i.unit_cost, i.price, i.safety_stock, i.placeholder,
       (SELECT m.item_id FROM item m WHERE m.item_no = i.mapped_to_item_no) AS mapped_to,
       array(SELECT b.barcode FROM item_barcode b WHERE b.item_no = i.item_no ORDER BY b.barcode) AS barcodes
FROM item i
"""
_PAGE = f"""{_ITEM}
WHERE i.item_id > %(after)s AND (%(placeholder)s::boolean IS NULL OR i.placeholder = %(placeholder)s::boolean)
ORDER BY i.item_id LIMIT %(limit)s
"""
_ONE = f"{_ITEM} WHERE i.item_id = %s"


def list_items(work: Work, *, after: str, limit: int, placeholder: bool | None) -> list[Any]:
    """Items by id, from the one after `after` on; all of them, placeholders alone, or none of those."""
    parameters = {"after": after, "limit": limit, "placeholder": placeholder}
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        return list(cursor.execute(_PAGE, parameters))


def find_item(work: Work, item_id: str) -> Any:
    """The item of that id; raises NotFound."""
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        row: Any = cursor.execute(_ONE, [item_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no item {item_id!r}")
    return row
