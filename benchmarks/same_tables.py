"""The first limit: the rows that the server writes, into the tables that it writes them to, by hand.

One statement a batch, a chain of CTEs over `unnest`, prepared once a connection; the statement is its own
transaction. Nothing is read, checked or decided. Timed are the array texts, the statement and its commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks.array_text import array_texts
from benchmarks.posted_rows import Columns, PostedBatch

_STOCK = "store_stock"
_STREAM = "UPDATE stream SET received = received + ${0}::int8multirange WHERE stream_no = ${1}"
_STORE = "UPDATE store SET last_sequence = ${0}, audit_sequence = ${1}, audit_hash = ${2} WHERE store_no = $1"


@dataclass
class SameTables:
    """One connection that writes whole batches; see `starting_gate.Task`."""

    url: str
    columns: Mapping[str, Columns]
    batches: Sequence[PostedBatch]
    _statements: dict[tuple[str, ...], str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Connects."""
        self._connection = psycopg.connect(self.url, autocommit=True)
        self._cursor = psycopg.RawCursor(self._connection)

    def run(self) -> int:
        """Writes everything, a transaction a batch."""
        for batch in self.batches:
            tables = {table: rows for table, rows in batch.tables.items() if rows}
            self._cursor.execute(self._statement(tables), self._parameters(batch, tables), prepare=True)
        return sum(batch.lines for batch in self.batches)

    def _statement(self, tables: Iterable[str]) -> str:
        written = tuple(tables)
        if written not in self._statements:
            self._statements[written] = _statement({table: self.columns[table] for table in written})
        return self._statements[written]

    def _parameters(self, batch: PostedBatch, tables: Mapping[str, Sequence[tuple[Any, ...]]]) -> list[Any]:
        parameters: list[Any] = [batch.store_no]
        for table, rows in tables.items():
            parameters += array_texts(rows, self.columns[table].values())
        parameters += [batch.received, batch.stream_no]
        return [*parameters, batch.last_sequence, batch.audit_sequence, batch.audit_hash]


def begin_streams(url: str, batches: Iterable[PostedBatch]) -> None:
    """Adds the streams that the batches belong to, with the numbers that they had at the rehearsal."""
    streams = {(batch.stream_no, batch.store_no, batch.stream_id) for batch in batches}
    with psycopg.connect(url) as connection:
        connection.cursor().executemany(
            "INSERT INTO stream (stream_no, store_no, stream_id) VALUES (%s, %s, %s)", sorted(streams)
        )


def _statement(tables: Mapping[str, Columns]) -> str:
    """$1 is the store, then one array a column in the order of the tables, then stream and store."""
    parts, place = [], 2
    for table, columns in tables.items():
        parts.append(f"{table}_rows AS ({_insert(table, columns, place)})")
        place += len(columns)
    parts.append(f"stream_row AS ({_STREAM.format(place, place + 1)})")
    return f"WITH {', '.join(parts)} {_STORE.format(place + 2, place + 3, place + 4)}"


def _insert(table: str, columns: Columns, place: int) -> str:
    names = ", ".join(columns)
    arrays = ", ".join(f"${place + offset}::{kind}[]" for offset, kind in enumerate(columns.values()))
    source = f"unnest({arrays}) AS row({names})"
    statement = f"INSERT INTO {table} (store_no, {names}) SELECT $1::integer, row.* FROM {source}"
    if table != _STOCK:
        return statement
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "item_no")
    return f"{statement} ON CONFLICT (store_no, item_no) DO UPDATE SET {updates}"
