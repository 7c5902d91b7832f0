"""Writing a posted batch: one statement, a chain of CTEs, whatever number of lines the batch has.

Tables that a batch has no rows for cost an empty array. Everything about the store's row, its numbers and its
audit chain, moves in the same statement, under the lock that the transaction holds since its beginning.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sync_server.ingestion.array_literals import literal

_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True, eq=False)
class RowSet:
    """A table's columns, besides store_no, that a batch writes, each with its type."""

    table: str
    columns: Mapping[str, str]
    tail: str = ""

    def parts(self) -> tuple[str, ...]:
        """The CTEs that write the rows: here one INSERT, reading one array parameter a column."""
        names = ", ".join(self.columns)
        insert = (
            f"INSERT INTO {self.table} (store_no, {names}) "  # noqa: S608  # built from constants
            f"SELECT %(store_no)s::int, row.* FROM {self.source()} AS row({names}) {self.tail}"
        )
        return (f"{self.table}_rows AS ({insert})",)

    def source(self) -> str:
        """The rows, as SQL that reads one array parameter a column."""
        arrays = ", ".join(f"%({self.table}_{name})s::{kind}[]" for name, kind in self.columns.items())
        return f"unnest({arrays})"

    def parameters(
        self, rows: Sequence[tuple[Any, ...]], last_columns: Sequence[Sequence[Any]] = ()
    ) -> dict[str, str]:
        """The columns of `rows`, and behind them `last_columns`, which stand apart, as array literals."""
        if not rows:
            return {f"{self.table}_{name}": "{}" for name in self.columns}
        columns: list[Sequence[Any]] = [*zip(*rows, strict=True), *last_columns]
        return {
            f"{self.table}_{name}": literal(kind, values)
            for (name, kind), values in zip(self.columns.items(), columns, strict=True)
        }


_EVENT = {
    "store_sequence": "bigint",
    "event_key": "uuid",
    "event_id": "varchar",
    "content_hash": "bytea",
    "stream_no": "integer",
    "sequence": "bigint",
    "type": "varchar",
    "item_no": "integer",
    "quantity": "numeric",
    "amount": "numeric",
    "tax_amount": "numeric",
    "cost": "numeric",
    "currency": "varchar",
    "tenders": "json",
    "sale_id": "varchar",
    "line_number": "integer",
    "transaction_number": "varchar",
    "workstation_id": "varchar",
    "cashier_id": "varchar",
    "occurred_at": "timestamptz",
    "time_reading": "varchar",
    "business_date": "date",
    "agent_business_date": "date",
    "details": "json",
}
_OWN_MOVEMENT = {
    "moved_quantity": "numeric",
    "moved_value": "numeric",
    "on_hand_after": "numeric",
    "previous_sequence": "bigint",
    "accounting_date": "date",
}
_JOURNALS = {"journal_sequence": "bigint", "goods_journal_sequence": "bigint"}


@dataclass(frozen=True, slots=True, eq=False)
class LineSet(RowSet):
    """Events with what most of them do at once: a movement of their own and a row in the outbox.

    The three rows share their number, type, item and dates, which travel and are read once.
    """

    def parts(self) -> tuple[str, ...]:
        """The lines, and the INSERTs that read them."""
        event = ", ".join((*_EVENT, "journal_sequence"))
        insert = f"INSERT INTO pos_event (store_no, {event}) SELECT %(store_no)s::int, {event} FROM line"  # noqa: S608
        names = ", ".join(self.columns)
        return (
            f"line ({names}) AS MATERIALIZED (SELECT * FROM {self.source()})",  # noqa: S608  # built from constants
            f"pos_event_rows AS ({insert})",
            f"line_movement_rows AS ({_LINE_MOVEMENTS})",
            f"line_outbox_rows AS ({_LINE_OUTBOX})",
        )


_LINE_MOVEMENTS = """
    INSERT INTO stock_movement (store_no, store_sequence, item_no, type, quantity, value, on_hand_after,
                                previous_sequence, event_sequence, business_date, accounting_date, occurred_at,
                                journal_sequence)
    SELECT %(store_no)s::int, store_sequence, item_no, type, moved_quantity, moved_value, on_hand_after,
           previous_sequence, store_sequence, business_date, accounting_date, occurred_at, goods_journal_sequence
    FROM line WHERE moved_quantity IS NOT NULL
"""
_LINE_OUTBOX = """
    INSERT INTO outbox (store_no, store_sequence, kind)
    SELECT %(store_no)s::int, store_sequence, outbox_kind FROM line WHERE outbox_kind IS NOT NULL
"""
LINES = LineSet("line", _EVENT | _OWN_MOVEMENT | {"outbox_kind": "smallint"} | _JOURNALS)
MOVEMENTS = RowSet(
    "stock_movement",
    {
        "store_sequence": "bigint",
        "item_no": "integer",
        "type": "varchar",
        "quantity": "numeric",
        "value": "numeric",
        "on_hand_after": "numeric",
        "previous_sequence": "bigint",
        "event_sequence": "bigint",
        "business_date": "date",
        "accounting_date": "date",
        "occurred_at": "timestamptz",
        "reason_code": "varchar",
        "reserved": "numeric",
        "in_transit": "numeric",
        "in_transit_value": "numeric",
        "document": "varchar",
        "journal_sequence": "bigint",
    },
)
STOCK = RowSet(
    "store_stock",
    {
        "item_no": "integer",
        "on_hand": "numeric",
        "value": "numeric",
        "unit_cost": "numeric",
        "last_sequence": "bigint",
    },
    "ON CONFLICT (store_no, item_no) DO UPDATE SET on_hand = excluded.on_hand, value = excluded.value, "
    "unit_cost = excluded.unit_cost, last_sequence = excluded.last_sequence",
)
JOURNALS = RowSet(
    "journal",
    {
        "store_sequence": "bigint",
        "first_sequence": "bigint",
        "kind": "varchar",
        "currency": "varchar",
        "business_date": "date",
        "accounting_date": "date",
        "posted_at": "timestamptz",
    },
)
JOURNAL_LINES = RowSet(
    "journal_line",
    {
        "store_sequence": "bigint",
        "line_number": "integer",
        "account": "varchar",
        "tender": "varchar",
        "debit": "numeric",
        "credit": "numeric",
    },
)
OUTBOX = RowSet("outbox", {"store_sequence": "bigint", "kind": "smallint"})
SALES = RowSet("pos_sale", {"sale_key": "uuid", "first_sequence": "bigint", "last_sequence": "bigint"})
VOID_EFFECTS = RowSet(
    "void_effect", {"store_sequence": "bigint", "void_sequence": "bigint", "voided_sequence": "bigint"}
)
CLAIMS = RowSet(
    "void_claim",
    {"claim_key": "uuid", "void_sequence": "bigint", "line_number": "integer", "pending": "boolean"},
)
RETURNS = RowSet(
    "sale_return", {"sold_sequence": "bigint", "return_sequence": "bigint", "quantity": "numeric"}
)
HELD = RowSet(
    "held_event",
    {
        "event_key": "uuid",
        "event_id": "varchar",
        "content_hash": "bytea",
        "stream_no": "integer",
        "sequence": "bigint",
        "batch_id": "varchar",
        "reason": "varchar",
        "raw": "json",
        "received_at": "timestamptz",
        "status": "varchar",
        "group_key": "uuid",
        "subject": "varchar",
    },
)
RECEIPTS = RowSet(
    "stream_receipt",
    {
        "stream_no": "integer",
        "first_sequence": "bigint",
        "last_sequence": "bigint",
        "business_date": "date",
        "content_hashes": "bytea",
        "outcomes": "varchar",
    },
)
ALWAYS = (LINES, STOCK, JOURNALS, JOURNAL_LINES, OUTBOX, SALES, RECEIPTS)
"""What an ordinary batch of sales writes; the statement for it is prepared once a connection."""
SOMETIMES = (MOVEMENTS, VOID_EFFECTS, CLAIMS, RETURNS, HELD)

ALLOCATE = """
UPDATE store_stock AS stock SET reserved = stock.reserved + change.reserved,
    in_transit = stock.in_transit + change.in_transit,
    in_transit_value = stock.in_transit_value + change.in_transit_value
FROM (
    SELECT item_no, sum(reserved) AS reserved, sum(in_transit) AS in_transit, sum(value) AS in_transit_value
    FROM unnest(%s::int[], %s::numeric[], %s::numeric[], %s::numeric[]) AS row (item_no, reserved, in_transit, value)
    GROUP BY item_no
) AS change
WHERE stock.store_no = %s AND stock.item_no = change.item_no
"""
"""Behind the one write, which has made a row for every item that moved."""
_BATCH = """
    INSERT INTO pos_batch (store_no, batch_id, content_hash, channel, caller, request_id, stream_no, posted_at,
                           received_at, accepted, duplicates, held, findings, first_sequence, last_sequence)
    VALUES (%(store_no)s::int, %(batch_id)s, %(content_hash)s, %(channel)s, %(caller)s, %(request_id)s,
            %(stream_no)s::int, %(posted_at)s, %(received_at)s, %(accepted)s::int, %(duplicates)s::int, %(held)s::int,
            %(findings)s::jsonb, %(first_sequence)s::bigint, %(last_sequence)s::bigint)
"""
_AUDIT = """
    INSERT INTO audit_entry (store_no, audit_sequence, at, actor_kind, actor, action, subject, after,
                             request_id, origin, previous_hash, hash)
    VALUES (%(store_no)s::int, %(audit_sequence)s::bigint, %(received_at)s, %(actor_kind)s, %(caller)s, %(action)s,
            %(batch_id)s, %(after)s::jsonb, %(request_id)s, %(origin)s, %(previous_hash)s, %(audit_hash)s)
"""
_STREAM = """
    UPDATE stream SET received = received + %(received)s::int8multirange WHERE stream_no = %(stream_no)s::int
"""
_REOPENED = """
    UPDATE store_day SET state = 'OPEN'
    WHERE store_no = %(store_no)s::int AND stream_no = %(stream_no)s::int AND state = 'PROVEN'
      AND business_date = ANY(%(dates)s::date[])
"""
_SATISFIED = """
    UPDATE void_claim SET pending = false
    WHERE store_no = %(store_no)s::int AND pending AND void_sequence = ANY(%(satisfied)s::bigint[])
"""
_STORE = """
    UPDATE store SET last_sequence = %(last_store_sequence)s::bigint, audit_sequence = %(audit_sequence)s::bigint,
                     audit_hash = %(audit_hash)s
    WHERE store_no = %(store_no)s::int
"""
_RECEIVED = """
    RETURNING (SELECT received + %(received)s::int8multirange FROM stream WHERE stream_no = %(stream_no)s::int)
"""
"""A statement sees its own changes nowhere; the sum is made once more for the answer."""


@dataclass(frozen=True, slots=True)
class WriteStatement:
    """SQL in PostgreSQL's own notation ($1, $2, …) and which parameter each number stands for.

    Numbers travel as text and are cast in the SQL: psycopg would otherwise choose a type by size, and every
    mixture of sizes would be another statement to plan.
    """

    sql: bytes
    names: tuple[str, ...]

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The parameters in their order."""
        values = [parameters[name] for name in self.names]
        return [str(value) if type(value) is int else value for value in values]


@lru_cache(maxsize=128)
def write_statement(row_sets: tuple[RowSet, ...], *, stream: bool, satisfied: bool) -> WriteStatement:
    """One statement that writes `row_sets`, the batch, its audit entry, and the store's and stream's rows."""
    parts = [part for row_set in row_sets for part in row_set.parts()]
    parts += [f"batch_row AS ({_BATCH})", f"audit_row AS ({_AUDIT})"]
    if stream:
        parts += [f"stream_row AS ({_STREAM})", f"reopened_days AS ({_REOPENED})"]
    if satisfied:
        parts.append(f"satisfied_claims AS ({_SATISFIED})")
    returning = _RECEIVED if stream else "RETURNING NULL"
    template = f"WITH {', '.join(parts)} {_STORE} {returning}"
    names = tuple(dict.fromkeys(_PARAMETER.findall(template)))
    numbers = {name: number for number, name in enumerate(names, 1)}
    sql = _PARAMETER.sub(lambda found: f"${numbers[found[1]]}", template)
    return WriteStatement(sql.encode(), names)
