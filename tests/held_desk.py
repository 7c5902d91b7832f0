"""Support's work on one store's held events, on a real database: they are found, released and discarded."""

from typing import Any

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.ingestion.held_release import Release, ReleaseWish, discard_held, release_held
from sync_server.people.callers import Caller, CallerKind
from tests.set_clock import START
from tests.store_ledger import StoreLedger

SUPPORT = Caller(kind=CallerKind.PERSON, name="sam", request_id="req-support", origin="test")


class HeldDesk:
    """Decides about what a store's ledger holds."""

    def __init__(self, store: StoreLedger) -> None:
        self.store = store

    def numbers(self) -> list[int]:
        """What is held, in the order of arrival."""
        rows = self.store.rows(
            """SELECT held_event_no FROM held_event WHERE store_no = %(store_no)s AND status = 'HELD'
               ORDER BY held_event_no"""
        )
        return [number for (number,) in rows]

    def release(self, number: int | None = None, **wish: Any) -> Release:
        """Releases a held event, the first one unless it is named; `wish` as `ReleaseWish` takes it."""
        asked = ReleaseWish(held_event_no=number or self.numbers()[0], **wish)
        with self.store.database.unit_of_work() as work:
            return release_held(work, ChartOfAccounts(), asked, by=SUPPORT, now=START)

    def correct(self, number: int | None = None, **fields: Any) -> Release:
        """Releases a held event with these fields corrected."""
        held = number or self.numbers()[0]
        return self.release(held, corrections={held: fields})

    def discard(self, number: int | None = None, reason: str = "never happened") -> None:
        """Discards a held event, the first one unless it is named."""
        with self.store.database.unit_of_work() as work:
            discard_held(work, number or self.numbers()[0], reason=reason, by=SUPPORT, now=START)
