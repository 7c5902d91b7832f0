"""What one line does to stock and books, forwards or taken back. Pure.

A line and its void run through the same code with the opposite sign, which is what makes a void exact.
"""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from shared.pos_event import EventType
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry
from sync_server.accounting.posting_rules import book_damaged, book_goods, book_money
from sync_server.ingestion.known_state import KnownItem, PostedLine
from sync_server.ingestion.ledger_rows import LedgerRows
from sync_server.inventory.valuation import move

_SALE, _RETURN, _RECEIPT = EventType.SALE.value, EventType.RETURN.value, EventType.RECEIPT.value


class Effect(msgspec.Struct, frozen=True, gc=False):
    """Where an effect is recorded: its number, its cause, its type and its dates."""

    store_sequence: int
    event_sequence: int
    type: str
    business_date: date
    accounting_date: date
    occurred_at: datetime


class Books(msgspec.Struct, frozen=True, gc=False):
    """Where an effect is booked: the chart, the coin of the store's currency, and a journal per currency."""

    chart: ChartOfAccounts
    coin: Decimal
    money: JournalEntry
    goods: JournalEntry


def apply_line(line: PostedLine, effect: Effect, books: Books, rows: LedgerRows, *, sign: int = 1) -> None:
    """Posts `line` (sign 1) or takes it back (sign −1): money, goods and the movement between them."""
    kind = line.type
    # +1: money comes in and goods go out.
    outward = sign if kind == _SALE else -sign
    if kind != _RECEIPT:
        _book_money(line, books, outward)
    if line.damaged:
        book_damaged(books.goods, books.chart, line.cost * sign)
    elif line.item is not None:
        _move_goods(line, line.item, effect, books, rows, outward)


def _book_money(line: PostedLine, books: Books, direction: int) -> None:
    amount, tax, shares = line.amount, line.tax, line.tenders
    if direction < 0:
        amount, tax = -amount, -tax
        shares = None if shares is None else [(tender, -share) for tender, share in shares]
    book_money(
        books.money,
        books.chart,
        amount - tax if tax else amount,
        tax,
        ((None, amount),) if shares is None else shares,
    )


def _move_goods(
    line: PostedLine, item: KnownItem, effect: Effect, books: Books, rows: LedgerRows, outward: int
) -> None:
    chart = books.chart
    quantity, cost = line.quantity, line.cost
    if outward > 0:
        quantity, cost = -quantity, -cost
    position = item.position
    valuation = move(position, quantity, cost, books.coin)
    counter = chart.goods_received if line.type == _RECEIPT else chart.cost_of_goods_sold
    book_goods(books.goods, chart, counter, valuation)
    sequence = effect.store_sequence
    rows.movements.append(
        (
            sequence,
            item.item_no,
            effect.type,
            quantity,
            valuation.value,
            position.on_hand,
            item.last_sequence,
            effect.event_sequence,
            effect.business_date,
            effect.accounting_date,
            effect.occurred_at,
        )
    )
    item.last_sequence = sequence
