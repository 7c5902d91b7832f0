"""Stock recomputed from its movements: the ledger is the truth, stock its projection, which can be made anew.

Each store is compared and put right under its lock, in a transaction of its own, while the others go on. The unit
cost follows from value and quantity while there is stock; while there is none it is frozen, no movement states it,
and it is left as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from psycopg.rows import class_row

from sync_server.database import Work
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import lock_store

MOST_AUDITED: Final = 100
"""Differences that the audit entry names one by one."""

_FIELDS: Final = (
    "on_hand",
    "value",
    "reserved",
    "in_transit",
    "in_transit_value",
    "unit_cost",
    "last_sequence",
)
_COMPARED = """
WITH moved AS (
    SELECT item_no, sum(quantity) AS on_hand, sum(value) AS value, sum(coalesce(reserved, 0)) AS reserved,
           sum(coalesce(in_transit, 0)) AS in_transit, sum(coalesce(in_transit_value, 0)) AS in_transit_value,
           max(store_sequence) AS last_sequence
    FROM stock_movement WHERE store_no = %(store_no)s GROUP BY item_no
), should AS (
    SELECT item_no, coalesce(m.on_hand, 0) AS on_hand, coalesce(m.value, 0) AS value,
           coalesce(m.reserved, 0) AS reserved, coalesce(m.in_transit, 0) AS in_transit,
           coalesce(m.in_transit_value, 0) AS in_transit_value,
           CASE WHEN m.on_hand > 0 THEN round(m.value / m.on_hand, 6)
                ELSE coalesce(s.unit_cost, i.unit_cost, 0) END AS unit_cost,
           m.last_sequence
    FROM moved m FULL JOIN (SELECT * FROM store_stock WHERE store_no = %(store_no)s) AS s USING (item_no)
    LEFT JOIN item i USING (item_no)
)
"""
_DIFFERENCES = _COMPARED + " UNION ALL ".join(
    f"""
    SELECT i.item_id, '{name}' AS field, s.{name}::numeric AS was, should.{name}::numeric AS is_now
    FROM should LEFT JOIN store_stock s ON s.store_no = %(store_no)s AND s.item_no = should.item_no
    LEFT JOIN item i ON i.item_no = should.item_no
    WHERE s.{name} IS DISTINCT FROM should.{name}
    """  # noqa: S608  # built from constants
    for name in _FIELDS
)
_PUT_RIGHT = f"""{_COMPARED}
INSERT INTO store_stock (store_no, item_no, {", ".join(_FIELDS)})
SELECT %(store_no)s, should.item_no, {", ".join(f"should.{name}" for name in _FIELDS)}
FROM should LEFT JOIN store_stock s ON s.store_no = %(store_no)s AND s.item_no = should.item_no
WHERE ({", ".join(f"s.{name}" for name in _FIELDS)}) IS DISTINCT FROM
      ({", ".join(f"should.{name}" for name in _FIELDS)})
ON CONFLICT (store_no, item_no) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FIELDS)}
"""  # noqa: S608  # built from constants


@dataclass(frozen=True, slots=True)
class StockDifference:
    """A field of a stock row that is not what the movements add up to; `was` None where the row is missing."""

    item_id: str | None
    field: str
    was: Decimal | None
    is_now: Decimal | None


def rebuild_stock(
    work: Work, store_no: int, *, apply: bool, reason: str, by: Caller, now: datetime
) -> Sequence[StockDifference]:
    """Where the store's stock differs from its movements; with `apply` it is put right, audited."""
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    # The lock has planned for postings, which name rows by key; this reads the whole ledger of a store.
    cursor.execute("SET LOCAL enable_seqscan = on")
    cursor.execute("SET LOCAL statement_timeout = 0")
    parameters: dict[str, Any] = {"store_no": store_no}
    with work.connection.cursor(row_factory=class_row(StockDifference)) as differing:
        found = differing.execute(f"{_DIFFERENCES} ORDER BY 1, 2".encode(), parameters).fetchall()
    if found and apply:
        cursor.execute(_PUT_RIGHT.encode(), parameters)
        before = {
            "differences": len(found),
            "stock": [_told(each, each.was) for each in found[:MOST_AUDITED]],
        }
        after = {"reason": reason, "stock": [_told(each, each.is_now) for each in found[:MOST_AUDITED]]}
        entry = facts_by(
            by, at=now, action="stock.rebuilt", subject=store.store_id, before=before, after=after
        )
        append_entry(work, store_no, entry)
    return found


def _told(difference: StockDifference, value: Decimal | None) -> dict[str, Any]:
    return {"itemId": difference.item_id, "field": difference.field, "value": value}
