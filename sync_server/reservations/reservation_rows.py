"""Reservations as they lie in their table, read and written back under their store's lock."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from psycopg import Cursor

from sync_server.reservations.reservation import ReservationStatus, ReservedGoods

_COLUMNS = """
    reservation_id, item_no, quantity, remaining, expires_at, shipped, shipped_cost, billed, billed_cost, taken,
    status, closed_at
"""
_BY_ID = f"SELECT {_COLUMNS} FROM reservation WHERE store_no = %s AND reservation_id = ANY(%s::varchar[])"  # noqa: S608
_LAPSED = f"""
SELECT {_COLUMNS} FROM reservation WHERE store_no = %(store_no)s AND status = 'OPEN'
    AND expires_at <= %(now)s AND (%(item_no)s::int IS NULL OR item_no = %(item_no)s::int)
ORDER BY expires_at, reservation_id LIMIT %(limit)s
"""  # noqa: S608  # built from constants
_ADD = """
INSERT INTO reservation (store_no, reservation_id, item_no, quantity, remaining, status, expires_at, made_by, made_at)
VALUES (%(store_no)s, %(reservation_id)s, %(item_no)s, %(quantity)s, %(remaining)s, %(status)s, %(expires_at)s,
        %(made_by)s, %(made_at)s)
"""
_CHANGE = """
UPDATE reservation SET remaining = %(remaining)s, shipped = %(shipped)s, shipped_cost = %(shipped_cost)s,
    billed = %(billed)s, billed_cost = %(billed_cost)s, taken = %(taken)s, status = %(status)s,
    closed_at = %(closed_at)s
WHERE store_no = %(store_no)s AND reservation_id = %(reservation_id)s
"""


def read_reservations(
    cursor: Cursor[Any], store_no: int, reservation_ids: Collection[str]
) -> dict[str, ReservedGoods]:
    """The store's reservations of these ids, by id; what another store has is not among them."""
    rows = cursor.execute(_BY_ID, [store_no, list(reservation_ids)]).fetchall()
    return {row[0]: _reserved(row) for row in rows}


def read_lapsed(
    cursor: Cursor[Any], store_no: int, now: datetime, *, item_no: int | None = None, limit: int
) -> list[ReservedGoods]:
    """Reservations of the store whose time is over and which nobody has closed, the longest over first."""
    parameters = {"store_no": store_no, "now": now, "item_no": item_no, "limit": limit}
    return [_reserved(row) for row in cursor.execute(_LAPSED, parameters).fetchall()]


def add_reservation(
    cursor: Cursor[Any], store_no: int, goods: ReservedGoods, made_by: str, made_at: datetime
) -> None:
    """Writes a reservation that has just been granted."""
    cursor.execute(_ADD, {**_values(store_no, goods), "made_by": made_by, "made_at": made_at})


def change_reservations(cursor: Cursor[Any], store_no: int, changed: Iterable[ReservedGoods]) -> None:
    """Writes down what has become of reservations."""
    rows = [_values(store_no, goods) for goods in changed]
    if rows:
        cursor.executemany(_CHANGE, rows)


def _reserved(row: tuple[Any, ...]) -> ReservedGoods:
    (reservation_id, item_no, quantity, remaining, expires_at, shipped, shipped_cost, billed, billed_cost, taken,
     status, closed_at) = row  # fmt: skip
    return ReservedGoods(
        reservation_id=reservation_id,
        item_no=item_no,
        quantity=quantity,
        remaining=remaining,
        expires_at=expires_at,
        shipped=shipped,
        shipped_cost=shipped_cost,
        billed=billed,
        billed_cost=billed_cost,
        taken=taken,
        status=ReservationStatus(status),
        closed_at=closed_at,
    )


def _values(store_no: int, goods: ReservedGoods) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(goods, name) for name in ReservedGoods.__slots__}
    return {**values, "store_no": store_no, "status": goods.status.value}
