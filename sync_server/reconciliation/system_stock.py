"""What the books had at the instant of a count: today's stock, less what has moved since. Read under the store's
lock where it settles something, without it where it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import Cursor

from shared.business_date import DayRule, day_begins
from sync_server.reconciliation.ledger_order import (
    BASE_SEQUENCE,
    CAME_BEFORE,
    MOVED,
    POSTED_LONG_BEFORE,
    SAME_WORKSTATION,
    UNCERTAIN,
)

_AS_OF: LiteralString = f"""
WITH line AS (
    SELECT * FROM unnest(%(numbers)s::int[], %(items)s::int[], %(instants)s::timestamptz[], %(events)s::bigint[],
                         %(streams)s::int[], %(sequences)s::bigint[], %(workstations)s::varchar[])
        AS line (line_number, item_no, counted_at, event_sequence, stream_no, sequence, workstation_id)
), moved AS (
    {MOVED} AND m.store_no = %(store_no)s AND m.item_no = ANY(%(items)s::int[])
        AND m.store_sequence > %(base)s::bigint
)
SELECT line.line_number,
       coalesce(min(stock.on_hand), 0)
           - coalesce(sum(moved.quantity) FILTER (WHERE NOT {CAME_BEFORE}), 0) AS system_quantity,
       coalesce(sum(abs(moved.quantity)) FILTER (
           WHERE NOT {SAME_WORKSTATION}
             AND abs(extract(epoch FROM moved.at - line.counted_at)) <= %(uncertain)s::numeric), 0) AS uncertain
FROM line CROSS JOIN (SELECT %(base)s::bigint AS base_sequence) AS base
LEFT JOIN store_stock AS stock ON stock.store_no = %(store_no)s AND stock.item_no = line.item_no
LEFT JOIN moved ON moved.item_no = line.item_no
GROUP BY line.line_number
"""  # noqa: S608  # built from constants
_CLOCK_OFFSET = "SELECT coalesce(max(abs(clock_offset_ms)), 0) FROM agent_heartbeat WHERE store_no = %s"
_TENDERS = """
SELECT line.tender, sum(line.debit - line.credit)
FROM journal JOIN journal_line AS line USING (store_no, store_sequence)
WHERE store_no = %(store_no)s AND journal.store_sequence > %(base)s AND journal.business_date = %(date)s
  AND journal.currency = %(currency)s AND line.account = %(clearing)s AND line.tender = ANY(%(tenders)s::varchar[])
GROUP BY line.tender
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLine:
    """A line of a count: which item, how many lay there, when, and where in a till's own order."""

    line_number: int
    item_no: int
    counted: Decimal
    counted_at: datetime
    reason_code: str
    event_sequence: int | None = None
    stream_no: int | None = None
    sequence: int | None = None
    workstation_id: str | None = None


@dataclass(frozen=True, slots=True)
class SystemStock:
    """What the books had, and how much moved so near to the count that no clock tells its order."""

    quantity: Decimal
    uncertain: Decimal


def base_of(cursor: Cursor[Any], store_no: int, earliest: datetime) -> int:
    """The number up to which everything was posted long before `earliest`."""
    row = cursor.execute(BASE_SEQUENCE, [store_no, earliest - POSTED_LONG_BEFORE]).fetchone()
    return 0 if row is None else int(row[0])


def stock_as_of(
    cursor: Cursor[Any], store_no: int, base_sequence: int, lines: Sequence[CountedLine]
) -> Mapping[int, SystemStock]:
    """By line number."""
    if not lines:
        return {}
    offset = cursor.execute(_CLOCK_OFFSET, [store_no]).fetchone()
    assert offset is not None
    parameters = {
        "store_no": store_no,
        "base": base_sequence,
        "uncertain": max(Decimal(int(UNCERTAIN.total_seconds())), Decimal(offset[0]) / 1000),
        "numbers": [line.line_number for line in lines],
        "items": [line.item_no for line in lines],
        "instants": [line.counted_at for line in lines],
        "events": [line.event_sequence for line in lines],
        "streams": [line.stream_no for line in lines],
        "sequences": [line.sequence for line in lines],
        "workstations": [line.workstation_id for line in lines],
    }
    return {number: SystemStock(*found) for number, *found in cursor.execute(_AS_OF, parameters)}


def tenders_of(
    cursor: Cursor[Any],
    store_no: int,
    day: date,
    tenders: Sequence[str],
    *,
    rule: DayRule,
    currency: str,
    clearing: str,
) -> Mapping[str, Decimal]:
    """What the books have of each tender for a business date, in the store's currency, by tender."""
    if not tenders:
        return {}
    parameters = {
        "store_no": store_no,
        "base": base_of(cursor, store_no, day_begins(day, rule)),
        "date": day,
        "currency": currency,
        "clearing": clearing,
        "tenders": list(tenders),
    }
    booked = dict(cursor.execute(_TENDERS, parameters).fetchall())
    return {tender: booked.get(tender, Decimal(0)) for tender in tenders}
