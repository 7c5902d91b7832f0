"""Transfers over the API: who may do what, what is refused, how they are listed and audited."""

from typing import Any

import pytest

from shared.wire_json import decode_json
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.sync_server.transfers.two_stores import TRANSFERS, TwoStores, scan_out
from tests.till_events import ITEM

LINE = {"itemId": ITEM, "quantity": 1}


def test_a_transfer_is_shown_as_it_was_requested(stores: TwoStores) -> None:
    body = {"fromStoreId": "FROM", "toStoreId": "TO", "lines": [{"itemId": ITEM, "quantity": "2.50"}, LINE]}
    response = stores.ada.order(TRANSFERS, json=body)
    assert response.status_code == 201, response.text
    made = decode_json(response.content)
    assert made["transferId"]
    assert made["status"] == "REQUESTED"
    assert (made["fromStoreId"], made["toStoreId"], made["madeBy"]) == ("FROM", "TO", "ada")
    assert b'"requested":3.50' in response.content
    assert stores.shown(made["transferId"]) == made


def test_ship_and_receive_take_lines_or_everything(stores: TwoStores) -> None:
    transfer = stores.request(4)
    shipped = stores.ada.order(f"{TRANSFERS}/{transfer}/ship")  # no body at all
    assert shipped.status_code == 200, shipped.text
    received = stores.ada.order(f"{TRANSFERS}/{transfer}/receive", json={"lines": [LINE, LINE]})
    assert decode_json(received.content)["lines"][0]["received"] == 2
    assert stores.standing(transfer) == ("SHIPPED", "4/4/2/0")
    stores.check()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"toStoreId": "FROM"}, "toStoreId"),
        ({"lines": []}, "lines"),
        ({"lines": [{"itemId": ITEM, "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": [{"itemId": ITEM, "quantity": "NaN"}]}, "lines[0].quantity"),
        ({"lines": [LINE, {"itemId": "nobody's", "quantity": 1}]}, "lines[1].itemId"),
        ({"fromStoreId": None}, "fromStoreId"),
    ],
)
def test_what_cannot_be_a_transfer_is_refused(stores: TwoStores, changes: dict[str, Any], field: str) -> None:
    body = {"fromStoreId": "FROM", "toStoreId": "TO", "lines": [LINE], **changes}
    response = stores.ada.order(TRANSFERS, json=body)
    assert response.status_code == 422, response.text
    assert [each["field"] for each in decode_json(response.content)["details"]["violations"]] == [field]


def test_an_unknown_store_or_transfer_is_not_found(stores: TwoStores) -> None:
    body = {"fromStoreId": "FROM", "toStoreId": "NOWHERE", "lines": [LINE]}
    assert stores.ada.order(TRANSFERS, json=body).status_code == 404
    for step in ("ship", "receive", "cancel"):
        assert stores.ada.order(f"{TRANSFERS}/T-9/{step}").status_code == 404
    assert stores.settle("T-9").status_code == 404
    assert stores.ada.get(f"{TRANSFERS}/T-9").status_code == 404


def test_the_same_key_ships_once(stores: TwoStores) -> None:
    transfer = stores.request(4)
    path = f"{TRANSFERS}/{transfer}/ship"
    body = {"lines": [LINE]}
    first = stores.ada.order(path, key="k-1", json=body)
    again = stores.ada.order(path, key="k-1", json=body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert stores.standing(transfer) == ("SHIPPED", "4/1/0/0")


def test_everything_is_shipped_and_received_once(stores: TwoStores) -> None:
    transfer = stores.request(4)
    assert stores.ship(transfer).status_code == 200
    assert stores.ship(transfer, 4).status_code == 409
    assert stores.receive(transfer).status_code == 200
    assert stores.receive(transfer, 4).status_code == 409
    assert stores.standing(transfer) == ("RECEIVED", "4/4/4/0")
    assert stores.settle(transfer).status_code == 409
    stores.check()


def test_nothing_is_received_by_itself_before_it_is_shipped(stores: TwoStores) -> None:
    assert stores.receive(stores.request(4)).status_code == 409


def test_a_transfer_is_cancelled_before_anything_moves_and_not_afterwards(stores: TwoStores) -> None:
    transfer = stores.request(4)
    assert stores.cancel(transfer).status_code == 200
    assert stores.cancel(transfer).status_code == 200
    assert stores.shown(transfer)["cancelledBy"] == "ada"
    assert stores.standing(transfer) == ("CANCELLED", "4/0/0/0")
    assert stores.ship(transfer).status_code == 409
    assert stores.receive(transfer, 1).status_code == 409
    for step in (stores.ship, lambda transfer_id: stores.receive(transfer_id, 1)):
        begun = stores.request(4)
        assert step(begun).status_code == 200
        assert stores.cancel(begun).status_code == 409
    stores.check()


def test_an_id_that_is_in_use_is_another_transfer_s(stores: TwoStores) -> None:
    stores.request(4, transferId="T-1")
    assert stores.request(4, transferId="T-1") == "T-1"
    body = {"fromStoreId": "FROM", "toStoreId": "TO", "lines": [LINE], "transferId": "T-1"}
    assert stores.ada.order(TRANSFERS, json=body).status_code == 409
    assert stores.standing("T-1") == ("REQUESTED", "4/0/0/0")


def test_nobody_settles_what_they_shipped_or_received(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.receive(transfer, 3)
    refused = stores.settle(transfer, by=stores.ada)  # an approver, who took part
    assert refused.status_code == 403
    assert "took part" in refused.text
    assert stores.standing(transfer) == ("SHIPPED", "4/4/3/0")
    assert stores.settle(transfer).status_code == 200


def test_settling_takes_a_reason_that_exists_and_no_more_than_differs(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.receive(transfer, 1)
    assert stores.settle(transfer, "BECAUSE").status_code == 422
    path = f"{TRANSFERS}/{transfer}/settle"
    assert stores.otto.order(path, json={}).status_code == 422
    too_much = [{"itemId": ITEM, "quantity": 4}]
    assert stores.settle(transfer, lines=too_much).status_code == 422
    assert stores.settle(transfer, "THEFT", lines=[LINE]).status_code == 200
    assert stores.standing(transfer) == ("SHIPPED", "4/4/1/1")
    # The rest turns up.
    assert stores.receive(transfer, 2).status_code == 200
    assert stores.standing(transfer) == ("RECEIVED", "4/4/3/1")
    assert stores.ledger(stores.destination)[1] == "TRANSFER: Dr 6550 4, Cr 1410 4"
    stores.check()


def test_who_may_do_what(stores: TwoStores, http: Any) -> None:
    transfer = stores.request(4)
    viewer = http.as_caller(build_person(stores.database, "vera", Role.VIEWER))
    assert viewer.get(TRANSFERS).status_code == 200
    for step in ("ship", "receive", "cancel", "settle"):
        assert viewer.order(f"{TRANSFERS}/{transfer}/{step}", json={"reasonCode": "THEFT"}).status_code == 403
    assert stores.otto.order(f"{TRANSFERS}/{transfer}/ship").status_code == 403
    controller = http.as_caller(build_person(stores.database, "carl", Role.STOCK_CONTROLLER))
    path = f"{TRANSFERS}/{transfer}/settle"
    assert controller.order(path, json={"reasonCode": "THEFT"}).status_code == 403


def test_transfers_are_listed_by_store_and_status_page_by_page(stores: TwoStores) -> None:
    made = [stores.request(1) for _ in range(5)]
    stores.ship(made[0])
    stores.receive(made[0])
    stores.ship(made[1])
    stores.cancel(made[2])

    def listed(**query: Any) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            asked = {name: value for name, value in {**query, "after": after, "limit": 2}.items() if value}
            answer = decode_json(stores.ada.get(TRANSFERS, params=asked).content)
            found += [each["transferId"] for each in answer["items"]]
            after = answer["next"]
            if after is None:
                return found

    assert sorted(listed()) == sorted(made)
    assert listed(storeId="FROM") == listed(storeId="TO") == listed()
    assert listed(status="RECEIVED") == [made[0]]
    assert listed(status="SHIPPED") == [made[1]]
    assert listed(status="CANCELLED") == [made[2]]
    assert sorted(listed(status="REQUESTED")) == sorted(made[3:])
    assert stores.ada.get(TRANSFERS, params={"after": "W10"}).status_code == 422
    assert stores.ada.get(TRANSFERS, params={"status": "LOST"}).status_code == 422
    assert stores.ada.get(TRANSFERS, params={"storeId": "NOWHERE"}).status_code == 404


def test_every_step_is_in_the_audit_trail_of_the_store_that_it_touches(stores: TwoStores) -> None:
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.receive(transfer, 3)
    stores.settle(transfer)
    query = """SELECT actor, action FROM audit_entry WHERE store_no = %(store_no)s AND subject = %(transfer)s
               ORDER BY audit_sequence"""
    assert stores.source.rows(query, transfer=transfer) == [
        ("ada", "transfer.requested"),
        ("ada", "transfer.shipped"),
    ]
    assert stores.destination.rows(query, transfer=transfer) == [
        ("ada", "transfer.received"),
        ("otto", "transfer.settled"),
    ]
    stores.check()


def test_a_transfer_made_of_scans_gets_its_lines_when_a_person_requests_it(stores: TwoStores) -> None:
    stores.source.post(scan_out(4, "T/1"))
    stores.request(5, transferId="T/1")
    assert stores.deliver() == 1
    answer = decode_json(stores.ada.get(TRANSFERS).content)
    (shown,) = answer["items"]
    assert (shown["transferId"], shown["status"]) == ("T/1", "SHIPPED")
