"""What one line does to stock and books, forwards or taken back. Pure.

A line and its void run through the same code with the opposite sign, which is what makes a void exact.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from shared.pos_event import EventType
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry
from sync_server.accounting.posting_rules import TenderShares, book_damaged, book_goods, book_money
from sync_server.ingestion.known_state import KnownItem, PostedLine
from sync_server.ingestion.ledger_rows import LedgerRows, Movement
from sync_server.inventory.valuation import move

_GOODS_DIRECTION = {EventType.SALE: -1, EventType.RETURN: 1, EventType.RECEIPT: 1}
_MONEY_DIRECTION = {EventType.SALE: 1, EventType.RETURN: -1, EventType.RECEIPT: 0}


@dataclass(frozen=True, slots=True)
class Effect:
    """Where an effect is recorded: its number, its cause, its type and its dates."""

    store_sequence: int
    event_sequence: int
    type: str
    business_date: date
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Books:
    """Where an effect is booked: the chart, the coin of the store's currency, and a journal per currency."""

    chart: ChartOfAccounts
    coin: Decimal
    money: JournalEntry
    goods: JournalEntry


def apply_line(line: PostedLine, effect: Effect, books: Books, rows: LedgerRows, *, sign: int = 1) -> None:
    """Posts `line` (sign 1) or takes it back (sign −1): money, goods and the movement between them."""
    money = _MONEY_DIRECTION[EventType(line.type)] * sign
    if money:
        shares: TenderShares = [(tender, share * money) for tender, share in line.tenders]
        book_money(books.money, books.chart, (line.amount - line.tax) * money, line.tax * money, shares)
    if line.damaged:
        book_damaged(books.goods, books.chart, line.cost * sign)
    elif line.item is not None:
        _move_goods(line, line.item, effect, books, rows, _GOODS_DIRECTION[EventType(line.type)] * sign)


def _move_goods(
    line: PostedLine, item: KnownItem, effect: Effect, books: Books, rows: LedgerRows, direction: int
) -> None:
    chart = books.chart
    quantity = line.quantity * direction
    valuation = move(item.position, quantity, line.cost * direction, books.coin)
    counter = chart.goods_received if line.type == EventType.RECEIPT else chart.cost_of_goods_sold
    book_goods(books.goods, chart, counter, valuation)
    rows.movements.append(
        Movement(
            store_sequence=effect.store_sequence,
            item_no=item.item_no,
            type=effect.type,
            quantity=quantity,
            value=valuation.value,
            on_hand_after=item.position.on_hand,
            previous_sequence=item.last_sequence,
            event_sequence=effect.event_sequence,
            business_date=effect.business_date,
            occurred_at=effect.occurred_at,
        )
    )
    item.last_sequence = effect.store_sequence
