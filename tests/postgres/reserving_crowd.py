"""Many who reserve and resolve in one store at the same moment: threads here, processes beside them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context
from threading import Barrier
from typing import TypeVar

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database
from sync_server.errors import Conflict
from sync_server.reservations.reserving import Wish, expire_lapsed, fulfil, release, reserve
from tests.builders import OPERATOR
from tests.set_clock import START
from tests.till_events import ITEM

THREADS = 8
HOUR = timedelta(hours=1)
Outcome = TypeVar("Outcome")


class Reserver:
    """Reserves in one store, each act its own transaction; None or False where it was refused."""

    def __init__(self, database: Database, store_no: int) -> None:
        self.database = database
        self.store_no = store_no

    def reserve(self, quantity: int = 1, *, expires_at: datetime = START + HOUR) -> str | None:
        """Reserves; the reservation's id if it was granted."""
        wish = Wish(ITEM, Decimal(quantity), expires_at)
        try:
            with self.database.unit_of_work() as work:
                return reserve(work, self.store_no, wish, by=OPERATOR, now=START).reservation_id
        except Conflict:
            return None

    def fulfil(self, reservation_id: str, *, now: datetime = START) -> bool:
        """Fulfils all that remains; whether it was still open."""
        return self._succeeds(
            lambda work: fulfil(work, ChartOfAccounts(), reservation_id, None, by=OPERATOR, now=now)
        )

    def release(self, reservation_id: str) -> bool:
        """Releases; whether it was still open."""
        return self._succeeds(lambda work: release(work, reservation_id, by=OPERATOR, reason=None, now=START))

    def expire(self, now: datetime) -> int:
        """Runs the expiry of the store once; how many it closed."""
        with self.database.unit_of_work() as work:
            return expire_lapsed(work, self.store_no, now)

    def _succeeds(self, act: Callable[..., None]) -> bool:
        try:
            with self.database.unit_of_work() as work:
                act(work)
        except Conflict:
            return False
        return True


def all_at_once(*acts: Callable[[], Outcome]) -> list[Outcome]:
    """Runs every act in a thread of its own, started together."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Outcome]) -> Outcome:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def grab(database_url: str, store_no: int, tries: int) -> list[str]:
    """What one process gets of an item with `THREADS` threads, each trying so often to reserve one piece."""
    database = Database(database_url, pool_size=THREADS)
    reserver = Reserver(database, store_no)

    def grab_some() -> list[str | None]:
        return [reserver.reserve() for _ in range(tries)]

    try:
        got = all_at_once(*[grab_some] * THREADS)
    finally:
        database.close()
    return [each for some in got for each in some if each is not None]


def grab_in_processes(database_url: str, store_no: int, *, processes: int, tries: int) -> Sequence[str]:
    """What several processes get together."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(grab, database_url, store_no, tries) for _ in range(processes)]
        return [each for future in futures for each in future.result()]
