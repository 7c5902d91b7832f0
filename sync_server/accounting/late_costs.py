"""A cost that comes late: what was posted at cost zero, because nobody knew better, is valued in one go.

History is never revalued: one movement without quantity brings inventory to what is on hand at the cost that is now
known, and the other accounts to what went through them: cost of goods sold for what was sold, goods received for
what came in. From then on the store's unit cost is that one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from shared.business_date import business_date
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.inventory.valuation import ZERO, worth_at
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller, CallerKind
from sync_server.scheduling.job import Job
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import resolve_findings
from sync_server.stores.locked_store import lock_store

LATE_COST: Final = "LATE_COST"
EVERY_SECONDS: Final = 5
ITEMS_AT_ONCE: Final = 200
"""Of one store, in one transaction."""
SCHEDULER: Final = Caller(kind=CallerKind.SERVICE, name="scheduler", origin="scheduler")

_STORES = """
SELECT DISTINCT f.store_no FROM finding f JOIN item i ON i.item_id = f.subject
WHERE f.status = 'OPEN' AND f.code = 'COST_UNKNOWN' AND i.unit_cost > 0 ORDER BY f.store_no
"""
_ITEMS = """
SELECT i.item_no, i.item_id, i.unit_cost FROM finding f JOIN item i ON i.item_id = f.subject
WHERE f.store_no = %s AND f.status = 'OPEN' AND f.code = 'COST_UNKNOWN' AND i.unit_cost > 0
ORDER BY i.item_no LIMIT %s
"""
_BY_CAUSE = """
WITH RECURSIVE chain AS (
    SELECT store_sequence, previous_sequence, type, quantity, value FROM stock_movement
    WHERE store_no = %(store_no)s AND store_sequence = %(last)s
    UNION ALL
    SELECT m.store_sequence, m.previous_sequence, m.type, m.quantity, m.value
    FROM chain c CROSS JOIN LATERAL (
        SELECT * FROM stock_movement m
        WHERE m.store_no = %(store_no)s AND m.store_sequence = c.previous_sequence OFFSET 0
    ) AS m
    WHERE c.value = 0
)
SELECT coalesce(voided.type, chain.type) AS cause, sum(chain.quantity)
FROM chain
LEFT JOIN void_effect v ON v.store_no = %(store_no)s AND v.store_sequence = chain.store_sequence
LEFT JOIN pos_event voided ON voided.store_no = %(store_no)s AND voided.store_sequence = v.voided_sequence
WHERE chain.value = 0 AND chain.quantity <> 0
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class LateCost:
    """What the cost of one item came to in one store."""

    item_id: str
    unit_cost: Decimal
    inventory: Decimal
    """What inventory took; negative where more was sold than received."""
    cost_of_goods: Decimal


def late_costs_job() -> Job:
    """Values what was posted at cost zero as soon as the master knows the item's cost."""

    def find_stores(work: Work, now: datetime) -> Iterable[int]:
        del now
        return [store_no for (store_no,) in work.connection.execute(_STORES)]

    def do(work: Work, store_no: int, now: datetime) -> int:
        return len(post_late_costs(work, store_no, by=SCHEDULER, now=now))

    return Job("post_late_costs", EVERY_SECONDS, find_stores, do)


def post_late_costs(work: Work, store_no: int, *, by: Caller, now: datetime) -> list[LateCost]:
    """Posts the cost of the store's items of which it is known by now; their findings are closed.

    An item whose stock has a value by now got it from a receipt, which booked the difference on cost variance;
    nothing is posted for that one.
    """
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    items = cursor.execute(_ITEMS, [store_no, ITEMS_AT_ONCE]).fetchall()
    if not items:
        return []
    day = business_date(now, store.day_rule)
    posting = DocumentPosting(
        cursor, store, read_chart(work), kind=LATE_COST, document=LATE_COST, date=day, now=now
    )
    posting.read([item_no for item_no, _, _ in items])
    posted = []
    for item_no, item_id, unit_cost in items:
        stock = posting.items[item_no]
        if stock.last_sequence is None or stock.position.value or stock.position.unit_cost:
            continue
        causes = cursor.execute(_BY_CAUSE, {"store_no": store_no, "last": stock.last_sequence}).fetchall()
        worths = _worths(posting.chart, dict(causes), unit_cost, posting.coin)
        inventory = posting.revalue(item_no, unit_cost, worths, movement_type=LATE_COST)
        sold = worths.get(posting.chart.cost_of_goods_sold, ZERO)
        posted.append(LateCost(item_id, unit_cost, inventory, -sold))
    posting.write()
    _close(work, store_no, [item_id for _, item_id, _ in items], posted, by, now)
    return posted


def _worths(
    chart: ChartOfAccounts, quantities: dict[str, Decimal], unit_cost: Decimal, coin: Decimal
) -> dict[str, Decimal]:
    """What each account gives inventory (negative: takes) for what went through it; by account."""
    worths: dict[str, Decimal] = {}
    for cause, quantity in quantities.items():
        account = _ACCOUNTS.get(cause, "cost_variance")
        code = getattr(chart, account)
        worths[code] = worths.get(code, ZERO) + worth_at(unit_cost, quantity, coin)
    return worths


_ACCOUNTS: Final = {
    "SALE": "cost_of_goods_sold",
    "RETURN": "cost_of_goods_sold",
    "RECEIPT": "goods_received",
    "OPENING_STOCK": "opening_balance",
}
"""The purpose that a movement's cost goes through; of any other cause the difference is a cost variance."""


def _close(
    work: Work, store_no: int, item_ids: list[str], posted: list[LateCost], by: Caller, now: datetime
) -> None:
    reason = "The item's cost is known."
    resolve_findings(work, store_no, FindingCode.COST_UNKNOWN, item_ids, reason=reason, now=now)
    for each in posted:
        after = {
            "unitCost": each.unit_cost,
            "inventory": each.inventory,
            "costOfGoodsSold": each.cost_of_goods,
        }
        append_entry(
            work, store_no, facts_by(by, at=now, action="cost.late", subject=each.item_id, after=after)
        )
