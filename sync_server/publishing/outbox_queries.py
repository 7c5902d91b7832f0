"""The queries that read a page of the outbox and what its rows refer to.

Ranges of store sequences are read table by table and joined in Python: a join by key for each row would cost
PostgreSQL three times as much. A LATERAL with an OFFSET is planned by itself, by the primary key, whatever the
statistics of tables that grow all day say at the moment.
"""

# ruff: noqa: S608  # built from constants alone, as LiteralString proves
from typing import Final, LiteralString

BACKLOGS: Final[LiteralString] = """
    SELECT s.store_no, s.store_id, s.currency, coalesce(p.published_sequence, 0), s.last_sequence
    FROM store s LEFT JOIN relay_progress p USING (store_no)
    WHERE s.last_sequence > coalesce(p.published_sequence, 0) AND s.store_no <> %s
"""
_SPANS: Final[LiteralString] = """
    FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS span (store_no, low, high)
    CROSS JOIN LATERAL
"""
_KEYS: Final[LiteralString] = """
    FROM unnest(%s::int[], %s::bigint[]) AS key (store_no, store_sequence)
    CROSS JOIN LATERAL
"""

OUTBOX_ROWS: Final[LiteralString] = f"""
    SELECT o.* {_SPANS} (
        SELECT o.store_no, o.store_sequence, o.kind FROM outbox o
        WHERE o.store_no = span.store_no AND o.store_sequence BETWEEN span.low AND span.high
        ORDER BY o.store_sequence OFFSET 0
    ) AS o
"""
EVENTS: Final[LiteralString] = f"""
    SELECT e.* {_SPANS} (
        SELECT e.store_no, e.store_sequence, e.journal_sequence, e.item_no, e.event_key::text, e.event_id,
            e.sale_id, e.quantity, e.amount, e.currency, e.tax_amount, e.line_number, e.business_date,
            e.occurred_at, e.workstation_id, e.transaction_number, e.details::text
        FROM pos_event e
        WHERE e.store_no = span.store_no AND e.store_sequence BETWEEN span.low AND span.high
        ORDER BY e.store_sequence OFFSET 0
    ) AS e
"""
_HEAD: Final[LiteralString] = """
    j.store_no, j.store_sequence, j.first_sequence, j.kind, j.currency, j.business_date, j.accounting_date,
    j.posted_at
"""
JOURNALS: Final[LiteralString] = f"""
    SELECT j.* {_SPANS} (
        SELECT {_HEAD} FROM journal j
        WHERE j.store_no = span.store_no AND j.store_sequence BETWEEN span.low AND span.high
        ORDER BY j.store_sequence OFFSET 0
    ) AS j
"""
JOURNALS_BY_KEY: Final[LiteralString] = f"""
    SELECT j.* {_KEYS} (
        SELECT {_HEAD} FROM journal j
        WHERE j.store_no = key.store_no AND j.store_sequence = key.store_sequence OFFSET 0
    ) AS j
"""
JOURNAL_LINES: Final[LiteralString] = f"""
    SELECT l.* {_SPANS} (
        SELECT l.store_no, l.store_sequence, l.account, l.tender, l.debit, l.credit FROM journal_line l
        WHERE l.store_no = span.store_no AND l.store_sequence BETWEEN span.low AND span.high
        ORDER BY l.store_sequence, l.line_number OFFSET 0
    ) AS l
"""
ITEMS: Final[LiteralString] = "SELECT item_no, item_id FROM item WHERE item_no = ANY(%s)"
ACCOUNTING_DATES: Final[LiteralString] = f"""
    SELECT m.* {_KEYS} (
        SELECT m.store_no, m.store_sequence, m.accounting_date FROM stock_movement m
        WHERE m.store_no = key.store_no AND m.store_sequence = key.store_sequence OFFSET 0
    ) AS m
"""
VOIDS: Final[LiteralString] = f"""
    SELECT v.* {_KEYS} (
        SELECT v.store_no, v.store_sequence, x.event_key::text, x.event_id, x.sale_id, i.item_id,
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
        WHERE v.store_no = key.store_no AND v.store_sequence = key.store_sequence OFFSET 0
    ) AS v
"""
LATE_VOIDS: Final[LiteralString] = f"""
    SELECT key.store_no, key.store_sequence, v.* {_KEYS} (
        SELECT x.event_key::text, coalesce(e.event_id, e.event_key::text)
        FROM journal j
        JOIN void_effect v
            ON v.store_no = j.store_no AND v.store_sequence BETWEEN j.first_sequence AND j.store_sequence
        JOIN pos_event e ON e.store_no = v.store_no AND e.store_sequence = v.void_sequence
        JOIN pos_event x ON x.store_no = v.store_no AND x.store_sequence = v.voided_sequence
        WHERE j.store_no = key.store_no AND j.store_sequence = key.store_sequence
        ORDER BY v.store_sequence OFFSET 0
    ) AS v
"""
ANNOUNCEMENTS: Final[LiteralString] = f"""
    SELECT a.* {_KEYS} (
        SELECT a.store_no, a.store_sequence, a.kind, a.cause, a.payload::text, a.posted_at FROM announcement a
        WHERE a.store_no = key.store_no AND a.store_sequence = key.store_sequence OFFSET 0
    ) AS a
"""
AVAILABILITY: Final[LiteralString] = f"""
    SELECT a.* {_SPANS} (
        SELECT m.store_no, m.store_sequence, i.item_id,
            trim_scale(greatest(0, s.on_hand - s.reserved - i.safety_stock)), trim_scale(s.on_hand),
            trim_scale(s.reserved),
            coalesce(j.posted_at, m.occurred_at),
            concat_ws(' ', m.type, coalesce(e.event_id, e.event_key::text, m.document))
        FROM stock_movement m
        JOIN store_stock s
            ON s.store_no = m.store_no AND s.item_no = m.item_no AND s.last_sequence = m.store_sequence
        JOIN item i ON i.item_no = m.item_no
        LEFT JOIN journal j ON j.store_no = m.store_no AND j.store_sequence = m.journal_sequence
        LEFT JOIN pos_event e ON e.store_no = m.store_no AND e.store_sequence = m.event_sequence
        WHERE m.store_no = span.store_no AND m.store_sequence BETWEEN span.low AND span.high
        ORDER BY m.store_sequence OFFSET 0
    ) AS a
"""
OLDEST_WAITING: Final[LiteralString] = """
    SELECT min(least(oldest.posted_at, said.posted_at))
    FROM store s
    LEFT JOIN relay_progress p USING (store_no)
    LEFT JOIN LATERAL (
        SELECT j.posted_at FROM journal j
        WHERE j.store_no = s.store_no AND j.store_sequence > coalesce(p.published_sequence, 0)
        ORDER BY j.store_sequence
        LIMIT 1
    ) AS oldest ON true
    LEFT JOIN LATERAL (
        SELECT a.posted_at FROM announcement a
        WHERE a.store_no = s.store_no AND a.store_sequence > coalesce(p.published_sequence, 0)
        ORDER BY a.store_sequence
        LIMIT 1
    ) AS said ON true
    WHERE s.last_sequence > coalesce(p.published_sequence, 0)
"""
