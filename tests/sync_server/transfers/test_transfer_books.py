"""Transfers as an accountant reads them: what was there, what happened, and the ledger of both stores printed.

FROM begins with 10 of item-001 at 4.00 (40.00), TO with 5 at 6.00 (30.00): 15 goods in the company, always.
"""

from datetime import timedelta

from shared.wire_json import decode_json
from tests.sync_server.transfers.two_stores import TwoStores, figure


def test_goods_that_are_shipped_and_received_keep_their_cost(stores: TwoStores) -> None:
    transfer = stores.request(4)
    assert stores.standing(transfer) == ("REQUESTED", "4/0/0/0")

    # 4 of 10 at 4.00 leave: 16.00 out of inventory into transit, at the source alone.
    assert stores.ship(transfer).status_code == 200
    assert stores.standing(transfer) == ("SHIPPED", "4/4/0/0")
    assert stores.stock(stores.source) == ("6", "24", "0", "0")
    assert stores.stock(stores.destination) == ("5", "30", "0", "0")
    assert stores.in_company() == {"goods": "15", "1410": "16"}

    # The leg arrives: in transit to the destination, nothing is booked there.
    assert stores.deliver() == 1
    assert stores.stock(stores.destination) == ("5", "30", "4", "16")
    assert stores.ledger(stores.destination) == []
    assert stores.in_company() == {"goods": "15", "1410": "16"}

    # It is put on the shelf: 30.00 + 16.00 for 9, at 5.11 each from now on.
    assert stores.receive(transfer).status_code == 200
    assert stores.standing(transfer) == ("RECEIVED", "4/4/4/0")
    assert stores.stock(stores.destination) == ("9", "46", "0", "0")
    assert stores.ledger(stores.source) == ["TRANSFER: Dr 1410 16, Cr 1400 16"]
    assert stores.ledger(stores.destination) == ["TRANSFER: Dr 1400 16, Cr 1410 16"]
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    assert stores.announced() == [("SHIPPED", "4/0"), ("RECEIVED", "4/4")]
    stores.check()


def test_a_short_receipt_stays_a_discrepancy_until_somebody_else_settles_it_as_a_loss(
    stores: TwoStores,
) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    assert stores.receive(transfer, 3).status_code == 200
    assert stores.standing(transfer) == ("SHIPPED", "4/4/3/0")
    assert stores.stock(stores.destination) == ("8", "42", "1", "4")
    assert stores.destination.findings() == {("TRANSFER_DIFFERENCE", transfer): 1}

    assert stores.settle(transfer, "LOST_IN_TRANSIT").status_code == 200
    assert stores.standing(transfer) == ("RECEIVED", "4/4/3/1")
    assert stores.stock(stores.destination) == ("8", "42", "0", "0")
    assert stores.ledger(stores.destination) == [
        "TRANSFER: Dr 1400 12, Cr 1410 12",
        "TRANSFER: Dr 6550 4, Cr 1410 4",
    ]
    assert stores.destination.findings() == {}
    assert stores.in_company() == {"goods": "14", "1410": "0"}
    stores.check()


def test_a_receipt_beyond_the_shipment_comes_at_the_average_and_is_settled_as_a_gain(
    stores: TwoStores,
) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    assert stores.receive(transfer, 5).status_code == 200
    # 4 at 4.00 from the leg, 1 at the destination's 6.00.
    assert stores.stock(stores.destination) == ("10", "52", "-1", "-6")
    assert stores.standing(transfer) == ("RECEIVED", "4/4/5/0")
    assert stores.settle(transfer, "FOUND").status_code == 200
    assert stores.stock(stores.destination) == ("10", "52", "0", "0")
    assert stores.standing(transfer) == ("RECEIVED", "4/4/5/-1")
    assert stores.ledger(stores.destination) == [
        "TRANSFER: Dr 1400 22, Cr 1410 22",
        "TRANSFER: Dr 1410 6, Cr 6560 6",
    ]
    assert stores.in_company() == {"goods": "16", "1410": "0"}
    stores.check()


def test_goods_received_before_they_were_shipped_come_at_the_average_until_the_leg_says_otherwise(
    stores: TwoStores,
) -> None:
    transfer = stores.request(4)
    assert stores.receive(transfer, 4).status_code == 200
    # Nobody knows yet what they cost: 4 at the destination's 6.00.
    assert stores.stock(stores.destination) == ("9", "54", "-4", "-24")
    assert stores.in_company() == {"goods": "15", "1410": "-24"}
    assert stores.destination.findings() == {("TRANSFER_DIFFERENCE", transfer): 1}

    # They cost 4.00: history is not revalued, the difference of 8.00 goes to cost variance when the leg comes.
    assert stores.ship(transfer).status_code == 200
    assert stores.deliver() == 1
    assert stores.stock(stores.destination) == ("9", "54", "0", "0")
    assert stores.ledger(stores.destination) == [
        "TRANSFER: Dr 1400 24, Cr 1410 24",
        "TRANSFER: Dr 1410 8, Cr 5100 8",
    ]
    assert stores.destination.findings() == {}
    assert stores.standing(transfer) == ("RECEIVED", "4/4/4/0")
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    stores.check()


def test_several_shipments_and_receipts_leave_no_cent_under_way(stores: TwoStores) -> None:
    stores.source.open_with({"item-003": ("3", "3.333333")})  # 10.00 for 3
    body = {"lines": [{"itemId": "item-003", "quantity": 3}]}
    transfer = stores.request(lines=body["lines"])
    one, two = ({"lines": [{"itemId": "item-003", "quantity": quantity}]} for quantity in (1, 2))
    for step in ("ship", "receive"):
        for lines in (one, two):
            path = f"/api/v1/inventory/transfers/{transfer}/{step}"
            assert stores.ada.order(path, json=lines).status_code == 200
    assert stores.stock(stores.source, "item-003") == ("0", "0", "0", "0")
    assert stores.stock(stores.destination, "item-003") == ("3", "10", "0", "0")
    assert stores.ledger(stores.destination) == [
        "TRANSFER: Dr 1400 3.33, Cr 1410 3.33",
        "TRANSFER: Dr 1400 6.67, Cr 1410 6.67",
    ]
    stores.check()


def test_a_shipment_beyond_stock_is_posted_and_found(stores: TwoStores) -> None:
    transfer = stores.request(12)
    assert stores.ship(transfer).status_code == 200
    assert stores.stock(stores.source)[0] == "-2"
    assert stores.source.findings() == {("NEGATIVE_STOCK", "item-001"): 1}
    assert stores.receive(transfer).status_code == 200
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    stores.check()


def test_every_day_proves_the_in_transit_account_of_both_stores(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.clock.advance(timedelta(days=1))
    stores.receive(transfer, 3)

    def days(store_id: str) -> list[tuple[str, str, str, str, bool]]:
        """Accounting date, account 1410, goods in transit, legs, proven."""
        answer = stores.otto.get("/api/v1/inventory/reports/daily-proof", params={"storeId": store_id})
        return [
            (
                day["accountingDate"],
                *(figure(day[name]) for name in ("inTransitAccount", "inTransitValue", "legsValue")),
                day["proven"],
            )
            for day in decode_json(answer.content)["items"]
        ]

    assert days("FROM") == [("2026-02-10", "16", "0", "16", True)]
    assert days("TO") == [
        ("2026-02-11", "-12", "4", "-16", True),
        ("2026-02-10", "0", "0", "0", True),
    ]
    stores.check()
