"""A sale posted the short way leaves the rows that it leaves when something names it: all but one are plain."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.business_date import DayRule
from shared.event_batch import EventBatch, read_batch
from shared.exact_decimal import exact_arithmetic
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.ingestion.event_time import EventClock
from sync_server.ingestion.groups import arrivals, groups
from sync_server.ingestion.known_reservations import KnownReservations
from sync_server.ingestion.known_state import KnownItem, KnownState
from sync_server.ingestion.ledger_rows import LedgerRows
from sync_server.ingestion.open_posting import OpenPosting, PostingContext
from sync_server.ingestion.posting import post_group
from sync_server.inventory.valuation import StockPosition
from tests.till_events import Event, sale

NOW = datetime(2026, 2, 10, 23, tzinfo=UTC)
ITEMS = ("a", "b")

amounts = st.decimals(min_value=0, max_value=500, places=2)
quantities = st.sampled_from([Decimal(1), Decimal(2), Decimal("0.375"), Decimal(40)])


@st.composite
def sold_lines(draw: st.DrawFn) -> Event:
    """A line of a sale, with tax and tenders or without."""
    amount = draw(amounts)
    fields: dict[str, Any] = {}
    if draw(st.booleans()):
        fields["taxAmount"] = draw(st.sampled_from([Decimal(0), (amount / 5).quantize(Decimal("0.01"))]))
    if draw(st.integers(0, 4)) == 0:
        fields["tenders"] = [{"type": "CASH", "amount": draw(amounts)}, {"type": "CARD", "amount": amount}]
    return sale(draw(quantities), amount, draw(st.sampled_from(ITEMS)), **fields)


positions = st.builds(
    lambda on_hand, value, unit_cost: StockPosition(on_hand, value if on_hand else Decimal(0), unit_cost),
    st.sampled_from([Decimal(0), Decimal(1), Decimal("2.5"), Decimal(100)]),
    st.decimals(min_value=0, max_value=900, places=2),
    st.sampled_from([Decimal(0), Decimal("3.333333")]),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(sold_lines(), min_size=1, max_size=4), min_size=1, max_size=4),
    st.tuples(positions, positions),
)
def test_a_sale_posted_the_short_way_leaves_the_same_rows(
    baskets: list[list[Event]], stock: tuple[StockPosition, StockPosition]
) -> None:
    short = _posted(baskets, stock, named=False)
    long = _posted(baskets, stock, named=True)
    assert short.lines == long.lines
    assert short.journals == long.journals
    assert _lines(short) == _lines(long)
    assert (short.outbox, short.sales, short.findings) == (long.outbox, long.sales, long.findings)


def _lines(rows: LedgerRows) -> list[tuple[Any, ...]]:
    """The journals' lines by account: a journal lists them in the order in which it came to them."""
    return sorted(
        (number, account, tender or "", debit, credit)
        for number, _, account, tender, debit, credit in rows.journal_lines
    )


def _posted(
    baskets: list[list[Event]], stock: tuple[StockPosition, StockPosition], *, named: bool
) -> LedgerRows:
    """The rows of these sales; `named`: something in their batch names every one of them."""
    events = [
        {"saleId": f"S-{number}", "eventId": f"S-{number}/{line}", **event}
        for number, basket in enumerate(baskets)
        for line, event in enumerate(basket)
    ]
    batch = read_batch({"batchId": "B", "postedAt": "2026-02-10T23:00:00Z", "events": events}, 100)
    assert isinstance(batch, EventBatch), batch
    context = PostingContext("USD", ChartOfAccounts(), 0, None, lambda day: day)
    posting = OpenPosting(context, KnownState(KnownReservations(NOW)))
    posting.all_new = True
    for number, (item_id, position) in enumerate(zip(ITEMS, stock, strict=True), 1):
        own = StockPosition(position.on_hand, position.value, position.unit_cost)
        posting.state.items[item_id] = KnownItem(number, item_id, own)
    if named:
        posting.named_sales = {f"S-{number}" for number in range(len(baskets))}
    with exact_arithmetic():
        for group in groups(arrivals(batch, EventClock(DayRule("UTC", NOW.time().min), NOW, NOW))):
            post_group(posting, group)
    return posting.rows
