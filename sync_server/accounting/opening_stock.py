"""Opening stock: what a store had of an item before its first movement, brought in with its cost.

It is the first movement of an item in a store or nothing: a file imported twice adds nothing, and stock that
has moved is corrected by a count, not by a second opening.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from shared.business_date import business_date
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.database import Work
from sync_server.inventory.valuation import worth_at
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import lock_store

OPENING_STOCK = "OPENING_STOCK"

_MOVED = "SELECT item_no FROM store_stock WHERE store_no = %s AND item_no = ANY(%s::int[])"

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
    day = business_date(now, store.day_rule)
    posting = DocumentPosting(
        cursor, store, chart, kind=OPENING_STOCK, document=OPENING_STOCK, date=day, now=now
    )
    posting.read(fresh)
    total = Decimal(0)
    for item_no, (quantity, cost) in sorted(fresh.items()):
        worth = worth_at(cost, quantity, posting.coin)
        posting.move(
            item_no, quantity, worth, counter_account=chart.opening_balance, movement_type=OPENING_STOCK
        )
        total += worth
    posting.write()
    after = {"items": len(fresh), "value": total}
    append_entry(
        work, store_no, facts_by(by, at=now, action="stock.opened", subject=store.store_id, after=after)
    )
    return sorted(fresh)
