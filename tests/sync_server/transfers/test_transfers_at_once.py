"""Both stores, the job and several people at once: nothing twice, and nobody waits for the other store."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database, Work
from sync_server.errors import Conflict
from sync_server.scheduling.job_run import run_job
from sync_server.stores.locked_store import lock_store
from sync_server.transfers.arrivals import arrivals_job
from sync_server.transfers.overview import TransferOverview
from sync_server.transfers.receiving import receive
from sync_server.transfers.requests import TransferRequest, cancel_transfer, known_items, request_transfer
from sync_server.transfers.shipping import ship
from tests.builders import OPERATOR
from tests.set_clock import START, SetClock
from tests.store_ledger import StoreLedger, assert_whole
from tests.sync_server.transfers.two_stores import scan_in, scan_out
from tests.till_events import ITEM

AT_ONCE = 6
CHART = ChartOfAccounts()


@pytest.fixture
def busy(database_url: str) -> Iterator[Database]:
    """A database with a connection for everybody."""
    database = Database(database_url, pool_size=AT_ONCE + 2)
    yield database
    database.close()


@pytest.fixture
def source(busy: Database) -> StoreLedger:
    """FROM with 100 of item-001 at 4.00."""
    ledger = StoreLedger(busy, "FROM")
    ledger.open_with({ITEM: ("100", "4.00")})
    return ledger


@pytest.fixture
def destination(busy: Database) -> StoreLedger:
    """TO without any."""
    return StoreLedger(busy, "TO")


def _lines(work: Work, quantity: int) -> dict[int, Decimal]:
    return known_items(work.connection.cursor(), [(ITEM, Decimal(quantity))])


def _request(database: Database, quantity: int = 4, transfer_id: str | None = None) -> str:
    with database.unit_of_work() as work:
        request = TransferRequest(
            from_store_id="FROM", to_store_id="TO", lines=_lines(work, quantity), transfer_id=transfer_id
        )
        return request_transfer(work, request, by=OPERATOR, now=START).transfer_id


def _ship(database: Database, transfer_id: str) -> TransferOverview:
    with database.unit_of_work() as work:
        return ship(work, CHART, transfer_id, None, by=OPERATOR, now=START)


def _receive(database: Database, transfer_id: str) -> TransferOverview:
    with database.unit_of_work() as work:
        return receive(work, CHART, transfer_id, None, by=OPERATOR, now=START)


def _cancel(database: Database, transfer_id: str) -> TransferOverview:
    with database.unit_of_work() as work:
        return cancel_transfer(work, transfer_id, reason=None, by=OPERATOR, now=START)


def _deliver(database: Database) -> int:
    run = run_job(database, arrivals_job(), SetClock())
    assert not run.failed, run.failed
    return run.done


def _all_at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each answers or, where it is refused, its Conflict; all started together."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except Conflict as error:
            return error

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def _refused(answers: list[Any]) -> int:
    return sum(isinstance(answer, Conflict) for answer in answers)


def test_goods_that_several_people_ship_and_receive_at_once_move_once(
    busy: Database, source: StoreLedger, destination: StoreLedger
) -> None:
    transfer = _request(busy)
    for act in (_ship, _receive):
        answers = _all_at_once(*[lambda act=act: act(busy, transfer)] * AT_ONCE)
        assert _refused(answers) == AT_ONCE - 1
    assert source.stock() == ("96", "384")
    assert destination.stock() == ("4", "16")
    assert_whole(busy)


def test_legs_arrive_once_however_many_workers_there_are(
    busy: Database, source: StoreLedger, destination: StoreLedger
) -> None:
    for _ in range(5):
        _ship(busy, _request(busy))
    assert sum(_all_at_once(*[lambda: _deliver(busy)] * AT_ONCE)) == 5
    assert destination.count("SELECT count(*) FROM transfer_arrival WHERE store_no = %(store_no)s") == 5
    assert_whole(busy)


def test_a_transfer_is_either_shipped_or_cancelled(
    busy: Database, source: StoreLedger, destination: StoreLedger
) -> None:
    for _ in range(5):
        transfer = _request(busy)
        shipped, cancelled = _all_at_once(lambda: _ship(busy, transfer), lambda: _cancel(busy, transfer))  # noqa: B023
        assert _refused([shipped, cancelled]) == 1
    for _ in range(5):
        transfer = _request(busy)
        early = _all_at_once(
            lambda: _receive_early(busy, transfer),  # noqa: B023
            lambda: _cancel(busy, transfer),  # noqa: B023
        )
        assert _refused(early) == 1
    assert_whole(busy)


def _receive_early(database: Database, transfer_id: str) -> TransferOverview:
    with database.unit_of_work() as work:
        return receive(work, CHART, transfer_id, _lines(work, 4), by=OPERATOR, now=START)


def test_tills_of_both_stores_scan_the_same_transfers_in_opposite_order(
    busy: Database, source: StoreLedger, destination: StoreLedger
) -> None:
    """No row of a transfer is written by both stores: neither batch waits for the other, and none deadlocks."""
    there = [_request(busy, 1, f"T-{number}") for number in range(10)]
    acts = [
        lambda: source.post(
            *[scan_out(1, name) for name in there], *[scan_in(1, f"B-{name}") for name in there]
        ),
        lambda: destination.post(
            *[scan_out(1, f"B-{name}") for name in reversed(there)],
            *[scan_in(1, name) for name in reversed(there)],
        ),
        lambda: _deliver(busy),
        lambda: _deliver(busy),
    ]
    _all_at_once(*acts)
    while _deliver(busy):
        pass
    assert source.stock()[0] == "100"
    assert destination.stock()[0] == "0"
    assert_whole(busy)


def test_a_store_ships_while_the_other_is_locked(
    busy: Database, source: StoreLedger, destination: StoreLedger
) -> None:
    transfer = _request(busy)
    with busy.unit_of_work() as held:
        lock_store(held.connection.cursor(), destination.store_no)
        _ship(busy, transfer)
        source.post(scan_out(1, transfer))
    assert source.stock() == ("95", "380")
    assert _deliver(busy) == 2
    assert_whole(busy)
