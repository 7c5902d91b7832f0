"""Any walk of people, tills, voids and the job over two stores, beside a model that only counts pieces."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database, Work
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import Conflict, Invalid
from sync_server.people.callers import Caller, CallerKind
from sync_server.scheduling.job_run import run_job
from sync_server.transfers.arrivals import arrivals_job
from sync_server.transfers.overview import find_transfer
from sync_server.transfers.receiving import receive
from sync_server.transfers.requests import TransferRequest, known_items, request_transfer
from sync_server.transfers.settling import Settlement, settle
from sync_server.transfers.shipping import ship
from tests.builders import OPERATOR
from tests.database_for_many import database_for_many
from tests.set_clock import START, SetClock
from tests.store_ledger import StoreLedger, assert_whole
from tests.sync_server.transfers.two_stores import scan_in, scan_out
from tests.till_events import ITEM, void

CHART = ChartOfAccounts()
APPROVER = Caller(kind=CallerKind.PERSON, name="otto", request_id="req-test", origin="test")
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database in which every walk has two stores of its own."""
    with database_for_many(postgres, "test_transfer_walks") as database:
        yield database
        assert_whole(database)


@dataclass
class Pieces:
    """The model: where the pieces of one transfer are, whoever says so."""

    shelf: int = 10
    shipped: int = 0
    received: int = 0
    settled: int = 0
    scans: list[tuple[str, int, str]] = field(default_factory=list)
    """(direction, pieces, event id) of scans that were not voided."""


class Walk:
    """One transfer from a store with 10 at 3.33 to a store with 1 at 5.00."""

    def __init__(self, database: Database) -> None:
        number = next(_numbers)
        self.database = database
        self.source = StoreLedger(database, f"FROM-{number}")
        self.destination = StoreLedger(database, f"TO-{number}")
        self.source.open_with({ITEM: ("10", "3.333333")})
        self.destination.open_with({ITEM: ("1", "5.00")})
        self.transfer = f"T-{number}"
        self.pieces = Pieces()
        self._names = (f"{self.transfer}-{scan}" for scan in itertools.count(1))
        with database.unit_of_work() as work:
            request = TransferRequest(
                from_store_id=self.source.store_id,
                to_store_id=self.destination.store_id,
                lines=self._lines(work, 5),
                transfer_id=self.transfer,
            )
            request_transfer(work, request, by=OPERATOR, now=START)

    def _lines(self, work: Work, pieces: int) -> dict[int, Decimal]:
        return known_items(work.connection.cursor(), [(ITEM, Decimal(pieces))])

    def ship(self, pieces: int) -> None:
        """A person ships."""
        with self.database.unit_of_work() as work:
            ship(work, CHART, self.transfer, self._lines(work, pieces), by=OPERATOR, now=START)
        self.pieces.shipped += pieces

    def receive(self, pieces: int) -> None:
        """A person receives."""
        with self.database.unit_of_work() as work:
            receive(work, CHART, self.transfer, self._lines(work, pieces), by=OPERATOR, now=START)
        self.pieces.received += pieces

    def settle(self, pieces: int) -> None:
        """Another person settles so many, short or over."""
        with self.database.unit_of_work() as work:
            wanted = Settlement(reason_code="THEFT", lines=self._lines(work, pieces))
            settle(work, CHART, self.transfer, wanted, by=APPROVER, now=START)
        over = self.pieces.received + self.pieces.settled > self.pieces.shipped
        self.pieces.settled += -pieces if over else pieces

    def scan_out(self, pieces: int) -> None:
        """A till scans goods that leave."""
        name = next(self._names)
        self.source.post(scan_out(pieces, self.transfer, eventId=name))
        self.pieces.scans.append(("out", pieces, name))
        self.pieces.shipped += pieces

    def scan_in(self, pieces: int) -> None:
        """A till scans goods that arrive."""
        name = next(self._names)
        self.destination.post(scan_in(pieces, self.transfer, eventId=name))
        self.pieces.scans.append(("in", pieces, name))
        self.pieces.received += pieces

    def void(self, which: int) -> None:
        """A till takes one of the scans back."""
        if not self.pieces.scans:
            return
        way, pieces, name = self.pieces.scans.pop(which % len(self.pieces.scans))
        if way == "out":
            self.source.post(void(name))
            self.pieces.shipped -= pieces
        else:
            self.destination.post(void(name))
            self.pieces.received -= pieces

    def deliver(self, _: int = 0) -> None:
        """The scheduled job comes by."""
        run = run_job(self.database, arrivals_job(), SetClock())
        assert not run.failed, run.failed

    def check(self) -> None:
        """The ledger says what the model says; nothing else has changed."""
        pieces = self.pieces
        with self.database.reading() as work:
            (line,) = find_transfer(work.connection.cursor(), self.transfer).lines
        counted = [int(each) for each in (line.shipped, line.received, line.settled)]
        assert counted == [pieces.shipped, pieces.received, pieces.settled]
        assert self.source.stock()[0] == str(10 - pieces.shipped)
        assert self.destination.stock()[0] == str(1 + pieces.received)
        for store in (self.source, self.destination):
            store.check()


STEPS: dict[str, Callable[[Walk, int], None]] = {
    "ship": Walk.ship,
    "receive": Walk.receive,
    "settle": Walk.settle,
    "scan out": Walk.scan_out,
    "scan in": Walk.scan_in,
    "void": Walk.void,
    "deliver": Walk.deliver,
}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(1, 4)), min_size=4, max_size=12))
def test_whatever_people_and_tills_do_no_piece_is_lost_or_doubled(
    shared: Database, steps: list[tuple[str, int]]
) -> None:
    walk = Walk(shared)
    for step, pieces in steps:
        try:
            STEPS[step](walk, pieces)
        except (Conflict, Invalid):
            assert step in ("ship", "receive", "settle")
    walk.deliver()
    walk.check()
    in_transit = walk.destination.rows(
        "SELECT trim_scale(in_transit) FROM store_stock WHERE store_no = %(store_no)s"
    )
    model = walk.pieces
    assert in_transit == [(model.shipped - model.received - model.settled,)]
