"""A placeholder is mapped to the item that it really was: its stock moves over, and tills may go on calling it so.

The mapping is one fact of headquarters; the stock of each store moves in a transaction of its own, by a document,
at once or when the scheduler comes by. What a late void brings back to the placeholder moves over as well.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.business_date import business_date
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.accounting.late_costs import ITEMS_AT_ONCE, SCHEDULER
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.errors import Conflict, NotFound
from sync_server.inventory.item_catalogue import UNKNOWN_BARCODE_PREFIX
from sync_server.inventory.stock_findings import note_stock
from sync_server.inventory.valuation import ZERO, current_cost
from sync_server.people.audit_log import append_entry, facts_by, lock_headquarters
from sync_server.people.callers import Caller
from sync_server.scheduling.job import Job
from sync_server.schema import HEADQUARTERS
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import resolve_findings
from sync_server.stores.locked_store import lock_store

ITEM_MAPPED: Final = "ITEM_MAPPED"
EVERY_SECONDS: Final = 5

_ITEM = "SELECT item_no, placeholder, mapped_to_item_no FROM item WHERE item_id = %s"
_MAP = "UPDATE item SET mapped_to_item_no = %s WHERE item_no = %s"
_NEXT_POSITION = (
    "UPDATE store SET last_sequence = last_sequence + 1 WHERE store_no = %s RETURNING last_sequence"
)
_MOVE_BARCODES = "UPDATE item_barcode SET item_no = %s WHERE item_no = %s"
_ADD_BARCODE = "INSERT INTO item_barcode (barcode, item_no) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_MARK = "UPDATE item SET change_sequence = %s WHERE item_no = ANY(%s::int[])"
_STORES = """
SELECT s.store_no FROM item i JOIN store_stock s USING (item_no)
WHERE i.mapped_to_item_no IS NOT NULL AND (s.on_hand <> 0 OR s.value <> 0)
UNION
SELECT f.store_no FROM finding f JOIN item i ON i.item_id = f.subject
WHERE f.status = 'OPEN' AND f.code = 'UNKNOWN_ITEM' AND (i.mapped_to_item_no IS NOT NULL OR NOT i.placeholder)
ORDER BY 1
"""
_OF_STORE = """
SELECT i.item_no, i.item_id, i.mapped_to_item_no FROM item i JOIN store_stock s USING (item_no)
WHERE s.store_no = %s AND i.mapped_to_item_no IS NOT NULL AND (s.on_hand <> 0 OR s.value <> 0)
ORDER BY i.item_no LIMIT %s
"""
_FOUND = """
SELECT f.subject FROM finding f JOIN item i ON i.item_id = f.subject
WHERE f.store_no = %s AND f.status = 'OPEN' AND f.code = 'UNKNOWN_ITEM'
  AND (i.mapped_to_item_no IS NOT NULL OR NOT i.placeholder)
"""


def map_item(work: Work, item_id: str, to: str, *, reason: str, by: Caller, now: datetime) -> bool:
    """Maps the placeholder `item_id` to the item `to`; False if that is so already.

    Raises NotFound for an unknown item, Conflict where the one is no placeholder or the other is one.
    """
    lock_headquarters(work)
    placeholder, target = _item(work, item_id), _item(work, to)
    if placeholder[2] == target[0]:
        return False
    if not placeholder[1] or placeholder[2] is not None:
        raise Conflict(f"{item_id} is no placeholder that is still to be mapped")
    if target[1]:
        raise Conflict(f"{to} is a placeholder itself; complete it first with `sync-server item import`")
    work.connection.execute(_MAP, [target[0], placeholder[0]])
    position = work.connection.execute(_NEXT_POSITION, [HEADQUARTERS]).fetchone()
    assert position is not None
    work.connection.execute(_MOVE_BARCODES, [target[0], placeholder[0]])
    if item_id.startswith(UNKNOWN_BARCODE_PREFIX):
        work.connection.execute(_ADD_BARCODE, [item_id.removeprefix(UNKNOWN_BARCODE_PREFIX), target[0]])
    work.connection.execute(_MARK, [position[0], [target[0], placeholder[0]]])
    after = {"mappedTo": to, "reason": reason}
    append_entry(work, HEADQUARTERS, facts_by(by, at=now, action="item.mapped", subject=item_id, after=after))
    return True


def _item(work: Work, item_id: str) -> tuple[int, bool, int | None]:
    row = work.connection.execute(_ITEM, [item_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no item {item_id!r}")
    return row[0], row[1], row[2]


def mappings_job() -> Job:
    """Moves the stock of mapped placeholders to the items that they are mapped to."""

    def find_stores(work: Work, now: datetime) -> Iterable[int]:
        del now
        return [store_no for (store_no,) in work.connection.execute(_STORES)]

    def do(work: Work, store_no: int, now: datetime) -> int:
        return move_mapped_stock(work, store_no, by=SCHEDULER, now=now)

    return Job("move_mapped_stock", EVERY_SECONDS, find_stores, do)


def move_mapped_stock(work: Work, store_no: int, *, by: Caller, now: datetime) -> int:
    """Moves the store's stock of mapped placeholders, and closes their findings; how many had stock.

    What is there moves with its value. What was sold without being there is taken from the item, at its cost.
    """
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    rows = cursor.execute(_OF_STORE, [store_no, ITEMS_AT_ONCE]).fetchall()
    day = business_date(now, store.day_rule)
    chart = read_chart(work)
    for item_no, item_id, target in rows:
        posting = DocumentPosting(cursor, store, chart, kind=ITEM_MAPPED, document=item_id, date=day, now=now)
        posting.read([item_no, target])
        moved = _move_over(posting, item_no, target)
        posting.write()
        note_stock(work, store_no, posting.items.values(), now=now)
        after = {"to": posting.items[target].item_id, "quantity": moved}
        append_entry(
            work, store_no, facts_by(by, at=now, action="stock.mapped", subject=item_id, after=after)
        )
        store = lock_store(cursor, store_no)
    found = [subject for (subject,) in cursor.execute(_FOUND, [store_no])]
    resolve_findings(
        work, store_no, FindingCode.UNKNOWN_ITEM, found, reason="The item is described or mapped.", now=now
    )
    mapped = [item_id for _, item_id, _ in rows]
    for code in (FindingCode.COST_UNKNOWN, FindingCode.NEGATIVE_STOCK):
        resolve_findings(work, store_no, code, mapped, reason="The placeholder is mapped.", now=now)
    return len(rows) or len(found)


def _move_over(posting: DocumentPosting, placeholder: int, target: int) -> object:
    position = posting.items[placeholder].position
    quantity, value, counter = position.on_hand, position.value, posting.chart.cost_of_goods_sold
    worth = value
    if quantity < ZERO:
        worth = -current_cost(posting.items[target].position, -quantity, posting.coin)
    posting.move(placeholder, -quantity, -value, counter_account=counter, movement_type=ITEM_MAPPED)
    posting.move(target, quantity, worth, counter_account=counter, movement_type=ITEM_MAPPED)
    return quantity
