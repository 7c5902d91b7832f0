"""Reservations as they are listed and shown; reading only, no store is locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, LiteralString

from psycopg.rows import class_row

from sync_server.database import Work
from sync_server.errors import NotFound
from sync_server.reservations.reservation import ReservationStatus


@dataclass(frozen=True, slots=True)
class ListedReservation:
    """A reservation as people see it; what is past its expiry is EXPIRED, whether or not that is written down."""

    reservation_id: str
    store_id: str
    item_id: str
    quantity: Decimal
    remaining: Decimal
    fulfilled: Decimal
    status: str
    expires_at: datetime
    made_by: str
    made_at: datetime
    closed_at: datetime | None


_LIST: Final[LiteralString] = """
SELECT reservation_id, store_id, item_id, quantity,
       CASE WHEN status = stands THEN remaining ELSE 0 END AS remaining, shipped + taken AS fulfilled,
       stands AS status, expires_at, made_by, made_at,
       CASE WHEN status = stands THEN closed_at ELSE expires_at END AS closed_at
FROM (
    SELECT *, CASE WHEN status = 'OPEN' AND expires_at <= %(now)s THEN 'EXPIRED' ELSE status END AS stands
    FROM reservation
) AS r JOIN store USING (store_no) JOIN item USING (item_no)
"""
_PAGE: Final[LiteralString] = (
    _LIST
    + """
WHERE reservation_id > %(after)s AND (%(store_id)s::varchar IS NULL OR store_id = %(store_id)s)
  AND (%(item_id)s::varchar IS NULL OR item_id = %(item_id)s)
  AND (%(status)s::varchar IS NULL OR stands = %(status)s)
ORDER BY reservation_id LIMIT %(limit)s
"""
)
_ONE: Final[LiteralString] = _LIST + "WHERE reservation_id = %(reservation_id)s"


def list_reservations(
    work: Work,
    *,
    now: datetime,
    store_id: str | None = None,
    item_id: str | None = None,
    status: ReservationStatus | None = None,
    after: str = "",
    limit: int = 100,
) -> Sequence[ListedReservation]:
    """Reservations in the order in which they were made, from the one after id `after` on."""
    parameters = {
        "now": now,
        "store_id": store_id,
        "item_id": item_id,
        "status": None if status is None else status.value,
        "after": after,
        "limit": limit,
    }
    with work.connection.cursor(row_factory=class_row(ListedReservation)) as cursor:
        return cursor.execute(_PAGE, parameters).fetchall()


def reservation_of(work: Work, reservation_id: str, *, now: datetime) -> ListedReservation:
    """The one reservation of that id; raises NotFound."""
    with work.connection.cursor(row_factory=class_row(ListedReservation)) as cursor:
        found = cursor.execute(_ONE, {"now": now, "reservation_id": reservation_id}).fetchone()
    if found is None:
        raise NotFound(f"There is no reservation {reservation_id}.")
    return found
