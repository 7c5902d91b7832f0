"""Opening stock: what a store had of an item before its first movement, brought in with its cost.

It is the first movement of an item in a store or nothing: a file imported twice adds nothing, and stock that
has moved is corrected by a count, not by a second opening.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.business_date import business_date
from shared.exact_decimal import exact_arithmetic
from shared.money import minor_unit
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry
from sync_server.database import Work
from sync_server.inventory.valuation import StockPosition, move, unit_cost_of, worth_at
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import LockedStore, lock_store

OPENING_STOCK = "OPENING_STOCK"
_JOURNAL_OUTBOX_KIND = 4

_MOVED = "SELECT item_no FROM store_stock WHERE store_no = %s AND item_no = ANY(%s::int[])"
_WRITE = """
WITH row AS (
    SELECT * FROM unnest(%(items)s::int[], %(numbers)s::bigint[], %(quantities)s::numeric[], %(values)s::numeric[],
                         %(costs)s::numeric[]) AS row (item_no, store_sequence, quantity, value, unit_cost)
), movements AS (
    INSERT INTO stock_movement (store_no, store_sequence, item_no, type, quantity, value, on_hand_after,
                                journal_sequence, business_date, accounting_date, occurred_at)
    SELECT %(store_no)s, store_sequence, item_no, %(type)s, quantity, value, quantity,
           %(journal)s, %(date)s, %(date)s, %(now)s FROM row
), stock AS (
    INSERT INTO store_stock (store_no, item_no, on_hand, value, unit_cost, last_sequence)
    SELECT %(store_no)s, item_no, quantity, value, unit_cost, store_sequence FROM row
)
UPDATE store SET last_sequence = %(last)s WHERE store_no = %(store_no)s
"""
_JOURNAL = """
WITH posted AS (
    INSERT INTO journal (store_no, store_sequence, first_sequence, kind, currency, business_date,
                         accounting_date, posted_at)
    VALUES (%(store_no)s, %(journal)s, %(first)s, %(type)s, %(currency)s, %(date)s, %(date)s, %(now)s)
), lines AS (
    INSERT INTO journal_line (store_no, store_sequence, line_number, account, debit, credit)
    SELECT %(store_no)s, %(journal)s, line.* FROM unnest(%(lines)s::int[], %(accounts)s::varchar[],
        %(debits)s::numeric[], %(credits)s::numeric[]) AS line
)
INSERT INTO outbox (store_no, store_sequence, kind) VALUES (%(store_no)s, %(journal)s, %(kind)s)
"""

OpeningLine = tuple[int, Decimal, Decimal]
"""Item number, quantity (> 0), unit cost (≥ 0, in the store's currency)."""


def post_opening_stock(
    work: Work,
    chart: ChartOfAccounts,
    store_no: int,
    lines: Sequence[OpeningLine],
    *,
    by: Caller,
    now: datetime,
) -> list[int]:
    """Posts one movement a line, and one journal (Dr inventory / Cr opening balance); audited.

    Returns the numbers of the items that were posted. An item that has moved in the store before, or that
    stands in `lines` twice, keeps what it has.
    """
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    moved = {row[0] for row in cursor.execute(_MOVED, [store_no, [line[0] for line in lines]])}
    fresh = {item_no: (quantity, cost) for item_no, quantity, cost in reversed(lines) if item_no not in moved}
    if not fresh:
        return []
    entry = JournalEntry()
    with exact_arithmetic():
        rows, total = _rows(store, sorted(fresh.items()))
        entry.debit(chart.inventory, total)
        entry.credit(chart.opening_balance, total)
    last_movement = store.last_sequence + len(rows)
    journal = last_movement + 1 if total else None
    parameters = {
        "store_no": store_no,
        "type": OPENING_STOCK,
        "journal": journal,
        "first": store.last_sequence + 1,
        "last": journal or last_movement,
        "date": business_date(now, store.day_rule),
        "now": now,
        "currency": store.currency,
        "kind": _JOURNAL_OUTBOX_KIND,
    }
    names = ("items", "numbers", "quantities", "values", "costs")
    cursor.execute(_WRITE, parameters | dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    if journal is not None:
        cursor.execute(_JOURNAL, parameters | _line_columns(entry))
    after = {"items": len(rows), "value": total}
    append_entry(
        work, store_no, facts_by(by, at=now, action="stock.opened", subject=store.store_id, after=after)
    )
    return sorted(fresh)


def _rows(
    store: LockedStore, lines: Sequence[tuple[int, tuple[Decimal, Decimal]]]
) -> tuple[list[tuple[Any, ...]], Decimal]:
    """(item, number, quantity, value, unit cost) of each movement, and the value of all."""
    unit, rows, total = minor_unit(store.currency), [], Decimal(0)
    for number, (item_no, (quantity, cost)) in enumerate(lines, store.last_sequence + 1):
        position = StockPosition()
        valuation = move(position, quantity, worth_at(cost, quantity, unit), unit)
        rows.append((item_no, number, quantity, valuation.value, unit_cost_of(position)))
        total += valuation.value
    return rows, total


def _line_columns(entry: JournalEntry) -> dict[str, list[Any]]:
    lines = entry.lines()
    return {
        "lines": list(range(1, len(lines) + 1)),
        "accounts": [line[0] for line in lines],
        "debits": [line[2] for line in lines],
        "credits": [line[3] for line in lines],
    }
