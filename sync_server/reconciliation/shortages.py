"""Stock below zero, found when a document leaves it there and resolved when it brings stock back."""

from collections.abc import Iterable
from datetime import datetime

from sync_server.database import Work
from sync_server.inventory.item_stock import ItemStock
from sync_server.inventory.valuation import ZERO
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings, resolve_findings


class Shortages:
    """Which items were short before a document moved them."""

    def __init__(self, items: Iterable[ItemStock]) -> None:
        self._short = {item.item_id for item in items if item.position.on_hand < ZERO}

    def note(self, work: Work, store_no: int, items: Iterable[ItemStock], now: datetime) -> None:
        """Raises and resolves what has changed since."""
        short = {item.item_id for item in items if item.position.on_hand < ZERO}
        fresh = [(FindingCode.NEGATIVE_STOCK, item_id) for item_id in sorted(short - self._short)]
        raise_findings(work, store_no, fresh, now=now)
        back = sorted(self._short - short)
        resolve_findings(work, store_no, FindingCode.NEGATIVE_STOCK, back, reason="Stock is back.", now=now)
