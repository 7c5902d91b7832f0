"""The rows that posting a batch adds to the ledger, gathered as values before one statement writes them all."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

EVENT_CURRENCY = 12
"""Where the currency of its money stands in the row of an event."""
SALE, RETURN, VOID, JOURNAL = 1, 2, 3, 4
"""Kinds of outbox row; see `publishing.topics`."""


@dataclass(slots=True)
class LedgerRows:
    """Rows by table, each a tuple in the order of `ledger_writes`' columns.

    The journals of lines and movements stand apart: they are numbered when their group is complete.
    """

    lines: list[tuple[Any, ...]] = field(default_factory=list)
    """Events, each with its own movement and its kind of outbox row where it has them."""
    money_journals: list[int | None] = field(default_factory=list)
    """The journal of each line's money."""
    goods_journals: list[int | None] = field(default_factory=list)
    """The journal of each line's goods."""
    movements: list[tuple[Any, ...]] = field(default_factory=list)
    """Movements apart from a line's own: what a void takes back, and those of `other_lines`; see `movement_row`."""
    movement_journals: list[int | None] = field(default_factory=list)
    allocations: list[tuple[int, Decimal, Decimal, Decimal]] = field(default_factory=list)
    """(item number, change of reserved, of in transit, of in-transit value) that the movements state."""
    journals: list[tuple[int, int, str, date, date]] = field(default_factory=list)
    """(store sequence, first sequence, currency, business date, accounting date)."""
    journal_lines: list[tuple[int, int, str, str | None, Decimal, Decimal]] = field(default_factory=list)
    outbox: list[tuple[int, int]] = field(default_factory=list)
    sales: list[tuple[str, int, int]] = field(default_factory=list)
    void_effects: list[tuple[int, int, int]] = field(default_factory=list)
    claims: list[tuple[str, int, int | None, bool]] = field(default_factory=list)
    satisfied_claims: list[int] = field(default_factory=list)
    """Void sequences whose pending claim has taken effect."""
    returns: list[tuple[int, int, Decimal]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)
    receipts: list[tuple[int, bytes, date, str]] = field(default_factory=list)
    """(sequence, content hash, stamped business date, outcome letter) of a stream's events."""
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each (code, subject) was found."""
