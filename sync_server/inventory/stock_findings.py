"""What a movement leaves behind that somebody should look at: stock below zero, promises that cannot be kept.

Whoever moves stock by a document calls `note_stock` behind its posting; batches of till events note shortages
among their other findings. Both close by themselves when their cause is gone.
"""

from collections.abc import Collection
from datetime import datetime

from sync_server.database import Work
from sync_server.inventory.item_stock import ItemStock
from sync_server.inventory.valuation import ZERO
from sync_server.stores.findings import FindingCode, raise_findings, resolve_findings

_BROKEN = """
SELECT reservation_id FROM (
    SELECT r.reservation_id, s.on_hand,
           sum(r.remaining) OVER (PARTITION BY r.item_no ORDER BY r.made_at, r.reservation_id) AS promised
    FROM reservation r JOIN store_stock s USING (store_no, item_no)
    WHERE r.store_no = %s AND r.item_no = ANY(%s::int[]) AND r.status = 'OPEN'
) AS promise WHERE promised > on_hand
"""
_FOUND = """
SELECT f.subject FROM finding f JOIN reservation r ON r.store_no = f.store_no AND r.reservation_id = f.subject
WHERE f.store_no = %s AND f.code = 'RESERVATION_SHORT' AND f.status = 'OPEN' AND r.item_no = ANY(%s::int[])
"""


def note_stock(work: Work, store_no: int, items: Collection[ItemStock], *, now: datetime) -> None:
    """Finds what a document left below zero or below what is reserved; closes what is over."""
    note_negative_stock(work, store_no, items, now=now)
    note_shortages(work, store_no, [item.item_no for item in items if item.reserved], now=now)


def note_negative_stock(work: Work, store_no: int, moved: Collection[ItemStock], *, now: datetime) -> None:
    """Finds what a document left below zero, and closes what is back."""
    short = {item.item_id for item in moved if item.position.on_hand < ZERO}
    raise_findings(
        work, store_no, [(FindingCode.NEGATIVE_STOCK, item_id) for item_id in sorted(short)], now=now
    )
    back = sorted({item.item_id for item in moved} - short)
    resolve_findings(work, store_no, FindingCode.NEGATIVE_STOCK, back, reason="Stock is back.", now=now)


def note_shortages(work: Work, store_no: int, item_nos: Collection[int], *, now: datetime) -> None:
    """Finds the reservations of these items that on hand does not reach for, the latest promises first.

    Call it under the store's lock, once the stock is written. Who was promised first is served first.
    """
    if not item_nos:
        return
    parameters = [store_no, list(item_nos)]
    broken = {row[0] for row in work.connection.execute(_BROKEN, parameters).fetchall()}
    found = {row[0] for row in work.connection.execute(_FOUND, parameters).fetchall()}
    fresh = [(FindingCode.RESERVATION_SHORT, reservation_id) for reservation_id in sorted(broken - found)]
    raise_findings(work, store_no, fresh, now=now)
    kept = "On hand reaches for it again, or it is closed."
    resolve_findings(
        work, store_no, FindingCode.RESERVATION_SHORT, sorted(found - broken), reason=kept, now=now
    )
