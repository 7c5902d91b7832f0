"""The reservations that sales of a batch name, and those of the lines that its voids take back; read, then written.

A batch that names none pays nothing for them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Cursor

from sync_server.reservations.reservation import ReservedGoods, SoldPart
from sync_server.reservations.reservation_rows import change_reservations, read_reservations

RESERVATION_MARK = '"reservationId"'
"""Stands in the details of a line that named a reservation."""
_PARTS = """
SELECT sale_sequence, reservation_id, billed, billed_cost, taken FROM reservation_sale
WHERE store_no = %s AND sale_sequence = ANY(%s::bigint[])
"""
_ADD = """
INSERT INTO reservation_sale (store_no, sale_sequence, reservation_id, billed, billed_cost, taken)
VALUES (%s, %s, %s, %s, %s, %s)
"""


@dataclass(slots=True)
class KnownReservations:
    """Reservations as they stand at `now`; posting moves them along."""

    now: datetime
    goods: dict[str, ReservedGoods] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Ids of those that posting has moved."""
    sold: list[tuple[int, SoldPart]] = field(default_factory=list)
    """(store sequence of a sold line, what it had of a reservation), to be written."""

    def read(self, cursor: Cursor[Any], store_no: int, reservation_ids: Collection[str]) -> None:
        """Adds the store's reservations of these ids."""
        wanted = set(reservation_ids) - self.goods.keys()
        if wanted:
            self.goods |= read_reservations(cursor, store_no, wanted)

    def write(self, cursor: Cursor[Any], store_no: int) -> None:
        """Writes down what posting did to them."""
        if self.changed:
            change_reservations(cursor, store_no, [self.goods[each] for each in sorted(self.changed)])
        rows = [
            (store_no, sequence, part.reservation_id, part.billed, part.billed_cost, part.taken)
            for sequence, part in self.sold
        ]
        if rows:
            cursor.executemany(_ADD, rows)


def read_sold_parts(
    cursor: Cursor[Any], store_no: int, known: KnownReservations, sequences: Iterable[int]
) -> dict[int, SoldPart]:
    """What the sold lines of these store sequences had of reservations, which `known` gets to know."""
    rows = cursor.execute(_PARTS, [store_no, list(sequences)]).fetchall()
    known.read(cursor, store_no, {row[1] for row in rows})
    return {row[0]: SoldPart(*row[1:]) for row in rows}
