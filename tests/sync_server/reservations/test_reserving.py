"""Reservations over the API: granted against what is available, resolved once, over when their time is over."""

from datetime import timedelta

import pytest

from shared.clock import instant_text
from shared.wire_json import decode_json
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.set_clock import START
from tests.sync_server.reservations.reserving_shop import RESERVATIONS, TOMORROW, ReservingShop
from tests.till_events import ITEM, sale

HOUR = timedelta(hours=1)


def test_a_reservation_is_granted_and_shown(shop: ReservingShop) -> None:
    response = shop.ask("2.5")
    assert response.status_code == 201
    made = decode_json(response.content)
    assert made["storeId"] == "STORE-01"
    assert made["itemId"] == ITEM
    assert (str(made["quantity"]), str(made["remaining"]), str(made["fulfilled"])) == ("2.5", "2.5", "0")
    assert (made["status"], made["expiresAt"]) == ("OPEN", instant_text(TOMORROW))
    assert shop.shown(made["reservationId"]) == made
    assert shop.stock() == ("10", "2.5", "40")
    assert shop.available() == "7.5"
    shop.store.check()


def test_no_more_is_granted_than_is_available(shop: ReservingShop) -> None:
    """Given 10 on hand, 2 of them safety stock and 5 reserved, 4 are refused and 3 are granted."""
    with shop.store.database.unit_of_work() as work:
        work.connection.execute("UPDATE item SET safety_stock = 2 WHERE item_id = %s", [ITEM])
    shop.reserve(5)
    refused = shop.ask(4)
    assert refused.status_code == 409
    problem = decode_json(refused.content)
    assert problem["errorCode"] == "INSUFFICIENT_AVAILABLE"
    assert problem["details"] == {"storeId": "STORE-01", "itemId": ITEM, "available": 3}
    shop.reserve(3)
    assert shop.stock() == ("10", "8", "40")
    assert shop.available() == "0"
    shop.store.check()


def test_nothing_is_promised_of_a_shortage(shop: ReservingShop) -> None:
    shop.store.post(sale(12))
    refused = shop.ask(1)
    assert refused.status_code == 409
    assert decode_json(refused.content)["details"]["available"] == 0
    assert shop.available() == "0"


def test_an_item_that_the_store_never_had_is_not_available(shop: ReservingShop) -> None:
    with shop.store.database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO item (item_id, description, unit_of_measure) VALUES ('rare', 'Rare', 'EA')"
        )
    assert shop.ask(1, item="rare").status_code == 409
    assert shop.available("rare") == "0"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"itemId": "nothing"}, "itemId"),
        ({"expiresAt": instant_text(START)}, "expiresAt"),
        ({"expiresAt": "2026-03-01T12:00:00"}, "expiresAt"),
        ({"expiresAt": None}, "expiresAt"),
        ({"maxAgeSeconds": -1}, "maxAgeSeconds"),
    ],
)
def test_what_cannot_be_reserved_is_named(shop: ReservingShop, fields: dict[str, object], named: str) -> None:
    body = {"storeId": "STORE-01", "itemId": ITEM, "quantity": 1, "expiresAt": instant_text(TOMORROW)}
    refused = shop.ada.order(RESERVATIONS, json={**body, **fields})
    assert refused.status_code == 422, refused.text
    assert [each["field"] for each in decode_json(refused.content)["details"]["violations"]] == [named]
    assert shop.store.count("SELECT count(*) FROM reservation WHERE store_no = %(store_no)s") == 0


def test_an_unknown_store_or_reservation_is_not_found(shop: ReservingShop) -> None:
    assert shop.ask(1, storeId="STORE-99").status_code == 404
    assert shop.fulfil("nothing").status_code == 404
    assert shop.release("nothing").status_code == 404
    assert shop.ada.get(f"{RESERVATIONS}/nothing").status_code == 404


def test_a_released_reservation_is_available_again(shop: ReservingShop) -> None:
    reservation = shop.reserve(6)
    assert shop.release(reservation, reason="Customer changed their mind").status_code == 200
    assert shop.standing(reservation) == ("RELEASED", "0", "0")
    assert shop.stock() == ("10", "0", "40")
    assert shop.ledger()[1:] == [("RESERVATION", "0", "6", "0"), ("RELEASED", "0", "-6", "0")]
    shop.store.check()


def test_a_release_needs_no_body(shop: ReservingShop) -> None:
    reservation = shop.reserve(6)
    assert shop.ada.order(f"{RESERVATIONS}/{reservation}/release").status_code == 200
    assert shop.standing(reservation)[0] == "RELEASED"


def test_fulfilling_issues_the_goods_at_cost(shop: ReservingShop) -> None:
    """Given 10 at 4.00, 3 reserved are fulfilled: Dr 5000 12.00 / Cr 1400 12.00, and no revenue yet."""
    reservation = shop.reserve(3)
    assert shop.fulfil(reservation).status_code == 200
    assert shop.standing(reservation) == ("FULFILLED", "0", "3")
    assert shop.stock() == ("7", "0", "28")
    assert shop.ledger()[1:] == [("RESERVATION", "0", "3", "0"), ("FULFILMENT", "-3", "-3", "-12")]
    assert shop.store.balances() == {"1400": "28", "3000": "-40", "5000": "12"}
    shop.store.check()


def test_a_reservation_is_fulfilled_in_parts_and_stays_open_between(shop: ReservingShop) -> None:
    reservation = shop.reserve(5)
    assert shop.fulfil(reservation, quantity=2).status_code == 200
    assert shop.standing(reservation) == ("OPEN", "3", "2")
    too_much = shop.fulfil(reservation, quantity=4)
    assert too_much.status_code == 422
    assert shop.fulfil(reservation, quantity="1.5").status_code == 200
    assert shop.release(reservation).status_code == 200
    assert shop.standing(reservation) == ("RELEASED", "0", "3.5")
    assert shop.stock() == ("6.5", "0", "26")
    shop.store.check()


@pytest.mark.parametrize("first", ["release", "fulfil"])
@pytest.mark.parametrize("second", ["release", "fulfil"])
def test_a_reservation_is_resolved_once(shop: ReservingShop, first: str, second: str) -> None:
    reservation = shop.reserve(3)
    assert getattr(shop, first)(reservation).status_code == 200
    before = shop.stock()
    again = getattr(shop, second)(reservation)
    assert again.status_code == 409
    problem = decode_json(again.content)
    assert problem["errorCode"] == "RESERVATION_NOT_OPEN"
    assert problem["details"]["status"] == {"release": "RELEASED", "fulfil": "FULFILLED"}[first]
    assert shop.stock() == before
    shop.store.check()


def test_the_same_request_under_its_key_reserves_and_fulfils_once(shop: ReservingShop) -> None:
    body = {"storeId": "STORE-01", "itemId": ITEM, "quantity": 6, "expiresAt": instant_text(TOMORROW)}
    first = shop.ada.order(RESERVATIONS, key="web-order-7", json=body)
    again = shop.ada.order(RESERVATIONS, key="web-order-7", json=body)
    assert again.content == first.content
    reservation = decode_json(first.content)["reservationId"]
    for _ in range(2):
        path = f"{RESERVATIONS}/{reservation}/fulfil"
        assert shop.ada.order(path, key="parcel-7", json={}).status_code == 200
    assert shop.stock() == ("4", "0", "16")


def test_past_its_expiry_a_reservation_blocks_nobody_and_cannot_be_fulfilled(shop: ReservingShop) -> None:
    """The scheduler never comes by: reserved still says 8, and 10 are promised all the same."""
    lapsed = shop.reserve(8, expires_at=START + HOUR)
    shop.clock.advance(HOUR)
    assert shop.standing(lapsed) == ("EXPIRED", "0", "0")
    assert shop.stock() == ("10", "8", "40")
    assert shop.available() == "10"
    refused = shop.fulfil(lapsed)
    assert refused.status_code == 409
    assert decode_json(refused.content)["details"]["status"] == "EXPIRED"
    shop.reserve(10)
    assert shop.stock() == ("10", "10", "40")
    assert shop.ledger()[-2:] == [("EXPIRED", "0", "-8", "0"), ("RESERVATION", "0", "10", "0")]
    shop.store.check()


def test_the_scheduler_closes_what_is_over_and_nothing_else(shop: ReservingShop) -> None:
    lapsed = [shop.reserve(2, expires_at=START + HOUR) for _ in range(3)]
    kept = shop.reserve(1, expires_at=START + 2 * HOUR)
    assert shop.expire() == 0
    shop.clock.advance(HOUR)
    assert shop.expire() == 3
    assert shop.expire() == 0
    assert {shop.standing(each)[0] for each in lapsed} == {"EXPIRED"}
    assert shop.standing(kept) == ("OPEN", "1", "0")
    assert shop.stock() == ("10", "1", "40")
    shop.store.check()


def test_every_change_is_audited_with_who_and_why(shop: ReservingShop) -> None:
    reservation = shop.reserve(2)
    shop.release(reservation, reason="No parcel today")
    lapsed = shop.reserve(1, expires_at=START + HOUR)
    shop.clock.advance(HOUR)
    shop.expire()
    entries = shop.store.rows(
        """SELECT action, actor, subject, after ->> 'reason' FROM audit_entry
           WHERE store_no = %(store_no)s AND action LIKE 'reservation.%%' ORDER BY audit_sequence"""
    )
    assert [tuple(entry) for entry in entries] == [
        ("reservation.made", "ada", reservation, None),
        ("reservation.released", "ada", reservation, "No parcel today"),
        ("reservation.made", "ada", lapsed, None),
        ("reservation.expired", "tillsync", lapsed, None),
    ]


def test_reservations_are_listed_by_store_item_and_status_page_by_page(shop: ReservingShop) -> None:
    made = [shop.reserve(1, expires_at=START + HOUR) for _ in range(3)]
    made += [shop.reserve(1) for _ in range(2)]
    shop.release(made[4])
    shop.clock.advance(HOUR)

    def listed(**asked: object) -> list[str]:
        found: list[str] = []
        page = decode_json(shop.ada.get(RESERVATIONS, params={**asked, "limit": 2}).content)
        while page["next"] is not None:
            found += [row["reservationId"] for row in page["items"]]
            further = {**asked, "limit": 2, "after": page["next"]}
            page = decode_json(shop.ada.get(RESERVATIONS, params=further).content)
        return found + [row["reservationId"] for row in page["items"]]

    assert listed() == sorted(made)
    assert listed(status="EXPIRED") == sorted(made[:3])
    assert listed(status="OPEN", itemId=ITEM, storeId="STORE-01") == [made[3]]
    assert listed(status="RELEASED") == [made[4]]
    assert listed(itemId="other") == []


def test_reserving_needs_a_stock_controller(shop: ReservingShop, http: HttpCaller) -> None:
    reservation = shop.reserve(1)
    viewer = http.as_caller(build_person(shop.store.database, "vera", Role.VIEWER))
    assert viewer.get(f"{RESERVATIONS}/{reservation}").status_code == 200
    assert viewer.order(f"{RESERVATIONS}/{reservation}/release").status_code == 403
    assert viewer.order(f"{RESERVATIONS}/{reservation}/fulfil").status_code == 403
    assert viewer.order(RESERVATIONS, json={}).status_code == 403
