"""A store's numbers have no gap, each was given once, and batches account for what they brought."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

# Headquarters, number 0, posts nothing: its last number is the position of the item master.
SEQUENCE_CHECKS: Final = (
    LedgerCheck(
        "Every number of a store is one event, void effect, journal, announcement or movement of its own.",
        """
        SELECT store_no, store_sequence, concat('number ', store_sequence),
               CASE WHEN store_sequence = before THEN concat('it was given twice, the second time to a ', kind)
                    ELSE concat('after number ', before, ' comes a ', kind, ' with this one') END
        FROM (
            SELECT store_no, store_sequence, kind,
                   lag(store_sequence, 1, 0::bigint) OVER (
                       PARTITION BY store_no ORDER BY store_sequence, kind) AS before
            FROM (
                SELECT store_no, store_sequence, 'event' AS kind FROM pos_event WHERE OF_STORE
                UNION ALL SELECT store_no, store_sequence, 'void effect' FROM void_effect WHERE OF_STORE
                UNION ALL SELECT store_no, store_sequence, 'journal' FROM journal WHERE OF_STORE
                UNION ALL SELECT store_no, store_sequence, 'announcement' FROM announcement WHERE OF_STORE
                UNION ALL SELECT store_no, store_sequence, 'movement' FROM stock_movement
                          WHERE OF_STORE AND event_sequence IS NULL
            ) AS given
        ) AS numbered
        WHERE store_sequence <> before + 1
        UNION ALL
        SELECT store_no, last_sequence, concat('number ', last_sequence),
               concat('the store has given numbers up to this one; the last that is there is ', last)
        FROM store
        CROSS JOIN LATERAL (
            SELECT greatest(
                (SELECT max(store_sequence) FROM pos_event e WHERE e.store_no = store.store_no),
                (SELECT max(store_sequence) FROM void_effect v WHERE v.store_no = store.store_no),
                (SELECT max(store_sequence) FROM journal j WHERE j.store_no = store.store_no),
                (SELECT max(store_sequence) FROM announcement a WHERE a.store_no = store.store_no),
                (SELECT max(store_sequence) FROM stock_movement m WHERE m.store_no = store.store_no),
                0) AS last
        ) AS there
        WHERE OF_STORE AND store_no <> 0 AND last_sequence <> last
        """,
    ),
    LedgerCheck(
        "A batch brought as many events as it was answered with, and they have the numbers that it took.",
        """
        SELECT store_no, coalesce(first_sequence, 0), concat('batch ', batch_id),
               concat('it was answered with ', accepted, ' accepted and ', held, ' held; there are ', posted,
                      ' and ', lying)
        FROM (
            SELECT b.*, coalesce(h.lying, 0) AS lying, (
                SELECT count(*) FROM pos_event e WHERE e.store_no = b.store_no
                AND e.store_sequence BETWEEN b.first_sequence AND b.last_sequence) AS posted
            FROM (SELECT * FROM pos_batch WHERE OF_STORE) AS b
            LEFT JOIN (
                SELECT store_no, batch_id, count(*) AS lying FROM held_event WHERE OF_STORE GROUP BY store_no, batch_id
            ) AS h USING (store_no, batch_id)
        ) AS batch
        WHERE accepted <> posted OR held <> lying
        """,
    ),
)
