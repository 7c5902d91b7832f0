"""Counts moved what they found and nothing else, late events left the shelf as counted, nobody approved their own."""

from typing import Final

from sync_server.reconciliation.ledger_order import CAME_BEFORE, MOVED
from sync_server.support.ledger_check import LedgerCheck

_LINES: Final = """
    SELECT line.*, r.status, r.kind, r.base_sequence,
           concat('reconciliation ', line.reconciliation_id, ', line ', line.line_number) AS place
    FROM (SELECT * FROM reconciliation_line WHERE OF_STORE AND NOT withdrawn) AS line
    JOIN reconciliation AS r USING (store_no, reconciliation_id)
    WHERE r.status = 'POSTED'
"""
COUNT_CHECKS: Final = (
    LedgerCheck(
        "Every line of a posted reconciliation has moved its variance, and no other movement is of a count.",
        f"""
        SELECT line.store_no, coalesce(line.movement_sequence, 0), place,
               concat('its variance is ', variance_quantity, ' worth ', line.value, '; it moved ', moved.quantity,
                      ' worth ', moved.value)
        FROM ({_LINES}) AS line
        LEFT JOIN stock_movement AS moved
            ON moved.store_no = line.store_no AND moved.store_sequence = line.movement_sequence
        WHERE coalesce(variance_quantity, 0) <> coalesce(moved.quantity, 0)
           OR coalesce(line.value, 0) <> coalesce(moved.value, 0)
           OR moved.item_no <> line.item_no OR moved.document <> line.reconciliation_id
        UNION ALL
        SELECT store_no, store_sequence, concat('movement ', store_sequence), 'it is of a count that does not name it'
        FROM stock_movement AS m
        WHERE OF_STORE AND reason_code IS NOT NULL AND type = 'COUNT' AND NOT EXISTS (
            SELECT FROM reconciliation_line AS line WHERE line.store_no = m.store_no
            AND line.reconciliation_id = m.document AND line.movement_sequence = m.store_sequence)
        """,  # noqa: S608  # built from constants
    ),
    LedgerCheck(
        "Every correction of a count is the opposite of what came late, and is on its reconciliation.",
        """
        SELECT c.store_no, c.store_sequence, concat('correction ', c.store_sequence),
               concat('it moved ', moved.quantity, ' against ', cause.quantity, ' of movement ', c.cause_sequence,
                      '; its reconciliation says ', c.quantity)
        FROM (SELECT * FROM count_correction WHERE OF_STORE) AS c
        LEFT JOIN stock_movement AS moved ON moved.store_no = c.store_no AND moved.store_sequence = c.store_sequence
        LEFT JOIN stock_movement AS cause ON cause.store_no = c.store_no AND cause.store_sequence = c.cause_sequence
        WHERE moved.quantity IS DISTINCT FROM c.quantity OR cause.quantity IS DISTINCT FROM -c.quantity
           OR moved.value IS DISTINCT FROM c.value OR moved.item_no <> cause.item_no
        UNION ALL
        SELECT store_no, store_sequence, concat('movement ', store_sequence), 'it corrects a count without being listed'
        FROM stock_movement AS m
        WHERE OF_STORE AND reason_code = 'LATE_EVENT' AND type = 'LATE_EVENT' AND NOT EXISTS (
            SELECT FROM count_correction AS c
            WHERE c.store_no = m.store_no AND c.store_sequence = m.store_sequence)
        """,
    ),
    LedgerCheck(
        "What had moved up to a posted count adds up to what was counted.",
        f"""
        SELECT line.store_no, coalesce(line.movement_sequence, 0), place,
               concat(line.counted, ' were counted; the movements up to then add up to ', total)
        FROM ({_LINES}) AS line
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(moved.quantity) FILTER (WHERE {CAME_BEFORE}), 0) AS total
            FROM ({MOVED} AND m.store_no = line.store_no AND m.item_no = line.item_no) AS moved
        ) AS history
        WHERE line.kind = 'COUNT' AND total <> line.counted AND NOT EXISTS (
            SELECT FROM reconciliation_line AS again JOIN reconciliation AS r USING (store_no, reconciliation_id)
            WHERE again.store_no = line.store_no AND again.item_no = line.item_no AND r.status = 'POSTED'
              AND again.counted_at = line.counted_at AND again.reconciliation_id <> line.reconciliation_id)
        """,  # noqa: S608  # built from constants
    ),
    LedgerCheck(
        "Nobody has approved what they made.",
        """
        SELECT r.store_no, 0, concat('reconciliation ', r.reconciliation_id),
               concat(p.name, ' approved it and is one of its makers, ', m.maker)
        FROM (SELECT * FROM reconciliation WHERE OF_STORE AND approved_by IS NOT NULL) AS r
        JOIN person AS p ON p.person_no = r.approved_by
        JOIN reconciliation_maker AS m USING (store_no, reconciliation_id)
        LEFT JOIN person_cashier AS c ON c.store_no = m.store_no AND c.cashier_id = m.cashier_id
            AND c.assigned_at <= r.approved_at
        WHERE r.approved_by IN (m.person_no, c.person_no)
        """,
    ),
)
