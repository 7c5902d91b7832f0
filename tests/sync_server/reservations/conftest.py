"""The store that reservations are made in."""

import pytest

from sync_server.database import Database
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock
from tests.store_ledger import StoreLedger
from tests.sync_server.reservations.reserving_shop import ReservingShop
from tests.till_events import ITEM


@pytest.fixture
def shop(database: Database, http: HttpCaller, clock: SetClock) -> ReservingShop:
    """STORE-01 with 10 of item-001 at 4.00."""
    store = StoreLedger(database)
    store.open_with({ITEM: ("10", "4.00")})
    return ReservingShop(store, http, clock)
