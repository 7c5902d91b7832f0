"""Whether a measured run did its work: everything there, once, and in balance. A fast wrong answer is no answer."""

from collections.abc import Mapping
from typing import Any

import psycopg

from benchmarks.posted_rows import WRITTEN

_POSTED = "SELECT count(*), count(DISTINCT (store_no, event_key)) FROM pos_event"
_STOCK = """
SELECT count(*) FROM store_stock AS stock FULL JOIN (
    SELECT store_no, item_no, sum(quantity) AS quantity, sum(value) AS value FROM stock_movement GROUP BY 1, 2
) AS moved USING (store_no, item_no)
WHERE stock.on_hand IS DISTINCT FROM moved.quantity OR stock.value IS DISTINCT FROM moved.value
"""
_JOURNALS = """
SELECT count(*) FROM journal FULL JOIN (
    SELECT store_no, store_sequence, sum(debit) - sum(credit) AS difference FROM journal_line GROUP BY 1, 2
) AS lines USING (store_no, store_sequence)
WHERE journal.store_no IS NULL OR difference IS DISTINCT FROM 0
"""
_STREAMS = "SELECT coalesce(sum(upper(part) - lower(part)), 0) FROM stream, unnest(received) AS part"


class RunWrong(Exception):
    """What was measured did not do its work; its figure is worth nothing."""


def check_ledger(url: str, lines: int) -> None:
    """Raises RunWrong unless `lines` events are posted, stock = Σ movements, and every journal balances."""
    with psycopg.connect(url) as connection:
        found = {
            "events posted": _row(connection, _POSTED)[0],
            "distinct events": _row(connection, _POSTED)[1],
            "sequences received": _row(connection, _STREAMS)[0],
            "stock rows that differ from their movements": _row(connection, _STOCK)[0],
            "journals that do not balance": _row(connection, _JOURNALS)[0],
        }
    wanted = dict(zip(found, (lines, lines, lines, 0, 0), strict=True))
    if found != wanted:
        raise RunWrong(f"found {found}, wanted {wanted}")


def row_counts(url: str) -> dict[str, int]:
    """How many rows each table has that a posting writes to."""
    with psycopg.connect(url) as connection:
        return {table: _row(connection, f"SELECT count(*) FROM {table}")[0] for table in WRITTEN}


def check_same_rows(url: str, wanted: Mapping[str, int]) -> None:
    """Raises RunWrong unless every table has as many rows as after the rehearsal."""
    found = row_counts(url)
    if found != wanted:
        raise RunWrong(f"rows by table: found {found}, wanted {dict(wanted)}")


def _row(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None, "a count is always one row"
    return tuple(row)
