"""What a posting did to stock and books, read back from the ledger: for whoever is shown it before or after."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Cursor


@dataclass(frozen=True, slots=True)
class PostedMovement:
    """A movement of goods; quantity and value signed, value in the store's currency."""

    store_sequence: int
    item_id: str
    type: str
    quantity: Decimal
    value: Decimal
    business_date: date
    accounting_date: date


@dataclass(frozen=True, slots=True)
class PostedJournalLine:
    """A line of a journal: one of debit and credit is zero."""

    journal_sequence: int
    currency: str
    accounting_date: date
    account: str
    tender: str | None
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class PostedEffects:
    """Movements and journal lines, in the order of their numbers."""

    movements: list[PostedMovement]
    journal_lines: list[PostedJournalLine]


_MOVEMENTS = """
SELECT m.store_sequence, i.item_id, m.type, m.quantity, m.value, m.business_date, m.accounting_date
FROM stock_movement m JOIN item i USING (item_no)
WHERE m.store_no = %s AND m.store_sequence > %s ORDER BY m.store_sequence
"""
_JOURNAL_LINES = """
SELECT j.store_sequence, j.currency, j.accounting_date, l.account, l.tender, l.debit, l.credit
FROM journal j JOIN journal_line l USING (store_no, store_sequence)
WHERE j.store_no = %s AND j.store_sequence > %s ORDER BY j.store_sequence, l.line_number
"""


def read_effects(cursor: Cursor[Any], store_no: int, *, above: int) -> PostedEffects:
    """What was posted for the store above that number, in this transaction."""
    movements = cursor.execute(_MOVEMENTS, [store_no, above]).fetchall()
    lines = cursor.execute(_JOURNAL_LINES, [store_no, above]).fetchall()
    return PostedEffects(
        [PostedMovement(*row) for row in movements], [PostedJournalLine(*row) for row in lines]
    )
