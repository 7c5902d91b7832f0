"""Stock is the sum of its movements, now and at every step, and every movement has its cause."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

STOCK_CHECKS: Final = (
    LedgerCheck(
        "Stock is the sum of its movements, in quantity and value.",
        """
        SELECT store_no, item_no, concat('item ', coalesce(item_id, item_no::text)),
               concat('stock says ', coalesce(on_hand, 0), ' worth ', coalesce(stock.value, 0), ' after movement ',
                      coalesce(last_sequence, 0), '; the movements add up to ', coalesce(quantity, 0), ' worth ',
                      coalesce(moved.value, 0), ', the last is ', coalesce(last, 0))
        FROM (SELECT * FROM store_stock WHERE OF_STORE) AS stock
        FULL JOIN (
            SELECT store_no, item_no, sum(quantity) AS quantity, sum(value) AS value, max(store_sequence) AS last
            FROM stock_movement WHERE OF_STORE GROUP BY store_no, item_no
        ) AS moved USING (store_no, item_no)
        LEFT JOIN item USING (item_no)
        WHERE coalesce(on_hand, 0) <> coalesce(quantity, 0) OR coalesce(stock.value, 0) <> coalesce(moved.value, 0)
           OR last_sequence IS DISTINCT FROM last
        """,
    ),
    LedgerCheck(
        "Where there is no stock there is no value.",
        """
        SELECT store_no, item_no, concat('item ', coalesce(item_id, item_no::text)),
               concat('nothing is on hand and it is worth ', value)
        FROM store_stock LEFT JOIN item USING (item_no) WHERE OF_STORE AND on_hand = 0 AND value <> 0
        """,
    ),
    LedgerCheck(
        "Every movement says what is on hand after it and which one came before it.",
        """
        SELECT store_no, store_sequence, concat('movement ', store_sequence),
               concat('it says ', on_hand_after, ' on hand after movement ', coalesce(previous_sequence, 0),
                      '; added up there are ', on_hand, ' after movement ', coalesce(previous, 0))
        FROM (
            SELECT store_no, store_sequence, on_hand_after, previous_sequence, sum(quantity) OVER steps AS on_hand,
                   lag(store_sequence) OVER steps AS previous
            FROM stock_movement WHERE OF_STORE
            WINDOW steps AS (PARTITION BY store_no, item_no ORDER BY store_sequence ROWS UNBOUNDED PRECEDING)
        ) AS step
        WHERE on_hand_after <> on_hand OR previous_sequence IS DISTINCT FROM previous
        """,
    ),
    LedgerCheck(
        "Every event that moves goods has its movement, and no movement is without a cause.",
        """
        SELECT event.store_no, event.store_sequence, concat('event ', event.store_sequence),
               concat(event.type, ' of ', event.quantity, ' has ',
                      CASE WHEN moved.item_no IS NULL THEN 'no movement'
                           ELSE concat('a movement of ', moved.quantity, ' of item number ', moved.item_no) END)
        FROM (
            SELECT store_no, store_sequence, item_no, type, quantity,
                   CASE WHEN type IN ('SALE', 'TRANSFER_OUT') THEN -quantity
                        WHEN type = 'RETURN' AND details::text LIKE '%%"disposition":"DAMAGED"%%' THEN NULL
                        WHEN type = 'ADJUSTMENT' AND EXISTS (
                            SELECT FROM reconciliation_line AS waited WHERE waited.store_no = pos_event.store_no
                            AND waited.event_sequence = pos_event.store_sequence) THEN NULL
                        WHEN type NOT IN ('VOID', 'COUNT', 'DAY_CLOSE') THEN quantity END AS expected
            FROM pos_event WHERE OF_STORE
        ) AS event
        LEFT JOIN stock_movement AS moved USING (store_no, store_sequence)
        LEFT JOIN reservation_sale AS part
            ON part.store_no = event.store_no AND part.sale_sequence = event.store_sequence
        WHERE moved.quantity IS DISTINCT FROM
              CASE WHEN part.billed IS NULL THEN expected ELSE nullif(expected + part.billed, 0) END
           OR moved.item_no <> event.item_no OR moved.event_sequence <> store_sequence
        UNION ALL
        SELECT effect.store_no, effect.store_sequence, concat('void effect ', effect.store_sequence),
               concat('it moved ', coalesce(back.quantity, 0), ' and the line that it takes back ',
                      coalesce(voided.quantity, 0))
        FROM (SELECT * FROM void_effect WHERE OF_STORE) AS effect
        LEFT JOIN stock_movement AS back
            ON back.store_no = effect.store_no AND back.store_sequence = effect.store_sequence
        LEFT JOIN stock_movement AS voided
            ON voided.store_no = effect.store_no AND voided.store_sequence = effect.voided_sequence
        WHERE back.quantity IS DISTINCT FROM -voided.quantity OR back.item_no <> voided.item_no
           OR back.event_sequence <> effect.void_sequence
        UNION ALL
        SELECT store_no, store_sequence, concat('movement ', store_sequence),
               concat('it names event ', event_sequence, ' and is neither its own nor one of its void effects')
        FROM stock_movement AS m
        WHERE OF_STORE AND event_sequence IS NOT NULL
          AND NOT EXISTS (SELECT FROM pos_event e
                          WHERE e.store_no = m.store_no AND e.store_sequence = m.store_sequence)
          AND NOT EXISTS (SELECT FROM void_effect v
                          WHERE v.store_no = m.store_no AND v.store_sequence = m.store_sequence)
        """,
    ),
)
