"""Two stores, and the people who move goods between them."""

import pytest

from sync_server.database import Database
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock
from tests.sync_server.transfers.two_stores import TwoStores


@pytest.fixture
def stores(database: Database, http: HttpCaller, clock: SetClock) -> TwoStores:
    """FROM with 10 of item-001 at 4.00, TO with 5 at 6.00."""
    return TwoStores(database, http, clock)
