"""The rows that the server writes for each batch, read back from a rehearsal: what the limits have to write.

The server posts every batch once, unmeasured, and after each commit the batch's rows are read from every
table. So the limits write the very rows that the server does, and need not know how they come about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.agent_batches import Batch
from benchmarks.direct_posting import DirectServer

_OF_THE_BATCH = "BETWEEN %(first)s AND %(last)s"
WRITTEN = {
    "pos_event": f"store_sequence {_OF_THE_BATCH}",
    "stock_movement": f"store_sequence {_OF_THE_BATCH}",
    "store_stock": f"last_sequence {_OF_THE_BATCH}",
    "journal": f"store_sequence {_OF_THE_BATCH}",
    "journal_line": f"store_sequence {_OF_THE_BATCH}",
    "outbox": f"store_sequence {_OF_THE_BATCH}",
    "pos_sale": f"first_sequence {_OF_THE_BATCH}",
    "void_effect": f"store_sequence {_OF_THE_BATCH}",
    "void_claim": f"void_sequence {_OF_THE_BATCH}",
    "sale_return": f"return_sequence {_OF_THE_BATCH}",
    "stream_receipt": "first_sequence BETWEEN %(first_event)s AND %(last_event)s AND stream_no = %(stream_no)s",
    "pos_batch": "batch_id = %(batch_id)s",
    "audit_entry": "audit_sequence = %(audit_sequence)s",
}
"""Every table that a posting adds rows to, and which of a store's rows are a batch's once it is committed."""
_LEFT_ALONE = {"store_no", "reserved", "in_transit"}
"""store_no is one value for a batch; the other two are no posting's business and have their defaults."""
_COLUMNS = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_EVENTS = """
SELECT min(sequence), max(sequence), count(*) FROM pos_event
WHERE store_no = %(store_no)s AND store_sequence BETWEEN %(first)s AND %(last)s
"""
_HEADS = """
SELECT b.first_sequence AS first, b.last_sequence AS last, b.stream_no, s.stream_id, b.held, s.store_no,
       h.audit_sequence, h.audit_hash, h.last_sequence, s.received::text AS received
FROM pos_batch b JOIN stream s USING (stream_no) JOIN store h ON h.store_no = b.store_no
WHERE h.store_id = %s AND b.batch_id = %s
"""

Columns = dict[str, str]
"""A table's columns and their PostgreSQL types, in order."""


@dataclass(frozen=True, slots=True)
class PostedBatch:
    """What one batch became: rows by table, and the new heads of its store and stream."""

    store_no: int
    stream_no: int
    stream_id: str
    lines: int
    tables: dict[str, list[tuple[Any, ...]]]
    last_sequence: int
    audit_sequence: int
    audit_hash: bytes
    received: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All batches in the order in which they were posted, and the columns that say anything in them."""

    columns: dict[str, Columns]
    batches: list[PostedBatch]

    @property
    def lines(self) -> int:
        """How many events were posted."""
        return sum(batch.lines for batch in self.batches)


def rehearse(url: str, credentials: Mapping[str, str], batches: Iterable[Batch]) -> Rehearsal:
    """Posts the batches into the database at `url` and reads back what each became."""
    server = DirectServer(url, credentials)
    with psycopg.connect(url) as connection:
        columns = {table: _columns(connection, table) for table in WRITTEN}
        posted = []
        for batch in batches:
            server.post(batch.store_id, batch.unpacked())
            posted.append(_read_back(connection, columns, batch))
    server.database.close()
    return _without_silent_columns(Rehearsal(columns, posted))


def _columns(connection: psycopg.Connection[Any], table: str) -> Columns:
    found = dict(connection.execute(_COLUMNS, [table]).fetchall())
    return {name: kind for name, kind in found.items() if name not in _LEFT_ALONE}


def _read_back(
    connection: psycopg.Connection[Any], columns: Mapping[str, Columns], batch: Batch
) -> PostedBatch:
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    heads = cursor.execute(_HEADS, [batch.store_id, batch.batch_id]).fetchone()
    assert heads is not None, f"batch {batch.batch_id} is posted"
    assert heads["held"] == 0, "nothing of the real sales is held"
    where: dict[str, Any] = {**heads, "batch_id": batch.batch_id}
    events = connection.execute(_EVENTS, where).fetchone()
    assert events is not None, "a count is always one row"
    assert events[2] == batch.lines, "every line was posted"
    where |= {"first_event": events[0], "last_event": events[1]}
    tables = {table: _rows(connection, table, columns[table], where) for table in WRITTEN}
    connection.rollback()
    return PostedBatch(
        store_no=heads["store_no"],
        stream_no=heads["stream_no"],
        stream_id=heads["stream_id"],
        lines=batch.lines,
        tables=tables,
        last_sequence=heads["last_sequence"],
        audit_sequence=heads["audit_sequence"],
        audit_hash=heads["audit_hash"],
        received=heads["received"],
    )


def _rows(
    connection: psycopg.Connection[Any], table: str, columns: Columns, where: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    names = sql.SQL(", ").join(
        sql.SQL("{}::text").format(sql.Identifier(name)) if kind.startswith("json") else sql.Identifier(name)
        for name, kind in columns.items()
    )
    query = sql.SQL("SELECT {} FROM {} WHERE store_no = %(store_no)s AND ").format(
        names, sql.Identifier(table)
    )
    return connection.execute(query + sql.SQL(WRITTEN[table]), where).fetchall()


def _without_silent_columns(rehearsal: Rehearsal) -> Rehearsal:
    """Leaves out columns in which no row says anything: by hand nobody would write them."""
    columns = {}
    for table, kinds in rehearsal.columns.items():
        rows = [row for batch in rehearsal.batches for row in batch.tables[table]]
        spoken = [any(row[place] is not None for row in rows) for place in range(len(kinds))]
        columns[table] = {
            name: kind for (name, kind), said in zip(kinds.items(), spoken, strict=True) if said
        }
        for batch in rehearsal.batches:
            batch.tables[table] = [
                tuple(value for value, said in zip(row, spoken, strict=True) if said)
                for row in batch.tables[table]
            ]
    return Rehearsal(columns, rehearsal.batches)
