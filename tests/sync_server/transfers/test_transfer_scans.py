"""Transfers that tills scan: posted whatever is known, in any order, taken back exactly, linked when they can be."""

import pytest

from tests.agent_stream import AgentStream
from tests.store_ledger import StoreLedger
from tests.sync_server.transfers.two_stores import TwoStores, scan_in, scan_out
from tests.till_events import sale, void


def test_goods_scanned_out_and_in_move_between_the_stores(stores: TwoStores) -> None:
    transfer = stores.request(4)
    answer = stores.source.post(scan_out(4, transfer, eventId="o-1", cashierId="c-7"))
    assert (answer.accepted, answer.held, answer.findings) == (1, 0, [])
    assert stores.standing(transfer) == ("SHIPPED", "4/4/0/0")
    assert stores.ledger(stores.source) == ["POS: Dr 1410 16, Cr 1400 16"]
    assert stores.deliver() == 1
    stores.destination.post(scan_in(3, transfer, eventId="i-1"))
    stores.destination.post(scan_in(1, transfer, eventId="i-2"))
    assert stores.standing(transfer) == ("RECEIVED", "4/4/4/0")
    assert stores.stock(stores.destination) == ("9", "46", "0", "0")
    assert stores.ledger(stores.destination) == [
        "POS: Dr 1400 12, Cr 1410 12",
        "POS: Dr 1400 4, Cr 1410 4",
    ]
    assert stores.destination.findings() == {}
    assert stores.announced() == [("SHIPPED", "4/0"), ("SHIPPED", "4/3"), ("RECEIVED", "4/4")]
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    stores.check()


def test_the_same_scan_twice_counts_once(stores: TwoStores) -> None:
    transfer = stores.request(4)
    for _ in range(2):
        stores.source.post(scan_out(4, transfer, eventId="o-1"))
        stores.destination.post(scan_in(4, transfer, eventId="i-1"))
        stores.deliver()
    assert stores.standing(transfer) == ("RECEIVED", "4/4/4/0")
    stores.check()


def test_a_leg_that_is_known_and_did_not_arrive_yet_gives_its_cost(stores: TwoStores) -> None:
    """The job comes by once a second; a till that is faster must not book its delay as cost variance."""
    transfer = stores.request(4)
    stores.source.post(scan_out(4, transfer))
    stores.destination.post(scan_in(4, transfer))
    assert stores.stock(stores.destination) == ("9", "46", "-4", "-16")
    assert stores.deliver() == 1
    assert stores.stock(stores.destination) == ("9", "46", "0", "0")
    assert stores.ledger(stores.destination) == ["POS: Dr 1400 16, Cr 1410 16"]
    assert stores.destination.findings() == {}
    stores.check()


def test_goods_of_a_transfer_that_nobody_requested_are_posted_and_found(stores: TwoStores) -> None:
    answer = stores.source.post(scan_out(4, "T-1"))
    assert answer.findings == [{"code": "TRANSFER_UNKNOWN", "subject": "T-1"}]
    assert stores.stock(stores.source) == ("6", "24", "0", "0")
    assert stores.deliver() == 0
    assert stores.in_company() == {"goods": "15", "1410": "16"}
    # A person requests it under that id: the goods belong to it from now on.
    stores.request(4, transferId="T-1")
    assert stores.source.findings() == {}
    assert stores.deliver() == 1
    assert stores.standing("T-1") == ("SHIPPED", "4/4/0/0")
    assert stores.receive("T-1").status_code == 200
    stores.check()


def test_goods_that_both_stores_have_scanned_link_themselves(stores: TwoStores) -> None:
    stores.destination.post(scan_in(4, "T-1"))
    assert stores.deliver() == 0
    stores.source.post(scan_out(4, "T-1"))
    assert set(stores.source.findings()) == {("TRANSFER_UNKNOWN", "T-1")}
    assert stores.deliver() == 2
    assert stores.standing("T-1") == ("RECEIVED", "0/4/4/0")
    assert stores.source.findings() == stores.destination.findings() == {}
    # Received at the destination's 6.00 when nobody knew their cost; they cost 4.00.
    assert stores.ledger(stores.destination) == [
        "POS: Dr 1400 24, Cr 1410 24",
        "TRANSFER: Dr 1410 8, Cr 5100 8",
    ]
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    stores.check()


def test_goods_without_a_transfer_id_are_one_transfer_for_each_transaction(stores: TwoStores) -> None:
    answer = stores.source.post(
        scan_out(1, None, transactionNumber="17", workstationId="TILL-1"),
        scan_out(2, None, transactionNumber="17", workstationId="TILL-1"),
        scan_out(1, None, eventId="o-9"),
    )
    assert answer.accepted == 3
    subjects = {subject: count for (_, subject), count in stores.source.findings().items()}
    assert subjects.pop("FROM:TILL-1:2026-02-10:17") == 2
    assert len(subjects) == 1
    stores.request(3, transferId="FROM:TILL-1:2026-02-10:17")
    assert stores.deliver() == 2
    assert stores.standing("FROM:TILL-1:2026-02-10:17") == ("SHIPPED", "3/3/0/0")
    stores.check()


def test_a_void_of_goods_scanned_out_puts_them_back_exactly(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.source.post(scan_out(4, transfer, eventId="o-1"))
    stores.source.post(void("o-1"))
    assert stores.stock(stores.source) == ("10", "40", "0", "0")
    assert stores.standing(transfer) == ("REQUESTED", "4/0/0/0")
    assert stores.deliver() == 2
    assert stores.stock(stores.destination) == ("5", "30", "0", "0")
    assert stores.ledger(stores.source) == ["POS: Dr 1410 16, Cr 1400 16", "POS: Dr 1400 16, Cr 1410 16"]
    stores.check()


def test_a_void_after_the_leg_arrived_takes_it_back_there_too(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.destination.post(scan_in(4, transfer))  # early, at 6.00
    stores.source.post(scan_out(4, transfer, eventId="o-1"))
    stores.deliver()
    stores.source.post(void("o-1"))
    assert stores.deliver() == 1
    assert stores.stock(stores.destination) == ("9", "54", "-4", "-24")
    assert stores.ledger(stores.destination)[-1] == "TRANSFER: Dr 5100 8, Cr 1410 8"
    stores.check()


def test_a_void_of_goods_scanned_in_puts_them_under_way_again(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.deliver()
    stores.destination.post(scan_in(4, transfer, eventId="i-1"))
    stores.destination.post(void("i-1"))
    assert stores.stock(stores.destination) == ("5", "30", "4", "16")
    assert stores.standing(transfer) == ("SHIPPED", "4/4/0/0")
    assert stores.announced()[-2:] == [("RECEIVED", "4/4"), ("SHIPPED", "4/0")]
    # Void and a new scan in one batch: what is under way again is what the new scan takes.
    stores.destination.post(scan_in(4, transfer, eventId="i-2"))
    stores.destination.post(void("i-2"), scan_in(3, transfer, eventId="i-3"))
    assert stores.stock(stores.destination) == ("8", "42", "1", "4")
    stores.check()


def test_a_void_before_its_scan_takes_effect_when_the_scan_comes(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.source.post(void("o-1"))
    stores.source.post(scan_out(4, transfer, eventId="o-1"))
    stores.destination.post(void({"saleId": "S-1"}))
    stores.destination.post(scan_in(4, transfer, eventId="i-1", saleId="S-1"))
    stores.deliver()
    assert stores.standing(transfer) == ("REQUESTED", "4/0/0/0")
    assert stores.stock(stores.destination) == ("5", "30", "0", "0")
    stores.check()


@pytest.mark.parametrize("kind", ["group", "one by one"])
def test_scans_sales_and_voids_of_one_agent_s_batch_stand_together(stores: TwoStores, kind: str) -> None:
    transfer = stores.request(4)
    stream = AgentStream()
    events = [
        scan_in(1, transfer, eventId="i-1"),
        sale(1, eventId="s-1"),
        scan_in(2, transfer, eventId="i-2"),
        void("i-1", eventId="v-1"),
        scan_out(1, "T-2", eventId="o-1"),
        void("o-1", eventId="v-2"),
    ]
    batch = stream.group(*events) if kind == "group" else stream.groups(*events)
    stores.ship(transfer)
    stores.deliver()
    answer = stores.destination.post(*batch, stream=stream)
    assert (answer.accepted, answer.held) == (6, 0)
    assert stores.stock(stores.destination)[0] == "6"
    assert stores.standing(transfer) == ("SHIPPED", "4/4/2/0")
    stores.check()


def test_goods_scanned_by_a_store_that_the_transfer_does_not_name_are_posted_there(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.deliver()
    stores.source.post(scan_in(4, transfer))  # back at the source
    assert stores.source.findings() == {
        ("TRANSFER_MISROUTED", transfer): 1,
        ("TRANSFER_DIFFERENCE", transfer): 1,
    }
    assert stores.stock(stores.source) == ("10", "40", "-4", "-16")
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    # A person closes both sides: gone from the transit of one store, accepted at the other.
    assert stores.settle(transfer, "FOUND", storeId="FROM").status_code == 200
    assert stores.settle(transfer, "LOST_IN_TRANSIT").status_code == 200
    assert stores.stock(stores.source) == ("10", "40", "0", "0")
    assert stores.stock(stores.destination) == ("5", "30", "0", "0")
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    stores.check()


def test_goods_scanned_for_a_cancelled_transfer_are_posted_and_found(stores: TwoStores) -> None:
    transfer = stores.request(4)
    assert stores.cancel(transfer).status_code == 200
    answer = stores.source.post(scan_out(4, transfer))
    assert answer.findings == [{"code": "TRANSFER_CANCELLED", "subject": transfer}]
    assert stores.standing(transfer) == ("SHIPPED", "4/4/0/0")
    stores.deliver()
    assert stores.stock(stores.destination)[2:] == ("4", "16")
    stores.check()


def test_an_unknown_item_is_posted_against_a_placeholder(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.source.post(scan_out(1, transfer, itemId=None, barcode="4006381333931"))
    assert ("UNKNOWN_ITEM", "barcode:4006381333931") in stores.source.findings()
    assert ("COST_UNKNOWN", "barcode:4006381333931") in stores.source.findings()
    assert stores.deliver() == 1
    stores.check()


def test_between_two_currencies_goods_arrive_at_the_destination_s_own_cost(stores: TwoStores) -> None:
    abroad = StoreLedger(stores.database, "ABROAD", currency="CAD")
    abroad.open_with({"item-001": ("1", "9.00")})
    stores.source.post(scan_out(2, "T-9"))
    abroad.post(scan_in(2, "T-9"))
    stores.deliver()
    # Two currencies do not link themselves: nobody knows the rate.
    assert set(stores.source.findings()) == {("TRANSFER_UNKNOWN", "T-9")}
    assert stores.stock(abroad) == ("3", "27", "-2", "-18")
    stores.check()
