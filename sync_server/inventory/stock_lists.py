"""A store's stock and movements as they are listed; reading only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from psycopg.rows import namedtuple_row

from sync_server.database import Work
from sync_server.stores.sequence_windows import last_sequence, page_down

STEPS_OF_A_PAGE: Final = 5_000
"""Movements of one item that a page with a filter walks past at most."""

_STOCK = """
SELECT i.item_id, i.description, i.unit_of_measure, i.placeholder, s.on_hand, s.reserved, s.in_transit,
       greatest(s.on_hand - s.reserved - i.safety_stock, 0) AS available, i.safety_stock,
       CASE WHEN s.on_hand > 0 THEN round(s.value / s.on_hand, 6) ELSE s.unit_cost END AS average_cost,
       s.value, s.last_sequence
FROM store_stock s JOIN item i USING (item_no)
WHERE s.store_no = %(store_no)s AND i.item_id > %(after)s
  AND (%(items)s::varchar[] IS NULL OR i.item_id = ANY(%(items)s::varchar[]))
  AND (NOT %(negative)s OR s.on_hand < 0)
ORDER BY i.item_id LIMIT %(limit)s
"""
_COLUMNS = """
    store_sequence, item_no, type, quantity, value, on_hand_after, previous_sequence, event_sequence, journal_sequence,
    reason_code, business_date, accounting_date, occurred_at, reserved, in_transit, document
"""
_SHOWN = """
SELECT m.store_sequence, i.item_id, m.type, m.quantity, m.value, m.on_hand_after, m.reason_code,
       coalesce(e.event_id, e.event_key::text) AS event_id, m.business_date, m.accounting_date, m.occurred_at,
       m.journal_sequence, m.reserved, m.in_transit, m.document, m.previous_sequence
FROM ({moved}) AS m JOIN item i USING (item_no)
LEFT JOIN pos_event e ON e.store_no = %(store_no)s AND e.store_sequence = m.event_sequence
ORDER BY m.store_sequence DESC
"""
_IN_DATES = """
    (%(first)s::date IS NULL OR business_date >= %(first)s::date)
    AND (%(last)s::date IS NULL OR business_date <= %(last)s::date)
"""
_WINDOW = f"""
    SELECT {_COLUMNS} FROM stock_movement
    WHERE store_no = %(store_no)s AND store_sequence BETWEEN %(lowest)s AND %(highest)s AND {_IN_DATES}
    ORDER BY store_sequence DESC LIMIT %(limit)s
"""  # noqa: S608  # built from constants
# The LATERAL with an OFFSET is planned by itself, by the primary key, whatever statistics say at the moment.
_CHAIN = f"""
    WITH RECURSIVE chain AS (
        SELECT {_COLUMNS}, 1 AS step FROM stock_movement
        WHERE store_no = %(store_no)s AND store_sequence = %(start)s AND item_no = %(item_no)s
        UNION ALL
        SELECT {", ".join(f"m.{name.strip()}" for name in _COLUMNS.split(","))}, step + 1
        FROM chain c CROSS JOIN LATERAL (
            SELECT * FROM stock_movement m
            WHERE m.store_no = %(store_no)s AND m.store_sequence = c.previous_sequence OFFSET 0
        ) AS m
        WHERE step < %(steps)s
    )
    SELECT * FROM chain WHERE ({_IN_DATES}) OR step = %(steps)s OR previous_sequence IS NULL
"""  # noqa: S608  # built from constants
HISTORY = _SHOWN.format(moved=_CHAIN)
_MOVEMENTS = _SHOWN.format(moved=_WINDOW)
_LATEST = """
SELECT i.item_no, s.last_sequence FROM item i
LEFT JOIN store_stock s ON s.store_no = %s AND s.item_no = i.item_no WHERE i.item_id = %s
"""


@dataclass(frozen=True, slots=True)
class DateRange:
    """Business dates from `first` to `last`, both included; None leaves that side open."""

    first: date | None = None
    last: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether every date is in it."""
        return self.first is None and self.last is None

    def has(self, day: date) -> bool:
        """Whether `day` is in it."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def list_stock(
    work: Work,
    store_no: int,
    *,
    after: str = "",
    limit: int,
    items: Sequence[str] | None = None,
    negative: bool = False,
) -> list[Any]:
    """A store's stock by item id, from the one after `after` on."""
    parameters = {
        "store_no": store_no,
        "after": after,
        "limit": limit,
        "items": list(items) if items else None,
        "negative": negative,
    }
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_STOCK, parameters).fetchall()


def list_movements(
    work: Work, store_no: int, *, highest: int | None, limit: int, dates: DateRange
) -> tuple[Sequence[Any], int | None]:
    """A store's movements, newest first, from number `highest` down; and where the next page begins."""

    def fetch(lowest: int, highest: int, most: int) -> Sequence[Any]:
        parameters = {"store_no": store_no, "lowest": lowest, "highest": highest, "limit": most}
        with work.connection.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(_MOVEMENTS, parameters | _dates(dates)).fetchall()

    return page_down(fetch, last_sequence(work, store_no) if highest is None else highest, limit)


def item_history(
    work: Work, store_no: int, item_id: str, *, start: int | None, limit: int, dates: DateRange
) -> tuple[Sequence[Any], int | None]:
    """An item's movements in a store, newest first, each found by the one after it: no index is scanned.

    `start` is where the page before said that this one begins.
    """
    row = work.connection.execute(_LATEST, [store_no, item_id]).fetchone()
    if row is None or row[1] is None:
        return [], None
    steps = limit if dates.is_open else STEPS_OF_A_PAGE
    parameters = {
        "store_no": store_no,
        "item_no": row[0],
        "start": row[1] if start is None else start,
        "steps": steps,
    }
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        walked: list[Any] = list(cursor.execute(HISTORY, parameters | _dates(dates)))
    found = [each for each in walked if dates.has(each.business_date)]
    if len(found) > limit:
        return found[:limit], int(found[limit].store_sequence)
    return found, walked[-1].previous_sequence if walked else None


def _dates(dates: DateRange) -> dict[str, date | None]:
    return {"first": dates.first, "last": dates.last}
