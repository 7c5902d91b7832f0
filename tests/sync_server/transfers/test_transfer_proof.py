"""The daily proof at every step of a transfer: 1410 is what is under way and in legs."""

from sync_server.accounting.reports import DayProof, daily_proof
from tests.store_ledger import StoreLedger
from tests.sync_server.transfers.two_stores import TwoStores


def _proof(store: StoreLedger) -> DayProof:
    """The latest day of a store; every day of it has to be proven."""
    with store.database.reading() as work:
        days = daily_proof(work, store.store_no, first=None, last=None, before=None, limit=100)
    assert all(day.proven for day in days), days
    return days[0]


def _in_transit(store: StoreLedger) -> tuple[int, int, int]:
    """(account 1410, value under way, value of legs)."""
    proof = _proof(store)
    return int(proof.in_transit_account), int(proof.in_transit_value), int(proof.legs_value)


def test_goods_in_transit_are_proven_at_every_step(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    assert _in_transit(stores.source) == (16, 0, 16)
    assert _in_transit(stores.destination) == (0, 0, 0)
    stores.deliver()
    assert _in_transit(stores.destination) == (0, 16, -16)
    stores.receive(transfer, 3)
    assert _in_transit(stores.destination) == (-12, 4, -16)
    stores.settle(transfer, "LOST_IN_TRANSIT")
    assert _in_transit(stores.destination) == (-16, 0, -16)
    stores.check()


def test_goods_that_come_before_they_were_shipped_are_proven_too(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.receive(transfer, 5)
    assert _proof(stores.destination).proven
    stores.settle(transfer, "FOUND")
    assert _proof(stores.destination).proven
    stores.check()
