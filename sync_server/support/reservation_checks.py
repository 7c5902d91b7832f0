"""Reserved is the sum of its movements and of the open reservations; a promise can be kept or is found."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

RESERVATION_CHECKS: Final = (
    LedgerCheck(
        "What is reserved is the sum of its movements and of what remains of open reservations.",
        """
        SELECT store_no, item_no, concat('item ', coalesce(item_id, item_no::text)),
               concat('stock says ', coalesce(said, 0), ' reserved; the movements add up to ', coalesce(moved, 0),
                      ' and the open reservations to ', coalesce(promised, 0))
        FROM (
            SELECT store_no, item_no, sum(said) AS said, sum(moved) AS moved, sum(promised) AS promised
            FROM (
                SELECT store_no, item_no, reserved AS said, NULL::numeric AS moved, NULL::numeric AS promised
                FROM store_stock WHERE OF_STORE AND reserved <> 0
                UNION ALL SELECT store_no, item_no, NULL, reserved, NULL
                FROM stock_movement WHERE OF_STORE AND reserved IS NOT NULL
                UNION ALL SELECT store_no, item_no, NULL, NULL, remaining
                FROM reservation WHERE OF_STORE AND status = 'OPEN'
            ) AS figure GROUP BY store_no, item_no
        ) AS total LEFT JOIN item USING (item_no)
        WHERE coalesce(said, 0) <> coalesce(moved, 0) OR coalesce(said, 0) <> coalesce(promised, 0)
        """,
    ),
    LedgerCheck(
        "What is reserved is never below zero, at any step.",
        """
        SELECT store_no, store_sequence, concat('movement ', store_sequence), concat('it leaves ', after, ' reserved')
        FROM (
            SELECT store_no, store_sequence, sum(reserved) OVER (
                PARTITION BY store_no, item_no ORDER BY store_sequence ROWS UNBOUNDED PRECEDING) AS after
            FROM stock_movement WHERE OF_STORE AND reserved IS NOT NULL
        ) AS step
        WHERE after < 0
        """,
    ),
    LedgerCheck(
        "On hand reaches for every open reservation, or a finding names the ones that it does not reach for.",
        """
        SELECT store_no, 0, concat('reservation ', reservation_id),
               concat('on hand is ', on_hand, ', up to it ', promised, ' are promised, and nothing was found')
        FROM (
            SELECT r.store_no, r.reservation_id, s.on_hand, sum(r.remaining) OVER (
                PARTITION BY r.store_no, r.item_no ORDER BY r.made_at, r.reservation_id) AS promised
            FROM (SELECT * FROM reservation WHERE OF_STORE AND status = 'OPEN') AS r
            JOIN store_stock s ON s.store_no = r.store_no AND s.item_no = r.item_no
        ) AS promise
        WHERE promised > on_hand AND NOT EXISTS (
            SELECT FROM finding f WHERE f.store_no = promise.store_no AND f.code = 'RESERVATION_SHORT'
            AND f.subject = promise.reservation_id)
        """,
    ),
    LedgerCheck(
        "A reservation was shipped and sold as often as the ledger says.",
        """
        SELECT store_no, 0, concat('reservation ', reservation_id),
               concat('it says ', shipped, ' shipped, ', billed, ' of them billed at ', billed_cost, ', and ', taken,
                      ' taken; the ledger says ', coalesce(shipments, 0), ', ', coalesce(bills, 0), ' at ',
                      coalesce(costs, 0), ', and ', coalesce(takings, 0))
        FROM (SELECT * FROM reservation WHERE OF_STORE) AS r
        LEFT JOIN (
            SELECT store_no, document AS reservation_id, -sum(quantity) AS shipments
            FROM stock_movement WHERE OF_STORE AND type = 'FULFILMENT' GROUP BY store_no, document
        ) AS moved USING (store_no, reservation_id)
        LEFT JOIN (
            SELECT p.store_no, p.reservation_id, sum(p.billed) AS bills, sum(p.billed_cost) AS costs,
                   sum(p.taken) AS takings
            FROM (SELECT * FROM reservation_sale WHERE OF_STORE) AS p
            LEFT JOIN void_effect v ON v.store_no = p.store_no AND v.voided_sequence = p.sale_sequence
            WHERE v.store_no IS NULL GROUP BY p.store_no, p.reservation_id
        ) AS sold USING (store_no, reservation_id)
        WHERE shipped <> coalesce(shipments, 0) OR billed <> coalesce(bills, 0) OR billed_cost <> coalesce(costs, 0)
           OR taken <> coalesce(takings, 0)
        """,
    ),
)
