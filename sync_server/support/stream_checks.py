"""What a stream's receipts say has arrived is there, as they say, and nothing is there without a receipt."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

_RECEIPTS: Final = """
    SELECT r.store_no, r.stream_no, r.first_sequence + place AS sequence,
           substr(r.content_hashes, place * 32 + 1, 32) AS content_hash, substr(r.outcomes, place + 1, 1) AS outcome
    FROM (SELECT * FROM stream_receipt WHERE OF_STORE) AS r
    CROSS JOIN LATERAL generate_series(0, (r.last_sequence - r.first_sequence)::int) AS place
"""

STREAM_CHECKS: Final = (
    LedgerCheck(
        "A receipt has one hash and one outcome for each of its sequences, and no two receipts overlap.",
        """
        SELECT store_no, first_sequence, concat('stream number ', stream_no, ', receipt ', first_sequence),
               CASE WHEN before >= first_sequence THEN concat('sequences up to ', before, ' had a receipt before it')
                    ELSE concat('it covers sequences up to ', last_sequence, ' with ', length(content_hashes),
                                ' octets of hashes and outcomes ', outcomes) END
        FROM (
            SELECT *, lag(last_sequence) OVER (PARTITION BY stream_no ORDER BY first_sequence) AS before
            FROM stream_receipt WHERE OF_STORE
        ) AS receipt
        WHERE length(outcomes) <> last_sequence - first_sequence + 1 OR outcomes ~ '[^PDH]'
           OR length(content_hashes) <> 32 * length(outcomes) OR before >= first_sequence
        """,
    ),
    LedgerCheck(
        "A stream has received what it has receipts for.",
        """
        SELECT store_no, stream_no, concat('stream ', stream_id),
               concat('it says that ', received, ' was received; there are receipts for ', coalesce(there, '{}'))
        FROM (SELECT * FROM stream WHERE OF_STORE) AS stream
        LEFT JOIN (
            SELECT stream_no, range_agg(int8range(first_sequence, last_sequence, '[]')) AS there
            FROM stream_receipt WHERE OF_STORE AND first_sequence <= last_sequence GROUP BY stream_no
        ) AS receipts USING (stream_no)
        WHERE received <> coalesce(there, '{}')
        """,
    ),
    LedgerCheck(
        "Every sequence received as posted is an event in the ledger with that content, and the reverse.",
        f"""
        SELECT store_no, sequence, concat('stream number ', stream_no, ', sequence ', sequence),
               CASE WHEN event.content_hash IS NULL THEN 'it was received as posted and is not in the ledger'
                    WHEN receipt.content_hash IS NULL THEN concat('event ', store_sequence, ' has no receipt as posted')
                    ELSE concat('event ', store_sequence, ' has another content than was received') END
        FROM (SELECT * FROM ({_RECEIPTS}) AS every WHERE outcome = 'P') AS receipt
        FULL JOIN (
            SELECT store_no, stream_no, sequence, content_hash, store_sequence FROM pos_event
            WHERE OF_STORE AND stream_no IS NOT NULL
        ) AS event USING (store_no, stream_no, sequence)
        WHERE receipt.content_hash IS DISTINCT FROM event.content_hash
        """,  # noqa: S608  # built from constants
    ),
    LedgerCheck(
        "Every sequence received as held or as a duplicate lies there with that content.",
        f"""
        SELECT store_no, sequence, concat('stream number ', stream_no, ', sequence ', sequence),
               CASE outcome WHEN 'H' THEN 'it was received as held and does not lie among the held events'
                    ELSE 'it was received as a duplicate of something that is not there' END
        FROM ({_RECEIPTS}) AS receipt
        WHERE outcome IN ('H', 'D')
          AND NOT EXISTS (SELECT FROM held_event h
                          WHERE h.store_no = receipt.store_no AND h.content_hash = receipt.content_hash)
          AND (outcome = 'H' OR NOT EXISTS (
              SELECT FROM pos_event e
              WHERE e.store_no = receipt.store_no AND e.content_hash = receipt.content_hash))
        UNION ALL
        SELECT store_no, sequence, concat('held event ', held_event_no),
               concat('sequence ', sequence, ' of stream ', stream_id, ' was never received')
        FROM (SELECT * FROM held_event WHERE OF_STORE) AS held JOIN stream USING (store_no, stream_no)
        WHERE sequence IS NOT NULL AND NOT received @> sequence
        """,  # noqa: S608  # built from constants
    ),
)
