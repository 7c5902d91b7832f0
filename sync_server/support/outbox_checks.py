"""The outbox has one row for each thing that happened and must be told, and none besides."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

OUTBOX_CHECKS: Final = (
    LedgerCheck(
        "Every sale, return, void effect, journal and announcement is in the outbox until pruned, and nothing else is.",
        """
        SELECT store_no, store_sequence, concat('outbox row ', store_sequence),
               CASE WHEN store_sequence <= pruned THEN concat('it lies there although all up to ', pruned, ' is pruned')
                    WHEN told.kind IS NULL THEN concat('it is missing; kind ', happened.kind, ' belongs there')
                    WHEN happened.kind IS NULL THEN concat('nothing happened that it tells; its kind is ', told.kind)
                    ELSE concat('its kind is ', told.kind, ' and should be ', happened.kind) END
        FROM (
            SELECT store_no, store_sequence, CASE type WHEN 'SALE' THEN 1 ELSE 2 END AS kind
            FROM pos_event WHERE OF_STORE AND type IN ('SALE', 'RETURN')
            UNION ALL SELECT store_no, store_sequence, 3 FROM void_effect WHERE OF_STORE
            UNION ALL SELECT store_no, store_sequence, 4 FROM journal WHERE OF_STORE
            UNION ALL SELECT store_no, store_sequence, kind FROM announcement WHERE OF_STORE
        ) AS happened
        FULL JOIN (SELECT * FROM outbox WHERE OF_STORE) AS told USING (store_no, store_sequence)
        LEFT JOIN (SELECT store_no, pruned_sequence AS pruned FROM relay_progress) AS progress USING (store_no)
        WHERE CASE WHEN store_sequence <= pruned THEN told.kind IS NOT NULL
                   ELSE happened.kind IS DISTINCT FROM told.kind END
        """,
    ),
    LedgerCheck(
        "Nothing is marked as published that has not happened.",
        """
        SELECT store_no, published_sequence, 'published mark',
               concat('it is at ', published_sequence, ' and the store at ', last_sequence)
        FROM relay_progress JOIN store USING (store_no) WHERE OF_STORE AND published_sequence > last_sequence
        """,
    ),
    LedgerCheck(
        "Every position of the feed stands for one number of one store, and each store's in its order.",
        """
        SELECT store_no, first_position, concat('feed span at ', first_position),
               concat('it gives numbers ', first_sequence, ' to ', first_sequence + last_position - first_position,
                      '; positions up to ', before_it, ' and numbers up to ', of_store, ' were given before')
        FROM (
            SELECT *, lag(last_position) OVER (ORDER BY first_position) AS before_it,
                   max(first_sequence + last_position - first_position) OVER (
                       PARTITION BY store_no ORDER BY first_position
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS of_store
            FROM feed_span
        ) AS span
        WHERE OF_STORE AND (first_position <= before_it OR first_sequence <= of_store)
        """,
    ),
)
