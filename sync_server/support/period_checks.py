"""Closed books stay closed: what was posted after a closing is booked on days that were open then."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

PERIOD_CHECKS: Final = (
    LedgerCheck(
        "Nothing is booked on a day that was closed when it was posted.",
        """
        SELECT store_no, store_sequence, concat(what, ' ', store_sequence),
               concat('it is booked on ', accounting_date, '; the books were closed through ', closed)
        FROM (
            SELECT store_no, store_sequence, accounting_date, 'journal' AS what FROM journal WHERE OF_STORE
            UNION ALL
            SELECT store_no, store_sequence, accounting_date, 'movement' FROM stock_movement WHERE OF_STORE
        ) AS booked
        JOIN (
            SELECT store_no, closed_through AS closed, after_sequence,
                   lead(after_sequence) OVER (PARTITION BY store_no ORDER BY change_number) AS until
            FROM period_change WHERE OF_STORE
        ) AS period USING (store_no)
        WHERE store_sequence > after_sequence AND store_sequence <= coalesce(until, store_sequence)
          AND accounting_date <= closed
        """,
    ),
    LedgerCheck(
        "A store's books are closed as far as its last closing or reopening says.",
        """
        SELECT store_no, 0, 'period', concat('the store says ', closed_through, ', its last change ', said)
        FROM store
        LEFT JOIN LATERAL (
            SELECT closed_through AS said FROM period_change c WHERE c.store_no = store.store_no
            ORDER BY change_number DESC LIMIT 1
        ) AS change ON true
        WHERE OF_STORE AND closed_through IS DISTINCT FROM said
        """,
    ),
)
