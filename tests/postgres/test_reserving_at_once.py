"""Nothing is promised twice, however many compete: threads and processes on one item of one store."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sync_server.database import Database
from tests.postgres.reserving_crowd import HOUR, THREADS, Reserver, all_at_once, grab_in_processes
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, sale

# Σ reserved up to each grant, against on hand at that step: what was promised then was there.
_PROMISED_BEYOND = """
SELECT count(*) FROM (
    SELECT type, on_hand_after, sum(coalesce(reserved, 0)) OVER (ORDER BY store_sequence) AS promised
    FROM stock_movement WHERE store_no = %(store_no)s
) AS step WHERE type = 'RESERVATION' AND promised > on_hand_after
"""


@pytest.fixture
def store(database_url: str) -> Iterator[StoreLedger]:
    """A store with 40 of item-001, and a connection for everybody."""
    database = Database(database_url, pool_size=2 * THREADS)
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("40", "4.00")})
    yield ledger
    database.close()


@pytest.fixture
def crowd(store: StoreLedger) -> Reserver:
    """Who reserves in it."""
    return Reserver(store.database, store.store_no)


def _reserved(store: StoreLedger) -> tuple[str, str]:
    ((on_hand, reserved),) = store.rows(
        """SELECT trim_scale(on_hand)::text, trim_scale(reserved)::text FROM store_stock
           WHERE store_no = %(store_no)s"""
    )
    return on_hand, reserved


def test_two_processes_of_eight_threads_get_exactly_what_is_there(
    store: StoreLedger, database_url: str
) -> None:
    """96 tries for 40 pieces: 40 are granted and 56 refused."""
    granted = grab_in_processes(database_url, store.store_no, processes=2, tries=6)
    assert len(granted) == len(set(granted)) == 40
    assert _reserved(store) == ("40", "40")
    assert store.count(_PROMISED_BEYOND) == 0
    store.check()


def test_who_reserves_and_who_sells_at_once_never_get_a_promise_beyond_the_shelf(
    store: StoreLedger, crowd: Reserver
) -> None:
    def sell() -> None:
        for _ in range(4):
            store.post(sale(2))

    def take() -> list[str | None]:
        return [crowd.reserve(2) for _ in range(4)]

    all_at_once(*[sell, take] * (THREADS // 2))
    on_hand, reserved = map(int, _reserved(store))
    assert on_hand == 40 - 4 * (THREADS // 2) * 2
    assert reserved <= 40
    assert store.count(_PROMISED_BEYOND) == 0
    # A till's sale is a fact: what it took from under a promise is found.
    short = {subject for code, subject in store.findings() if code == "RESERVATION_SHORT"}
    assert bool(short) == (reserved > on_hand)
    store.check()


def test_a_reservation_that_eight_fulfil_at_once_is_fulfilled_once(
    store: StoreLedger, crowd: Reserver
) -> None:
    reservation = crowd.reserve(5)
    assert reservation is not None
    outcomes = all_at_once(*[lambda: crowd.fulfil(reservation)] * THREADS)
    assert sorted(map(bool, outcomes)) == [False] * (THREADS - 1) + [True]
    assert _reserved(store) == ("35", "0")
    store.check()


def test_of_fulfilling_releasing_and_selling_at_once_each_piece_has_one(
    store: StoreLedger, crowd: Reserver
) -> None:
    for _ in range(5):
        reservation = crowd.reserve(2)
        assert reservation is not None
        all_at_once(
            lambda reservation=reservation: crowd.fulfil(reservation),  # type: ignore[misc]
            lambda reservation=reservation: crowd.release(reservation),  # type: ignore[misc]
            lambda reservation=reservation: store.post(sale(2, reservationId=reservation)),  # type: ignore[misc]
        )
    used = "SELECT sum(shipped + taken) FROM reservation WHERE store_no = %(store_no)s"
    assert store.count(used) <= 10
    assert _reserved(store)[1] == "0"
    store.check()


def test_expiring_and_fulfilling_at_once_leave_no_piece_reserved_or_shipped_twice(
    store: StoreLedger, crowd: Reserver
) -> None:
    """Half of them say it is still in time, half of them that it is over: whoever comes first decides."""
    over = START + HOUR
    made = [crowd.reserve(1, expires_at=over) for _ in range(THREADS)]
    in_time = over - timedelta(seconds=1)
    counts = all_at_once(
        *[lambda each=each: int(crowd.fulfil(str(each), now=in_time)) for each in made],
        *[lambda: crowd.expire(over)] * (THREADS // 2),
    )
    assert sum(counts) == THREADS
    assert _reserved(store) == (str(40 - sum(counts[:THREADS])), "0")
    store.check()
