"""Writing what a document posts: movements, stock and the store's number in one statement, the journal in another."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Protocol

from psycopg import Cursor

from sync_server.inventory.item_stock import ItemStock
from sync_server.inventory.valuation import unit_cost_of
from sync_server.publishing.announcements import Announcement, write_announcements
from sync_server.publishing.kinds import OutboxKind
from sync_server.stores.locked_store import LockedStore

JournalLines = Sequence[tuple[str, str | None, Decimal, Decimal]]
"""(account, tender, debit, credit)."""

_MOVEMENT = {
    "store_sequence": "bigint",
    "item_no": "int",
    "type": "varchar",
    "quantity": "numeric",
    "value": "numeric",
    "on_hand_after": "numeric",
    "previous_sequence": "bigint",
    "reserved": "numeric",
    "in_transit": "numeric",
    "in_transit_value": "numeric",
    "reason_code": "varchar",
    "occurred_at": "timestamptz",
}
_movement = attrgetter(*_MOVEMENT)
_STOCK = {
    "item_no": "int",
    "on_hand": "numeric",
    "reserved": "numeric",
    "in_transit": "numeric",
    "in_transit_value": "numeric",
    "value": "numeric",
    "unit_cost": "numeric",
    "last_sequence": "bigint",
}


def _unnest(prefix: str, columns: dict[str, str]) -> str:
    arrays = ", ".join(f"%({prefix}_{name})s::{kind}[]" for name, kind in columns.items())
    return f"unnest({arrays}) AS {prefix} ({', '.join(columns)})"


_WRITE = f"""
WITH movements AS (
    INSERT INTO stock_movement (store_no, journal_sequence, document, business_date, accounting_date,
                                {", ".join(_MOVEMENT)})
    SELECT %(store_no)s, %(journal)s, %(document)s, %(date)s, %(accounting_date)s, moved.*
    FROM {_unnest("moved", _MOVEMENT)}
), stock AS (
    INSERT INTO store_stock (store_no, {", ".join(_STOCK)})
    SELECT %(store_no)s, stands.* FROM {_unnest("stands", _STOCK)}
    ON CONFLICT (store_no, item_no) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _STOCK)}
)
UPDATE store SET last_sequence = %(last)s WHERE store_no = %(store_no)s
"""  # noqa: S608  # built from constants
_JOURNAL = """
WITH told AS (
    INSERT INTO outbox (store_no, store_sequence, kind) VALUES (%(store_no)s, %(journal)s, %(told_as)s)
), posted AS (
    INSERT INTO journal (store_no, store_sequence, first_sequence, kind, currency, business_date,
                         accounting_date, posted_at)
    VALUES (%(store_no)s, %(journal)s, %(first)s, %(kind)s, %(currency)s, %(date)s, %(accounting_date)s, %(now)s)
)
INSERT INTO journal_line (store_no, store_sequence, line_number, account, tender, debit, credit)
SELECT %(store_no)s, %(journal)s, line.* FROM unnest(%(lines)s::int[], %(accounts)s::varchar[],
    %(tenders)s::varchar[], %(debits)s::numeric[], %(credits)s::numeric[]) AS line
"""


class Posting(Protocol):
    """What is written; `DocumentPosting` is one."""

    store: LockedStore
    kind: str
    document: str
    business_date: date
    accounting_date: date
    now: datetime
    items: dict[int, ItemStock]
    movements: list[Any]
    announcements: list[Announcement]
    journal_sequence: int | None


def write_posting(cursor: Cursor[Any], posting: Posting, lines: JournalLines, last: int) -> None:
    """Writes `posting` with the lines of its journal; `last` becomes the store's last number."""
    store = posting.store
    moved = {movement.item_no for movement in posting.movements}
    parameters: dict[str, Any] = {
        "store_no": store.store_no,
        "journal": posting.journal_sequence,
        "document": posting.document,
        "first": store.last_sequence + 1,
        "last": last,
        "kind": posting.kind,
        "currency": store.currency,
        "date": posting.business_date,
        "accounting_date": posting.accounting_date,
        "now": posting.now,
        "told_as": OutboxKind.JOURNAL.value,
    }
    parameters |= _columns("moved", _MOVEMENT, [_movement(movement) for movement in posting.movements])
    parameters |= _columns("stands", _STOCK, [_stock(posting.items[item_no]) for item_no in sorted(moved)])
    cursor.execute(_WRITE, parameters)
    write_announcements(cursor, store.store_no, posting.announcements, posting.now)
    if posting.journal_sequence is not None:
        names = {"accounts": 0, "tenders": 1, "debits": 2, "credits": 3}
        numbers = {"lines": list(range(1, len(lines) + 1))}
        columns = {name: [line[place] for line in lines] for name, place in names.items()}
        cursor.execute(_JOURNAL, parameters | numbers | columns)


def _stock(item: ItemStock) -> tuple[Any, ...]:
    position = item.position
    return (
        item.item_no,
        position.on_hand,
        item.reserved,
        item.in_transit,
        item.in_transit_value,
        position.value,
        unit_cost_of(position),
        item.last_sequence,
    )


def _columns(prefix: str, columns: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {f"{prefix}_{name}": [row[place] for row in rows] for place, name in enumerate(columns)}
