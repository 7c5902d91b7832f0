"""Writing what happened to goods under way: legs that left, legs that arrived, receipts, settlements.

Each row has the number of the movement that it explains. A step that is taken back is a further row of the
opposite sign, copied from the one it reverses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

_LEGS = """
WITH left_with AS (
    SELECT * FROM unnest(%(numbers)s::bigint[], %(transfers)s::varchar[], %(items)s::int[], %(quantities)s::numeric[],
                         %(values)s::numeric[], %(makers)s::varchar[], %(cashiers)s::varchar[])
        AS leg (store_sequence, transfer_id, item_no, quantity, value, made_by, cashier_id)
), waiting AS (
    INSERT INTO transfer_leg_waiting (store_no, store_sequence, transfer_id)
    SELECT %(store_no)s, store_sequence, transfer_id FROM left_with
)
INSERT INTO transfer_leg (store_no, store_sequence, transfer_id, item_no, quantity, value, currency, made_by,
                          cashier_id, shipped_at)
SELECT %(store_no)s, store_sequence, transfer_id, item_no, quantity, value, %(currency)s, made_by, cashier_id, %(now)s
FROM left_with
"""
_RECEIPTS = """
INSERT INTO transfer_receipt (store_no, store_sequence, transfer_id, item_no, quantity, value, made_by, cashier_id,
                              received_at)
SELECT %(store_no)s, receipt.*, %(now)s
FROM unnest(%(numbers)s::bigint[], %(transfers)s::varchar[], %(items)s::int[], %(quantities)s::numeric[],
            %(values)s::numeric[], %(makers)s::varchar[], %(cashiers)s::varchar[]) AS receipt
"""
_REVERSED_LEGS = """
WITH back AS (
    INSERT INTO transfer_leg (store_no, store_sequence, transfer_id, item_no, quantity, value, currency, reverses,
                              made_by, cashier_id, shipped_at)
    SELECT leg.store_no, undone.number, transfer_id, item_no, -quantity, -value, currency, leg.store_sequence,
           made_by, cashier_id, %(now)s
    FROM unnest(%(numbers)s::bigint[], %(reversed)s::bigint[]) AS undone (number, reversed)
    JOIN transfer_leg leg ON leg.store_no = %(store_no)s AND leg.store_sequence = undone.reversed
    RETURNING store_no, store_sequence, transfer_id
)
INSERT INTO transfer_leg_waiting (store_no, store_sequence, transfer_id) SELECT * FROM back
"""
_REVERSED_RECEIPTS = """
INSERT INTO transfer_receipt (store_no, store_sequence, transfer_id, item_no, quantity, value, reverses, made_by,
                              cashier_id, received_at)
SELECT got.store_no, undone.number, transfer_id, item_no, -quantity, -value, got.store_sequence, made_by, cashier_id,
       %(now)s
FROM unnest(%(numbers)s::bigint[], %(reversed)s::bigint[]) AS undone (number, reversed)
JOIN transfer_receipt got ON got.store_no = %(store_no)s AND got.store_sequence = undone.reversed
RETURNING transfer_id
"""
_ARRIVAL = """
WITH no_longer_waiting AS (
    DELETE FROM transfer_leg_waiting WHERE store_no = %(from)s AND store_sequence = %(leg)s
)
INSERT INTO transfer_arrival (from_store_no, leg_sequence, store_no, store_sequence, transfer_id, item_no, quantity,
                              value, variance)
VALUES (%(from)s, %(leg)s, %(store_no)s, %(number)s, %(transfer_id)s, %(item_no)s, %(quantity)s, %(value)s,
        %(variance)s)
"""
_SETTLEMENT = """
INSERT INTO transfer_settlement (store_no, store_sequence, transfer_id, item_no, quantity, value, reason_code,
                                 settled_by, settled_at)
VALUES (%(store_no)s, %(number)s, %(transfer_id)s, %(item_no)s, %(quantity)s, %(value)s, %(reason_code)s, %(by)s,
        %(now)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Goods of one item that left a store or were put on its shelf, under the number of that movement.

    `quantity` > 0; `value` is what 1410 took or gave. Who did it: `made_by`, or the cashier of a till.
    """

    number: int
    transfer_id: str
    item_no: int
    quantity: Decimal
    value: Decimal
    made_by: str | None = None
    cashier_id: str | None = None


@dataclass(frozen=True, slots=True)
class UndoneStep:
    """The number of a movement that takes a step back, and the step's own."""

    number: int
    reversed: int


def write_legs(
    cursor: Cursor[Any], store_no: int, currency: str, legs: Sequence[Step], now: datetime
) -> None:
    """Writes what left the store, each a leg that waits for its destination."""
    if legs:
        cursor.execute(_LEGS, _columns(store_no, legs, now) | {"currency": currency})


def write_receipts(cursor: Cursor[Any], store_no: int, receipts: Sequence[Step], now: datetime) -> None:
    """Writes what was put on the store's shelf."""
    if receipts:
        cursor.execute(_RECEIPTS, _columns(store_no, receipts, now))


def undo_legs(cursor: Cursor[Any], store_no: int, undone: Sequence[UndoneStep], now: datetime) -> None:
    """Writes legs of the opposite sign; their destination takes them into account as it does any other."""
    if undone:
        cursor.execute(_REVERSED_LEGS, _pairs(store_no, undone, now))


def undo_receipts(
    cursor: Cursor[Any], store_no: int, undone: Sequence[UndoneStep], now: datetime
) -> set[str]:
    """Writes receipts of the opposite sign; returns the transfers concerned."""
    if not undone:
        return set()
    return {row[0] for row in cursor.execute(_REVERSED_RECEIPTS, _pairs(store_no, undone, now))}


def write_arrival(cursor: Cursor[Any], **arrival: Any) -> None:
    """Writes that a leg has arrived, once: a second time breaks the key. Fields as in `_ARRIVAL`."""
    cursor.execute(_ARRIVAL, arrival)


def write_settlement(cursor: Cursor[Any], **settlement: Any) -> None:
    """Writes that a discrepancy is closed. Fields as in `_SETTLEMENT`."""
    cursor.execute(_SETTLEMENT, settlement)


def _columns(store_no: int, steps: Sequence[Step], now: datetime) -> dict[str, Any]:
    return {
        "store_no": store_no,
        "now": now,
        "numbers": [step.number for step in steps],
        "transfers": [step.transfer_id for step in steps],
        "items": [step.item_no for step in steps],
        "quantities": [step.quantity for step in steps],
        "values": [step.value for step in steps],
        "makers": [step.made_by for step in steps],
        "cashiers": [step.cashier_id for step in steps],
    }


def _pairs(store_no: int, undone: Sequence[UndoneStep], now: datetime) -> dict[str, Any]:
    return {
        "store_no": store_no,
        "now": now,
        "numbers": [step.number for step in undone],
        "reversed": [step.reversed for step in undone],
    }
