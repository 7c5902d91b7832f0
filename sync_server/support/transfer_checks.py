"""Goods under way: none is lost or doubled between two stores, and the books say what they are worth.

A store's in-transit account is not the value of its own goods in transit: it is debited where goods leave and
credited where they are received. What holds for each store is

    1410 = legs that left it − legs that arrived at it + value in transit to it

and summed over all stores: 1410 = value in transit + value of the legs that did not arrive yet.
"""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

TRANSFER_CHECKS: Final = (
    LedgerCheck(
        "What is in transit to a store is the sum of its movements, in quantity and value.",
        """
        SELECT store_no, item_no, concat('item ', coalesce(item_id, item_no::text)),
               concat('stock says ', coalesce(stock.in_transit, 0), ' worth ', coalesce(stock.in_transit_value, 0),
                      ' in transit; the movements add up to ', coalesce(moved.quantity, 0), ' worth ',
                      coalesce(moved.value, 0))
        FROM (SELECT * FROM store_stock WHERE OF_STORE AND (in_transit <> 0 OR in_transit_value <> 0)) AS stock
        FULL JOIN (
            SELECT store_no, item_no, sum(in_transit) AS quantity, sum(in_transit_value) AS value
            FROM stock_movement WHERE OF_STORE AND (in_transit IS NOT NULL OR in_transit_value IS NOT NULL)
            GROUP BY store_no, item_no
        ) AS moved USING (store_no, item_no)
        LEFT JOIN item USING (item_no)
        WHERE coalesce(stock.in_transit, 0) <> coalesce(moved.quantity, 0)
           OR coalesce(stock.in_transit_value, 0) <> coalesce(moved.value, 0)
        """,
    ),
    LedgerCheck(
        "Every leg left its source's shelf, and nothing left it for a transfer without a leg.",
        """
        SELECT store_no, store_sequence, concat('leg ', store_sequence),
               concat('it is of ', leg.quantity, ' of item number ', leg.item_no, '; the source moved ',
                      coalesce(moved.quantity, 0))
        FROM (SELECT * FROM transfer_leg WHERE OF_STORE) AS leg
        LEFT JOIN stock_movement AS moved USING (store_no, store_sequence)
        WHERE moved.quantity IS DISTINCT FROM -leg.quantity OR moved.item_no <> leg.item_no
        UNION ALL
        SELECT store_no, store_sequence, concat('movement ', store_sequence), 'it left for a transfer and is no leg'
        FROM stock_movement AS moved WHERE OF_STORE AND type = 'TRANSFER_OUT'
          AND NOT EXISTS (SELECT FROM transfer_leg leg WHERE leg.store_no = moved.store_no
                          AND leg.store_sequence = moved.store_sequence)
        """,
    ),
    LedgerCheck(
        "Every leg waits for its destination or has arrived there once, with all of its quantity and value.",
        """
        SELECT leg.store_no, leg.store_sequence,
               concat('leg ', leg.store_sequence, ' of transfer ', leg.transfer_id),
               CASE WHEN arrived.quantity IS NULL AND waiting.transfer_id IS NULL
                        THEN 'it neither waits nor has arrived'
                    WHEN waiting.transfer_id IS NOT NULL AND arrived.quantity IS NOT NULL
                        THEN 'it has arrived and waits all the same'
                    ELSE concat(leg.quantity, ' worth ', leg.value, ' left and ', arrived.quantity, ' worth ',
                                arrived.value, ' arrived') END
        FROM (SELECT * FROM transfer_leg WHERE OF_STORE) AS leg
        LEFT JOIN transfer_leg_waiting AS waiting
            ON waiting.store_no = leg.store_no AND waiting.store_sequence = leg.store_sequence
        LEFT JOIN transfer_arrival AS arrived
            ON arrived.from_store_no = leg.store_no AND arrived.leg_sequence = leg.store_sequence
        LEFT JOIN store AS destination ON destination.store_no = arrived.store_no
        WHERE (waiting.transfer_id IS NULL) = (arrived.quantity IS NULL) OR arrived.quantity <> leg.quantity
           OR arrived.item_no <> leg.item_no
           OR (destination.currency = leg.currency AND arrived.value <> leg.value)
        UNION ALL
        SELECT from_store_no, leg_sequence, concat('arrival of leg ', leg_sequence), 'no such leg has left'
        FROM (SELECT *, from_store_no AS source_no FROM transfer_arrival WHERE OF_STORE) AS arrived
        WHERE NOT EXISTS (SELECT FROM transfer_leg leg WHERE leg.store_no = arrived.source_no
                          AND leg.store_sequence = arrived.leg_sequence)
        """,
    ),
    LedgerCheck(
        "Every movement of goods in transit is one arrival, receipt or settlement of a transfer.",
        """
        SELECT store_no, store_sequence, concat('movement ', store_sequence),
               concat('it moves ', coalesce(moved.in_transit, 0), ' worth ', coalesce(moved.in_transit_value, 0),
                      ' in transit; the transfer says ', coalesce(step.quantity, 0), ' worth ', coalesce(step.value, 0))
        FROM (
            SELECT * FROM stock_movement WHERE OF_STORE AND (in_transit IS NOT NULL OR in_transit_value IS NOT NULL)
        ) AS moved
        FULL JOIN (
            SELECT store_no, store_sequence, item_no, quantity, value - variance AS value
            FROM transfer_arrival WHERE OF_STORE
            UNION ALL
            SELECT store_no, store_sequence, item_no, -quantity, -value FROM transfer_receipt WHERE OF_STORE
            UNION ALL
            SELECT store_no, store_sequence, item_no, quantity, value FROM transfer_settlement WHERE OF_STORE
        ) AS step USING (store_no, store_sequence)
        WHERE coalesce(moved.in_transit, 0) <> coalesce(step.quantity, 0)
           OR coalesce(moved.in_transit_value, 0) <> coalesce(step.value, 0) OR moved.item_no <> step.item_no
        """,
    ),
    LedgerCheck(
        "On every accounting date the in-transit account is what left less what arrived, and the value in transit.",
        """
        SELECT store_no, 0, concat('accounting date ', accounting_date),
               concat('the in-transit account changes by ', coalesce(booked, 0), '; legs and goods in transit by ',
                      coalesce(worth, 0))
        FROM (
            SELECT store_no, accounting_date, sum(debit - credit) AS booked
            FROM (SELECT * FROM journal WHERE OF_STORE) AS posted JOIN journal_line USING (store_no, store_sequence)
            WHERE account IN (SELECT account FROM account_use WHERE purpose = 'in_transit')
            GROUP BY store_no, accounting_date
        ) AS books
        FULL JOIN (
            SELECT store_no, accounting_date, sum(worth) AS worth FROM (
                SELECT store_no, accounting_date, in_transit_value AS worth FROM stock_movement
                WHERE OF_STORE AND in_transit_value IS NOT NULL
                UNION ALL
                SELECT store_no, accounting_date, step.value
                FROM (
                    SELECT store_no, store_sequence, value FROM transfer_leg WHERE OF_STORE
                    UNION ALL SELECT store_no, store_sequence, -value FROM transfer_arrival WHERE OF_STORE
                ) AS step JOIN stock_movement USING (store_no, store_sequence)
            ) AS part GROUP BY store_no, accounting_date
        ) AS transit USING (store_no, accounting_date)
        WHERE coalesce(booked, 0) <> coalesce(worth, 0)
        """,
    ),
)
