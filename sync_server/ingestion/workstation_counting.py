"""Adding up what each workstation took, by business date: piece by piece, behind the posting and never in its way.

A store is counted from its first Z report on; a store whose tills close no day pays nothing. Counting follows the
store's numbers, so that a late event finds its way into the day that it belongs to.
"""

from typing import Any

from psycopg import Cursor

from sync_server.stores.locked_store import LockedStore

PIECE = 20_000
"""Numbers of a store that are counted in one transaction; its tills wait so long."""
NO_WORKSTATION = "-"
"""Stands for the workstation of events that name none."""

_BEGIN = "INSERT INTO till_proof_progress (store_no) VALUES (%s) ON CONFLICT DO NOTHING"
_COUNTED = "SELECT counted_sequence FROM till_proof_progress WHERE store_no = %s"
_ADVANCE = "UPDATE till_proof_progress SET counted_sequence = %(last)s WHERE store_no = %(store_no)s"
_TOTALS = """
INSERT INTO workstation_total AS total (store_no, workstation_id, business_date, kind, name, lines, amount)
WITH money AS (
    SELECT coalesce(e.workstation_id, '-') AS workstation_id, e.business_date, e.type AS name, e.amount, e.tenders,
           CASE e.type WHEN 'SALE' THEN 1 ELSE -1 END AS sign
    FROM pos_event e
    WHERE e.store_no = %(store_no)s AND e.store_sequence > %(after)s AND e.store_sequence <= %(last)s
      AND e.type IN ('SALE', 'RETURN') AND e.currency = %(currency)s
    UNION ALL
    SELECT coalesce(v.workstation_id, '-'), v.business_date, concat(e.type, '_VOIDED'), e.amount, e.tenders,
           CASE e.type WHEN 'SALE' THEN -1 ELSE 1 END
    FROM void_effect f
    JOIN pos_event v ON v.store_no = f.store_no AND v.store_sequence = f.void_sequence
    JOIN pos_event e ON e.store_no = f.store_no AND e.store_sequence = f.voided_sequence
    WHERE f.store_no = %(store_no)s AND f.store_sequence > %(after)s AND f.store_sequence <= %(last)s
      AND e.type IN ('SALE', 'RETURN') AND e.currency = %(currency)s
)
SELECT %(store_no)s, workstation_id, business_date, 'TYPE', name, count(*), sum(amount)
FROM money GROUP BY workstation_id, business_date, name
UNION ALL
SELECT %(store_no)s, workstation_id, business_date, 'TENDER', coalesce(part ->> 0, ''), count(*),
       sum(sign * (part ->> 1)::numeric)
FROM money CROSS JOIN LATERAL json_array_elements(
    coalesce(tenders, json_build_array(json_build_array(NULL, amount::text)))) AS part
GROUP BY workstation_id, business_date, coalesce(part ->> 0, '')
ON CONFLICT (store_no, workstation_id, business_date, kind, name)
DO UPDATE SET lines = total.lines + excluded.lines, amount = total.amount + excluded.amount
"""
_DAYS = """
INSERT INTO workstation_day AS day (store_no, workstation_id, business_date, closes, numbers)
SELECT %(store_no)s, workstation_id, business_date, count(*) FILTER (WHERE type = 'DAY_CLOSE'),
       coalesce(range_agg(int8range(number, number, '[]')) FILTER (WHERE number IS NOT NULL), '{}')
FROM (
    SELECT coalesce(workstation_id, '-') AS workstation_id, business_date, type,
           CASE WHEN transaction_number ~ '^[0-9]{1,15}$' THEN transaction_number::bigint END AS number
    FROM pos_event
    WHERE store_no = %(store_no)s AND store_sequence > %(after)s AND store_sequence <= %(last)s
    UNION ALL
    SELECT coalesce(v.workstation_id, '-'), v.business_date, v.type, NULL
    FROM void_effect f JOIN pos_event v ON v.store_no = f.store_no AND v.store_sequence = f.void_sequence
    WHERE f.store_no = %(store_no)s AND f.store_sequence > %(after)s AND f.store_sequence <= %(last)s
) AS event
GROUP BY workstation_id, business_date
ON CONFLICT (store_no, workstation_id, business_date)
DO UPDATE SET closes = day.closes + excluded.closes, numbers = day.numbers + excluded.numbers, dirty = true
"""
_FOLLOWING = """
UPDATE workstation_day AS day SET dirty = true
WHERE store_no = %(store_no)s AND NOT dirty AND closes > 0 AND EXISTS (
    SELECT FROM workstation_day AS near
    WHERE near.store_no = day.store_no AND near.workstation_id = day.workstation_id AND near.dirty
      AND near.business_date BETWEEN day.business_date - 7 AND day.business_date + 7)
"""
"""Numbers of the days around a day say what is missing in it."""


def begin_counting(cursor: Cursor[Any], store_no: int) -> None:
    """From now on the store's events are counted, from the first one on."""
    cursor.execute(_BEGIN, [store_no])


def counted_through(cursor: Cursor[Any], store_no: int) -> int | None:
    """The store's number up to which events are counted; None when none of its tills ever closed a day."""
    row = cursor.execute(_COUNTED, [store_no]).fetchone()
    return None if row is None else int(row[0])


def count_piece(cursor: Cursor[Any], store: LockedStore, after: int, through: int) -> int:
    """Counts what the store's numbers above `after` brought, at most a PIECE; returns the last number counted."""
    last = min(through, after + PIECE)
    parameters = {"store_no": store.store_no, "after": after, "last": last, "currency": store.currency}
    cursor.execute(_TOTALS, parameters)
    cursor.execute(_DAYS, parameters)
    cursor.execute(_FOLLOWING, parameters)
    cursor.execute(_ADVANCE, parameters)
    return last
