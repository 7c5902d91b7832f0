"""The queries that read what outbox rows refer to, many rows at once.

A LATERAL with an OFFSET is planned by itself: range by range and key by key over the primary keys, whatever
the statistics of tables that grow all day say at the moment. Keys and JSON are read as text, the one because
it is quicker, the other because psycopg would read its numbers as binary floating point.
"""

from typing import Final, LiteralString

LINES: Final[LiteralString] = """
    SELECT span.store_no, o.*
    FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS span (store_no, low, high)
    CROSS JOIN LATERAL (
        SELECT o.kind, o.store_sequence,
            e.event_key::text, e.event_id, e.sale_id, i.item_id, e.quantity, e.amount, e.currency,
            e.tax_amount, e.line_number, e.business_date,
            coalesce(j.accounting_date, (
                SELECT m.accounting_date FROM stock_movement m
                WHERE m.store_no = o.store_no AND m.store_sequence = o.store_sequence), e.business_date),
            e.occurred_at, coalesce(j.posted_at, e.occurred_at), e.workstation_id, e.transaction_number,
            e.details::text
        FROM outbox o
        LEFT JOIN pos_event e
            ON e.store_no = o.store_no AND e.store_sequence = o.store_sequence AND o.kind IN (1, 2)
        LEFT JOIN journal j ON j.store_no = e.store_no AND j.store_sequence = e.journal_sequence
        LEFT JOIN item i ON i.item_no = e.item_no
        WHERE o.store_no = span.store_no AND o.store_sequence BETWEEN span.low AND span.high
        ORDER BY o.store_sequence
        OFFSET 0
    ) AS o
"""
VOIDS: Final[LiteralString] = """
    SELECT key.store_no, v.*
    FROM unnest(%s::int[], %s::bigint[]) AS key (store_no, store_sequence)
    CROSS JOIN LATERAL (
        SELECT v.store_sequence,
            x.event_key::text, x.event_id, x.sale_id, i.item_id,
            coalesce(x.quantity, 0), coalesce(x.amount, 0), x.currency, x.tax_amount, x.line_number,
            coalesce(m.business_date, e.business_date),
            coalesce(m.accounting_date, j.accounting_date, e.business_date),
            coalesce(m.occurred_at, e.occurred_at), coalesce(j.posted_at, e.occurred_at), e.workstation_id,
            e.transaction_number, x.details::text, x.type, e.event_key::text, e.event_id, e.sale_id
        FROM void_effect v
        JOIN pos_event e ON e.store_no = v.store_no AND e.store_sequence = v.void_sequence
        JOIN pos_event x ON x.store_no = v.store_no AND x.store_sequence = v.voided_sequence
        LEFT JOIN stock_movement m ON m.store_no = v.store_no AND m.store_sequence = v.store_sequence
        LEFT JOIN journal j
            ON j.store_no = v.store_no AND j.store_sequence = coalesce(m.journal_sequence, e.journal_sequence)
        LEFT JOIN item i ON i.item_no = x.item_no
        WHERE v.store_no = key.store_no AND v.store_sequence = key.store_sequence
        OFFSET 0
    ) AS v
"""
JOURNALS: Final[LiteralString] = """
    SELECT key.store_no, j.*
    FROM unnest(%s::int[], %s::bigint[]) AS key (store_no, store_sequence)
    CROSS JOIN LATERAL (
        SELECT j.store_sequence, j.kind, j.currency, j.business_date, j.accounting_date, j.posted_at,
            (SELECT x.event_key::text FROM void_effect v
             JOIN pos_event x ON x.store_no = v.store_no AND x.store_sequence = v.voided_sequence
             WHERE v.store_no = j.store_no AND v.store_sequence = j.first_sequence) AS voided_first,
            ARRAY(SELECT coalesce(e.event_id, e.event_key::text) FROM pos_event e
                  WHERE e.store_no = j.store_no
                      AND e.store_sequence BETWEEN j.first_sequence AND j.store_sequence
                  ORDER BY e.store_sequence) AS event_ids,
            ARRAY(SELECT DISTINCT coalesce(e.event_id, e.event_key::text) FROM void_effect v
                  JOIN pos_event e ON e.store_no = v.store_no AND e.store_sequence = v.void_sequence
                  WHERE v.store_no = j.store_no
                      AND v.store_sequence BETWEEN j.first_sequence AND j.store_sequence) AS void_ids,
            ARRAY(SELECT concat_ws(E'\\x1f', l.account, l.debit, l.credit, l.tender) FROM journal_line l
                  WHERE l.store_no = j.store_no AND l.store_sequence = j.store_sequence
                  ORDER BY l.line_number) AS lines
        FROM journal j
        WHERE j.store_no = key.store_no AND j.store_sequence = key.store_sequence
        OFFSET 0
    ) AS j
"""
OLDEST_WAITING: Final[LiteralString] = """
    SELECT min(oldest.posted_at)
    FROM store s
    LEFT JOIN relay_progress p USING (store_no)
    CROSS JOIN LATERAL (
        SELECT j.posted_at FROM journal j
        WHERE j.store_no = s.store_no AND j.store_sequence > coalesce(p.published_sequence, 0)
        ORDER BY j.store_sequence
        LIMIT 1
    ) AS oldest
    WHERE s.last_sequence > coalesce(p.published_sequence, 0)
"""
