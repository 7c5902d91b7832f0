"""What one line does to stock and books, forwards or taken back. Pure.

A line and its void run through the same code with the opposite sign, which is what makes a void exact.
"""

from decimal import Decimal

import msgspec

from shared.pos_event import EventType
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry
from sync_server.accounting.posting_rules import book_damaged, book_goods, book_money
from sync_server.ingestion.event_rows import Movement
from sync_server.ingestion.known_state import KnownItem, PostedLine
from sync_server.inventory.valuation import Valuation, move

ZERO = Decimal(0)
_SALE, _RETURN, _RECEIPT = EventType.SALE.value, EventType.RETURN.value, EventType.RECEIPT.value


class Books(msgspec.Struct, frozen=True, gc=False):
    """Where an effect is booked: the chart, the coin of the store's currency, and a journal per currency."""

    chart: ChartOfAccounts
    coin: Decimal
    money: JournalEntry
    goods: JournalEntry


class SoldTotals(msgspec.Struct, gc=False):
    """What the plain sales of a group add up to in one currency: booked once, when the group is complete."""

    amount: Decimal = ZERO
    """What customers paid, tax included, by the one unspecified tender."""
    tax: Decimal = ZERO
    cost: Decimal = ZERO
    """What inventory gave for it."""

    def book(self, books: Books) -> None:
        """Books what has been added up, as if line by line."""
        book_money(books.money, books.chart, self.amount, self.tax, None)
        goods = Valuation(-self.cost, ZERO)
        book_goods(books.goods, books.chart, books.chart.cost_of_goods_sold, goods)


def apply_line(line: PostedLine, number: int, books: Books, *, sign: int = 1) -> Movement | None:
    """Posts `line` (sign 1) or takes it back (sign −1) as store sequence `number`: money, and the goods it returns.

    None where no goods move: they came back damaged, or the line names none.
    """
    kind = line.type
    # +1: money comes in and goods go out.
    outward = sign if kind == _SALE else -sign
    if kind != _RECEIPT:
        _book_money(line, books, outward)
    if line.damaged:
        book_damaged(books.goods, books.chart, line.cost * sign)
        return None
    return None if line.item is None else _move_goods(line, line.item, number, books, outward)


def _book_money(line: PostedLine, books: Books, direction: int) -> None:
    amount, tax, shares = line.amount, line.tax, line.tenders
    if direction < 0:
        amount, tax = -amount, -tax
        shares = None if shares is None else [(tender, -share) for tender, share in shares]
    book_money(books.money, books.chart, amount, tax, shares)


def _move_goods(
    line: PostedLine, item: KnownItem, number: int, books: Books, outward: int
) -> Movement | None:
    chart = books.chart
    quantity, cost = line.quantity, line.cost
    if line.part is not None:  # what was shipped for its reservation has left before
        quantity, cost = quantity - line.part.billed, cost - line.part.billed_cost
        if not quantity:
            return None
    if outward > 0:
        quantity, cost = -quantity, -cost
    position = item.position
    valuation = move(position, quantity, cost, books.coin)
    counter = chart.goods_received if line.type == _RECEIPT else chart.cost_of_goods_sold
    book_goods(books.goods, chart, counter, valuation)
    previous, item.last_sequence = item.last_sequence, number
    return quantity, valuation.value, position.on_hand, previous
