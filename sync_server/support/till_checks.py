"""What is counted for the tills is what their events say."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

TILL_CHECKS: Final = (
    LedgerCheck(
        "What a workstation took on a day is the sum of its sales and returns, as far as they are counted.",
        """
        SELECT store_no, coalesce(first, 0), concat(workstation_id, ' on ', business_date, ', ', name),
               concat('it is counted as ', coalesce(counted, 0), '; the events add up to ', coalesce(amount, 0))
        FROM (
            SELECT store_no, workstation_id, business_date, name, amount AS counted
            FROM workstation_total WHERE OF_STORE AND kind = 'TYPE' AND name IN ('SALE', 'RETURN')
        ) AS total
        FULL JOIN (
            SELECT e.store_no, coalesce(e.workstation_id, '-') AS workstation_id, e.business_date, e.type AS name,
                   sum(e.amount) AS amount, min(e.store_sequence) AS first
            FROM (SELECT * FROM till_proof_progress WHERE OF_STORE) AS p
            JOIN store s USING (store_no)
            JOIN pos_event e ON e.store_no = p.store_no AND e.store_sequence <= p.counted_sequence
            WHERE e.type IN ('SALE', 'RETURN') AND e.currency = s.currency
            GROUP BY 1, 2, 3, 4
        ) AS summed USING (store_no, workstation_id, business_date, name)
        WHERE counted IS DISTINCT FROM amount
        """,
    ),
    LedgerCheck(
        "Every Z total belongs to a DAY_CLOSE event of its workstation and date.",
        """
        SELECT z.store_no, z.store_sequence, concat('Z total ', z.place, ' of number ', z.store_sequence),
               'there is no such DAY_CLOSE event'
        FROM (SELECT * FROM z_total WHERE OF_STORE) AS z
        LEFT JOIN pos_event e ON e.store_no = z.store_no AND e.store_sequence = z.store_sequence
            AND e.type = 'DAY_CLOSE' AND e.business_date = z.business_date
            AND coalesce(e.workstation_id, '-') = z.workstation_id
        WHERE e.store_no IS NULL
        """,
    ),
)
