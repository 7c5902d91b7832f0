"""Whatever breaks between two stores: each part is posted once or not yet, and trying again ends where it should."""

import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from shared.clock import SystemClock
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import Conflict, Unavailable
from sync_server.scheduling.job_run import run_job
from sync_server.transfers.arrivals import arrivals_job
from sync_server.transfers.receiving import receive
from sync_server.transfers.requests import TransferRequest, known_items, request_transfer
from sync_server.transfers.shipping import ship
from tests.builders import OPERATOR
from tests.postgres.breaking_line import Break, BreakingLine
from tests.set_clock import START, SetClock
from tests.store_ledger import StoreLedger, assert_whole
from tests.sync_server.transfers.two_stores import scan_out
from tests.till_events import ITEM

pytestmark = pytest.mark.long

MOST_STATEMENTS = 150
CHART = ChartOfAccounts()
_names = itertools.count(1)


@pytest.fixture
def source(database: Database) -> StoreLedger:
    """FROM with 1000 of item-001 at 4.00, and TO without any."""
    StoreLedger(database, "TO")
    ledger = StoreLedger(database, "FROM")
    ledger.open_with({ITEM: ("1000", "4.00")})
    return ledger


@pytest.fixture
def line(postgres: EmbeddedPostgres) -> Iterator[BreakingLine]:
    """A line to this run's PostgreSQL that can break."""
    administrator = psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True)

    def terminate(process: int) -> None:
        administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [process])

    with administrator, BreakingLine(postgres.socket_folder, terminate) as breaking:
        yield breaking


@pytest.mark.parametrize("way", [Break.ANSWER_LOST, Break.SERVER_ENDS_IT])
def test_a_transfer_that_breaks_at_any_statement_goes_on_where_it_was(
    source: StoreLedger, line: BreakingLine, database_name: str, way: Break
) -> None:
    over_the_line = Database(f"postgresql://tillsync_app@/{database_name}?host={line.folder}", pool_size=1)
    with over_the_line.reading() as work:
        work.connection.execute("SELECT 1")
    for number in range(1, MOST_STATEMENTS):
        transfer = _request(source.database)
        line.break_at(number, way)
        for step in (_ship, _deliver, _receive):
            _until_done(over_the_line, transfer, step, line)
        if not line.broke:
            break
        line.mend()
    else:
        pytest.fail(f"a transfer takes more than {MOST_STATEMENTS} statements")
    over_the_line.close()
    assert number > 30
    moved = str(2 * number)
    assert source.stock()[0] == str(1000 - 2 * number)
    assert source.rows(
        "SELECT trim_scale(sum(on_hand))::text FROM store_stock WHERE store_no <> %(store_no)s"
    ) == [(moved,)]
    assert_whole(source.database)


def test_a_worker_that_is_killed_at_any_moment_applies_every_leg_once(
    source: StoreLedger, database_url: str
) -> None:
    _request(source.database, "T-1")
    spawning = multiprocessing.get_context("spawn")
    for seconds in (0, 0.03, 0.1):  # float: seconds
        source.post(*[scan_out(1) for _ in range(100)])
        ready = spawning.Event()
        worker = spawning.Process(target=_work_for_ever, args=(database_url, ready), daemon=True)
        worker.start()
        assert ready.wait(60)
        time.sleep(seconds)
        worker.kill()
        worker.join()
    _deliver(source.database, "T-1")
    assert source.count("SELECT count(*) FROM transfer_arrival") == 300
    assert source.count("SELECT sum(in_transit) FROM store_stock") == 300
    assert_whole(source.database)


def _work_for_ever(database_url: str, ready: Any) -> None:
    """The scheduler's work in a process of its own; one leg a transaction would be too quick to be hit."""
    database = Database(database_url, pool_size=1)
    ready.set()
    while True:
        run_job(database, arrivals_job(), SystemClock())


def _until_done(
    database: Database, transfer: str, step: Callable[[Database, str], None], line: BreakingLine
) -> None:
    """Tries again as people and the scheduler do; what a lost answer hides is refused as done already."""
    for _ in range(3):
        try:
            step(database, transfer)
        except Unavailable:
            assert line.broke
        except Conflict:
            assert line.broke
            return
        else:
            return
    pytest.fail("it never gets done")


def _request(database: Database, transfer_id: str | None = None) -> str:
    with database.unit_of_work() as work:
        lines = known_items(work.connection.cursor(), [(ITEM, Decimal(2))])
        request = TransferRequest(
            from_store_id="FROM",
            to_store_id="TO",
            lines=lines,
            transfer_id=transfer_id or f"F-{next(_names)}",
        )
        return request_transfer(work, request, by=OPERATOR, now=START).transfer_id


def _ship(database: Database, transfer: str) -> None:
    with database.unit_of_work() as work:
        ship(work, CHART, transfer, None, by=OPERATOR, now=START)


def _receive(database: Database, transfer: str) -> None:
    with database.unit_of_work() as work:
        receive(work, CHART, transfer, None, by=OPERATOR, now=START)


def _deliver(database: Database, _: str) -> None:
    run = run_job(database, arrivals_job(), SetClock())
    for error in run.failed.values():
        raise error
