"""What came before a count and what after it: one rule in SQL, for the stock as of a count and for what comes late.

At the same workstation the stream's sequence decides, between workstations the instant. A void undoes its line as
if that had never happened, and so stands where the line stands, whenever it was made. What headquarters had posted
a day before the count came before it, whatever a till's clock says.
"""

from datetime import timedelta
from typing import Final, LiteralString

POSTED_LONG_BEFORE: Final = timedelta(days=1)
UNCERTAIN: Final = timedelta(minutes=2)
"""How far the clocks of a store's workstations may be apart before anybody notices."""

BASE_SEQUENCE: Final[LiteralString] = """
SELECT store_sequence FROM journal WHERE store_no = %s AND posted_at < %s ORDER BY store_sequence DESC LIMIT 1
"""
"""The last number that was posted before an instant; read from the newest backwards."""

MOVED: Final[LiteralString] = """
SELECT m.store_no, m.store_sequence, m.item_no, m.quantity, m.value, m.on_hand_after, m.business_date, m.document,
       coalesce(v.voided_sequence, m.store_sequence) AS stands_at, coalesce(e.occurred_at, m.occurred_at) AS at,
       e.store_sequence AS event, e.stream_no, e.workstation_id, e.sequence
FROM stock_movement AS m
LEFT JOIN void_effect AS v ON v.store_no = m.store_no AND v.store_sequence = m.store_sequence
LEFT JOIN pos_event AS e ON e.store_no = m.store_no
    AND e.store_sequence = coalesce(v.voided_sequence, m.event_sequence)
WHERE m.quantity <> 0
"""
"""Movements of goods, each where it stands in the order of things."""

SAME_WORKSTATION: Final[LiteralString] = """
(moved.sequence IS NOT NULL AND line.sequence IS NOT NULL AND moved.stream_no = line.stream_no
 AND moved.workstation_id IS NOT DISTINCT FROM line.workstation_id)
"""
CAME_BEFORE: Final[LiteralString] = f"""
(moved.stands_at <= base_sequence OR CASE
    WHEN {SAME_WORKSTATION} THEN moved.sequence < line.sequence
    WHEN moved.at = line.counted_at AND moved.event IS NOT NULL AND line.event_sequence IS NOT NULL
        THEN moved.stands_at < line.event_sequence
    ELSE moved.at <= line.counted_at
END)
"""
"""Of a row of `MOVED`, called moved, and a line of a reconciliation; `base_sequence` is a column or a parameter."""
