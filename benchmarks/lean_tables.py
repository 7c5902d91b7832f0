"""The second limit: the leanest ingest that still deduplicates, moves stock, books, and has an outbox.

Five tables of as few columns as can be, none of them the product's: events known by key, movements, stock, one
journal row a transaction, an outbox of numbers. Again one prepared statement a batch that is its own
transaction. Lines that are known already are left out, whatever batch they come in: it is an ingest, if a bare
one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.array_text import array_texts
from benchmarks.posted_rows import Columns, PostedBatch

TABLES = """
CREATE SCHEMA lean;
CREATE TABLE lean.known (store_no integer, event_key uuid, PRIMARY KEY (store_no, event_key));
CREATE TABLE lean.movement (
    store_no integer, sequence bigint, item_no integer, quantity numeric, value numeric,
    PRIMARY KEY (store_no, sequence)
);
CREATE TABLE lean.stock (
    store_no integer, item_no integer, on_hand numeric NOT NULL, value numeric NOT NULL,
    PRIMARY KEY (store_no, item_no)
) WITH (fillfactor = 80);
CREATE TABLE lean.journal (
    store_no integer, sequence bigint, amount numeric, cost numeric, PRIMARY KEY (store_no, sequence)
);
CREATE TABLE lean.outbox (store_no integer, sequence bigint, PRIMARY KEY (store_no, sequence));
INSERT INTO lean.stock (store_no, item_no, on_hand, value) SELECT store_no, item_no, on_hand, value FROM store_stock;
GRANT USAGE ON SCHEMA lean TO PUBLIC;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA lean TO PUBLIC;
"""
_POST = """
WITH known AS (
    INSERT INTO lean.known SELECT $1::integer, key FROM unnest($2::uuid[]) AS key
    ON CONFLICT DO NOTHING RETURNING event_key
), moved AS (
    INSERT INTO lean.movement SELECT $1::integer, row.sequence, row.item_no, row.quantity, row.value
    FROM unnest($3::uuid[], $4::bigint[], $5::integer[], $6::numeric[], $7::numeric[])
         AS row (event_key, sequence, item_no, quantity, value) JOIN known USING (event_key)
    RETURNING item_no, quantity, value
), stock AS (
    INSERT INTO lean.stock AS stock
    SELECT $1::integer, item_no, sum(quantity), sum(value) FROM moved GROUP BY item_no ORDER BY item_no
    ON CONFLICT (store_no, item_no) DO UPDATE
    SET on_hand = stock.on_hand + excluded.on_hand, value = stock.value + excluded.value
), journal AS (
    INSERT INTO lean.journal SELECT $1::integer, row.sequence, row.amount, row.cost
    FROM unnest($8::uuid[], $9::bigint[], $10::numeric[], $11::numeric[])
         AS row (event_key, sequence, amount, cost) JOIN known USING (event_key)
)
INSERT INTO lean.outbox SELECT $1::integer, row.sequence
FROM unnest($2::uuid[], $12::bigint[]) AS row (event_key, sequence) JOIN known USING (event_key)
"""
_TYPES = {
    "keys": ("uuid",),
    "movements": ("uuid", "bigint", "integer", "numeric", "numeric"),
    "journals": ("uuid", "bigint", "numeric", "numeric"),
    "outbox": ("bigint",),
}
_DIFFERENCES = """
SELECT count(*) FROM lean.stock FULL JOIN (
    SELECT store_no, item_no, sum(quantity) AS quantity, sum(value) AS value FROM (
        SELECT store_no, item_no, quantity, value FROM lean.movement
        UNION ALL SELECT store_no, item_no, on_hand, value FROM store_stock
    ) AS every GROUP BY 1, 2
) AS moved USING (store_no, item_no)
WHERE stock.on_hand IS DISTINCT FROM moved.quantity OR stock.value IS DISTINCT FROM moved.value
"""

_INVENTORY = "1400"
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class LeanBatch:
    """A batch's rows by lean table."""

    store_no: int
    lines: int
    tables: dict[str, Rows]


@dataclass
class LeanTables:
    """One connection that writes whole batches; see `starting_gate.Task`."""

    url: str
    batches: Sequence[LeanBatch]

    def prepare(self) -> None:
        """Connects."""
        self._cursor = psycopg.RawCursor(psycopg.connect(self.url, autocommit=True))

    def run(self) -> int:
        """Writes everything, a transaction a batch."""
        for batch in self.batches:
            arrays = [
                text for table, types in _TYPES.items() for text in array_texts(batch.tables[table], types)
            ]
            self._cursor.execute(_POST, [batch.store_no, *arrays], prepare=True)
        return sum(batch.lines for batch in self.batches)


def make_lean_tables(owner_url: str) -> None:
    """Creates the tables, with the opening stock of the others."""
    with psycopg.connect(owner_url) as connection:
        connection.execute(TABLES)


def check_lean_tables(url: str, lines: int) -> None:
    """Every event known once, and stock = opening stock + Σ movements."""
    with psycopg.connect(url) as connection:
        known = connection.execute("SELECT count(*) FROM lean.known").fetchone()
        differences = connection.execute(_DIFFERENCES).fetchone()
    assert known == (lines,), f"{known} of {lines} events are known"
    assert differences == (0,), f"{differences} stock rows differ from their movements"


def lean_batches(columns: Mapping[str, Columns], batches: Iterable[PostedBatch]) -> list[LeanBatch]:
    """The rehearsal's batches, reduced to what the lean tables hold."""
    return [LeanBatch(batch.store_no, batch.lines, _lean_rows(columns, batch.tables)) for batch in batches]


def _lean_rows(columns: Mapping[str, Columns], tables: dict[str, Rows]) -> dict[str, Rows]:
    def pick(table: str, *names: str) -> Rows:
        order = list(columns[table])
        places = [order.index(name) for name in names]
        return [tuple(row[place] for place in places) for row in tables[table]]

    events = pick("pos_event", "store_sequence", "event_key")
    key_of: dict[int, UUID] = dict(events)
    first_of: dict[int, int] = dict(pick("journal", "store_sequence", "first_sequence"))
    amounts: dict[int, list[Decimal]] = {}
    for number, account, debit, credit in pick(
        "journal_line", "store_sequence", "account", "debit", "credit"
    ):
        sums = amounts.setdefault(number, [Decimal(0), Decimal(0)])
        sums[0] += debit
        if account == _INVENTORY:
            sums[1] += credit - debit
    movements = pick("stock_movement", "event_sequence", "store_sequence", "item_no", "quantity", "value")
    return {
        "keys": [(key,) for _, key in events],
        "movements": [(key_of[event], *movement) for event, *movement in movements],
        "journals": [(key_of[first_of[number]], number, *sums) for number, sums in amounts.items()],
        "outbox": [(number,) for number, _ in events],
    }
