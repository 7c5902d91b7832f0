"""The sale that nothing refers to, which nearly every line is: posted the short way. Pure.

It does what `posting` does with any line, through the same rules of cost and stock; but nobody will look for it
in this batch, so that no line is remembered, and its money and goods are booked with those of its whole group.
"""

from decimal import Decimal

from sync_server.accounting.posting_rules import TenderShares, book_money
from sync_server.ingestion.event_rows import line_row
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import KnownItem
from sync_server.ingestion.ledger_rows import SALE
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.inventory.valuation import ZERO, issue
from sync_server.stores.findings import FindingCode

_SALE, _RETURN = "SALE", "RETURN"


def is_plain_sale(posting: OpenPosting, arrival: Arrival, item: KnownItem) -> bool:
    """Whether it is a sale in the store's own currency that names no reservation and that no void or return names."""
    event = arrival.event
    sale_id = event.sale_id
    return (
        event.type == _SALE
        and event.reservation_id is None
        and event.currency in (None, posting.context.currency)
        and arrival.key not in posting.named_keys
        and (
            sale_id is None
            or (sale_id not in posting.named_sales and (sale_id, item.item_no) not in posting.returned_goods)
        )
    )


def sell(
    posting: OpenPosting,
    arrival: Arrival,
    item: KnownItem,
    shares: TenderShares | None,
    journals: GroupJournals,
) -> None:
    """Posts a plain sale; its group's journal gets it when the group is complete."""
    event = arrival.event
    posting.sequence = number = posting.sequence + 1
    quantity = event.quantity or ZERO
    position, previous = item.position, item.last_sequence
    cost = issue(position, quantity, posting.coin)
    item.last_sequence = number
    currency = posting.context.currency
    books = journals.books.get(currency) or posting.books(journals, currency)
    amount, tax, sold = event.amount or ZERO, event.tax_amount or ZERO, journals.sold
    if shares is None:
        sold.amount += amount
        sold.tax += tax
    else:
        book_money(books.money, books.chart, amount, tax, shares)
    sold.cost += cost
    movement = -quantity, -cost, position.on_hand, previous
    posting.rows.lines.append(
        line_row(
            number,
            arrival,
            posting.stream_no,
            item.item_no,
            cost,
            currency,
            shares,
            movement,
            journals.accounting_date,
            SALE,
        )
    )
    if item.placeholder or not cost:
        note_line(posting, _SALE, cost, item, currency)


def note_line(posting: OpenPosting, kind: str, cost: Decimal, item: KnownItem, currency: str) -> None:
    """Notes what is odd about a line's item, cost and currency."""
    if not cost and not item.position.unit_cost and kind != _RETURN:
        posting.find(FindingCode.COST_UNKNOWN, item.item_id)
    if item.placeholder:
        posting.find(FindingCode.UNKNOWN_ITEM, item.item_id)
    if currency != posting.context.currency:
        posting.find(FindingCode.FOREIGN_CURRENCY, currency)
