"""Legs at their destination: each is taken into account once, in a transaction of the destination alone.

A scheduled job does it, and whoever receives or settles does it first for the transfer at hand. It may be cut off
anywhere: what is committed is not waiting any more, the rest still is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.exact_decimal import exact_arithmetic
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.inventory.valuation import current_cost
from sync_server.scheduling.job import Job
from sync_server.stores.findings import FindingCode, raise_findings
from sync_server.stores.locked_store import LockedStore, lock_store
from sync_server.transfers.known_transits import read_transits
from sync_server.transfers.transfer_posting import ARRIVED, announce, note_difference, open_posting
from sync_server.transfers.transit import Transit
from sync_server.transfers.transit_ledger import write_arrival

TRANSFERS_AT_ONCE = 50
"""Transfers whose legs one transaction of a destination takes in; the store is locked meanwhile."""
LEGS_AT_ONCE = 500
"""Legs of one transfer that one posting takes in."""

_DESTINATIONS = """
SELECT DISTINCT t.to_store_no FROM transfer_leg_waiting w JOIN transfer t USING (transfer_id) ORDER BY 1
"""
_WAITING_TRANSFERS = """
SELECT w.transfer_id FROM transfer_leg_waiting w JOIN transfer t USING (transfer_id)
WHERE t.to_store_no = %s GROUP BY w.transfer_id ORDER BY w.transfer_id LIMIT %s
"""
_WAITING_LEGS = """
SELECT leg.store_no, leg.store_sequence, leg.item_no, leg.quantity, leg.value, leg.currency, leg.reverses,
       origin.value, origin.variance
FROM transfer_leg_waiting w JOIN transfer_leg leg USING (store_no, store_sequence)
LEFT JOIN transfer_arrival origin
    ON origin.from_store_no = leg.store_no AND origin.leg_sequence = leg.reverses
WHERE w.transfer_id = %s ORDER BY leg.store_no, leg.store_sequence LIMIT %s
"""


Arrived = dict[tuple[int, int], tuple[Decimal, Decimal]]
"""Value and variance by leg, of those that arrived just now."""


@dataclass(frozen=True, slots=True)
class WaitingLeg:
    """A leg that its destination has not taken into account; of one that takes another back, how that arrived."""

    from_store_no: int
    leg_sequence: int
    item_no: int
    quantity: Decimal
    value: Decimal
    currency: str
    reverses: int | None
    reversed_value: Decimal | None
    reversed_variance: Decimal | None


def arrivals_job() -> Job:
    """Takes waiting legs in, destination by destination."""
    return Job("apply_transfer_legs", 1, find_stores=_destinations, do_for_store=_take_in_some)


def take_in_legs(
    work: Work, chart: ChartOfAccounts, store: LockedStore, transfer_id: str, now: datetime
) -> int:
    """Takes in the waiting legs of one transfer at its destination, which is locked; returns how many.

    The store's numbers have moved on if there were any: lock it again before a further posting.
    """
    cursor = work.connection.cursor()
    rows = cursor.execute(_WAITING_LEGS, [transfer_id, LEGS_AT_ONCE]).fetchall()
    legs = [WaitingLeg(*row) for row in rows]
    if not legs:
        return 0
    posting = open_posting(cursor, store, chart, transfer_id, (leg.item_no for leg in legs), now)
    transits = read_transits(cursor, store.store_no, [transfer_id])
    arrived: Arrived = {}
    for leg in legs:
        transit = transits.setdefault((transfer_id, leg.item_no), Transit())
        arrived[leg.from_store_no, leg.leg_sequence] = _worth(posting, transit, leg, arrived)
        _take_in(cursor, posting, leg, *arrived[leg.from_store_no, leg.leg_sequence])
    announce(cursor, posting, transits, "ARRIVED")
    posting.write()
    _note_currencies(work, store, legs, now)
    note_difference(cursor, store.store_no, transfer_id, now)
    return len(legs)


def lock_with_legs(
    work: Work, chart: ChartOfAccounts, store_no: int, transfer_id: str, now: datetime
) -> LockedStore:
    """Locks the destination of a transfer and takes in all its legs: what is under way is known then."""
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    while take_in_legs(work, chart, store, transfer_id, now):
        store = lock_store(cursor, store_no)
    return store


def _destinations(work: Work, _now: datetime) -> Iterable[int]:
    return [row[0] for row in work.connection.execute(_DESTINATIONS)]


def _take_in_some(work: Work, store_no: int, now: datetime) -> int:
    cursor = work.connection.cursor()
    lock_store(cursor, store_no)
    chart = read_chart(work)
    taken = 0
    for (transfer_id,) in cursor.execute(_WAITING_TRANSFERS, [store_no, TRANSFERS_AT_ONCE]).fetchall():
        taken += take_in_legs(work, chart, lock_store(cursor, store_no), transfer_id, now)
    return taken


def _take_in(
    cursor: Cursor[Any], posting: DocumentPosting, leg: WaitingLeg, value: Decimal, variance: Decimal
) -> None:
    with exact_arithmetic():
        in_transit_value = value - variance
    posting.allocate(
        leg.item_no, movement_type=ARRIVED, in_transit=leg.quantity, in_transit_value=in_transit_value
    )
    posting.entry.debit(posting.chart.cost_variance, variance)
    posting.entry.credit(posting.chart.in_transit, variance)
    write_arrival(
        cursor,
        **{"from": leg.from_store_no},
        leg=leg.leg_sequence,
        store_no=posting.store.store_no,
        number=posting.movements[-1].store_sequence,
        transfer_id=posting.document,
        item_no=leg.item_no,
        quantity=leg.quantity,
        value=value,
        variance=variance,
    )


def _worth(
    posting: DocumentPosting, transit: Transit, leg: WaitingLeg, arrived: Arrived
) -> tuple[Decimal, Decimal]:
    """What the leg is worth here, and what of it is variance; a leg that takes another back undoes just that."""
    if leg.reverses is not None:
        before = (leg.reversed_value, leg.reversed_variance)
        value, variance = arrived.get((leg.from_store_no, leg.reverses), before)
        assert value is not None
        assert variance is not None
        with exact_arithmetic():
            transit.put_back(leg.quantity, variance - value)
            return -value, -variance
    value = leg.value
    if leg.currency != posting.store.currency:
        value = current_cost(posting.items[leg.item_no].position, leg.quantity, posting.coin)
    return value, transit.arrive(leg.quantity, value, posting.coin)


def _note_currencies(work: Work, store: LockedStore, legs: Iterable[WaitingLeg], now: datetime) -> None:
    foreign = sorted({leg.currency for leg in legs if leg.currency != store.currency})
    raise_findings(
        work, store.store_no, [(FindingCode.FOREIGN_CURRENCY, currency) for currency in foreign], now=now
    )
