"""Sales that name a reservation, told as an accountant reads them; every figure was checked by hand.

Given everywhere: 10 of item-001 on hand at 4.00, worth 40.00 (Dr 1400 / Cr 3000).
"""

from datetime import timedelta

import pytest

from tests.set_clock import START
from tests.store_ledger import describe_items
from tests.sync_server.reservations.reserving_shop import ReservingShop
from tests.till_events import ITEM, basket, receipt, returned, sale, void

HOUR = timedelta(hours=1)


def test_a_sale_takes_its_open_reservation(shop: ReservingShop) -> None:
    """When 3 reserved are sold for 30.00: on hand −3, reserved −3, revenue 30.00 and cost 12.00 at once."""
    reservation = shop.reserve(3)
    shop.store.post(sale(3, "30.00", reservationId=reservation))
    assert shop.standing(reservation) == ("FULFILLED", "0", "3")
    assert shop.stock() == ("7", "0", "28")
    assert shop.ledger()[1:] == [("RESERVATION", "0", "3", "0"), ("SALE", "-3", "-3", "-12")]
    assert shop.store.balances() == {
        "1000": "30", "1400": "28", "3000": "-40", "4000": "-30", "5000": "12",
    }  # fmt: skip
    assert shop.store.findings() == {}
    shop.store.check()


def test_a_sale_after_fulfilment_brings_the_revenue_and_moves_no_goods(shop: ReservingShop) -> None:
    """When 3 were shipped at 12.00 and their sale for 30.00 comes a day later: revenue, no second COGS."""
    reservation = shop.reserve(3)
    shop.fulfil(reservation)
    shop.store.post(receipt(7, "6.00"))
    before = shop.stock()
    shop.store.post(sale(3, "30.00", reservationId=reservation))
    assert shop.stock() == before == ("14", "0", "70")
    assert shop.store.balances() == {
        "1000": "30", "1400": "70", "2100": "-42", "3000": "-40", "4000": "-30", "5000": "12",
    }  # fmt: skip
    assert shop.store.findings() == {}
    assert shop.store.rows("SELECT trim_scale(cost)::text FROM pos_event WHERE type = 'SALE'") == [("12",)]
    shop.store.check()


def test_a_sale_after_fulfilment_issues_only_the_excess(shop: ReservingShop) -> None:
    """When 3 were shipped at 4.00 and 5 are sold: 2 more leave, at 5.00 each by then."""
    reservation = shop.reserve(3)
    shop.fulfil(reservation)
    shop.store.post(receipt(7, "6.00"))  # 7 at 28.00 and 7 at 42.00: 14 at 5.00
    shop.store.post(sale(5, "50.00", reservationId=reservation))
    assert shop.stock() == ("12", "0", "60")
    assert shop.store.balances()["5000"] == "22"
    assert shop.store.findings() == {}
    shop.store.check()


def test_two_lines_of_a_till_share_one_reservation(shop: ReservingShop) -> None:
    reservation = shop.reserve(3)
    lines = [sale(quantity, "10.00", reservationId=reservation) for quantity in (1, 1, 2)]
    shop.store.post(*basket("S-1", *lines))
    assert shop.standing(reservation) == ("FULFILLED", "0", "3")
    assert shop.stock() == ("6", "0", "24")
    assert shop.ledger()[2:] == [
        ("SALE", "-1", "-1", "-4"), ("SALE", "-1", "-1", "-4"), ("SALE", "-2", "-1", "-8"),
    ]  # fmt: skip
    shop.store.check()


def test_a_sale_of_less_leaves_the_rest_reserved(shop: ReservingShop) -> None:
    reservation = shop.reserve(3)
    shop.store.post(sale(1, reservationId=reservation))
    assert shop.standing(reservation) == ("OPEN", "2", "1")
    assert shop.stock() == ("9", "2", "36")
    assert shop.available() == "7"
    shop.store.check()


@pytest.mark.parametrize(
    "end", ["released", "expired", "expired, not written down", "sold", "billed", "unknown"]
)
def test_a_sale_on_a_closed_reservation_is_posted_and_found(shop: ReservingShop, end: str) -> None:
    reservation = shop.reserve(3, expires_at=START + HOUR)
    if end == "released":
        shop.release(reservation)
    elif end == "sold":
        shop.store.post(sale(3, reservationId=reservation))
    elif end == "billed":
        shop.fulfil(reservation)
        shop.store.post(sale(3, reservationId=reservation))
    elif end == "unknown":
        shop.release(reservation)
        reservation = "no-such-reservation"
    else:
        shop.clock.advance(HOUR)
        if end == "expired":
            shop.expire()
    (on_hand, _, _), now = shop.stock(), shop.clock.now()
    shop.store.post(sale(2, "20.00", reservationId=reservation), now=now)
    assert shop.stock()[0] == str(int(on_hand) - 2)
    assert shop.store.findings() == {("RESERVATION_NOT_OPEN", reservation): 1}
    shop.store.check()


def test_a_sale_of_another_item_has_nothing_of_the_reservation(shop: ReservingShop) -> None:
    describe_items(shop.store.database, {"item-002": "2.00"})
    reservation = shop.reserve(3)
    shop.store.post(sale(1, item="item-002", reservationId=reservation))
    assert shop.standing(reservation) == ("OPEN", "3", "0")
    assert ("RESERVATION_NOT_OPEN", reservation) in shop.store.findings()
    shop.store.check()


def test_a_void_reserves_again_what_the_sale_took(shop: ReservingShop) -> None:
    """Given 3 reserved and sold with 1 more, the void puts 4 back, 3 of them reserved: everything as before."""
    reservation = shop.reserve(3)
    shop.store.post(*basket("S-1", sale(4, "40.00", reservationId=reservation)))
    assert shop.stock() == ("6", "0", "24")
    shop.store.post(void({"saleId": "S-1"}))
    assert shop.standing(reservation) == ("OPEN", "3", "0")
    assert shop.stock() == ("10", "3", "40")
    assert shop.ledger()[-1] == ("VOID", "4", "3", "16")
    assert shop.store.balances() == {"1400": "40", "3000": "-40"}
    shop.store.post(*basket("S-2", sale(3, "30.00", reservationId=reservation)))
    assert shop.standing(reservation) == ("FULFILLED", "0", "3")
    shop.store.check()


@pytest.mark.parametrize(
    ("end", "stands"), [("expired", ("EXPIRED", "0", "0")), ("released", ("RELEASED", "0", "0"))]
)
def test_a_void_of_what_is_over_reserves_nothing(
    shop: ReservingShop, end: str, stands: tuple[str, str, str]
) -> None:
    reservation = shop.reserve(3, expires_at=START + HOUR)
    quantity = 3 if end == "expired" else 2
    shop.store.post(*basket("S-1", sale(quantity, reservationId=reservation)))
    if end == "expired":
        shop.clock.advance(HOUR)
    else:
        shop.release(reservation)
    shop.store.post(void({"saleId": "S-1"}), now=shop.clock.now())
    assert shop.standing(reservation) == stands
    assert shop.stock() == ("10", "0", "40")
    shop.store.check()


def test_a_void_of_a_billed_sale_takes_back_the_money_alone(shop: ReservingShop) -> None:
    """Given 3 shipped, sold with 1 more and voided: the 1 comes back, the 3 stay shipped and wait for a sale."""
    reservation = shop.reserve(3)
    shop.fulfil(reservation)
    shop.store.post(*basket("S-1", sale(4, "40.00", reservationId=reservation)))
    shop.store.post(void({"saleId": "S-1"}))
    assert shop.standing(reservation) == ("FULFILLED", "0", "3")
    assert shop.stock() == ("7", "0", "28")
    assert shop.store.balances() == {"1400": "28", "3000": "-40", "5000": "12"}
    shop.store.post(*basket("S-2", sale(3, "30.00", reservationId=reservation)))
    assert shop.stock() == ("7", "0", "28")
    assert shop.store.findings() == {}
    shop.store.check()


def test_a_void_before_its_sale_leaves_the_reservation_as_it_was(shop: ReservingShop) -> None:
    reservation = shop.reserve(3)
    shop.store.post(void("E-1"))
    shop.store.post(sale(3, eventId="E-1", reservationId=reservation))
    assert shop.standing(reservation) == ("OPEN", "3", "0")
    assert shop.stock() == ("10", "3", "40")
    shop.store.check()


def test_a_sale_and_its_void_in_one_batch_leave_the_reservation_as_it_was(shop: ReservingShop) -> None:
    reservation = shop.reserve(3)
    shop.store.post(sale(2, eventId="E-1", reservationId=reservation), void("E-1"))
    assert shop.standing(reservation) == ("OPEN", "3", "0")
    assert shop.stock() == ("10", "3", "40")
    shop.store.check()


def test_a_return_of_a_billed_sale_comes_back_at_what_was_shipped(shop: ReservingShop) -> None:
    """3 shipped at 4.00 and billed; 1 comes back when the average is 6.00: it comes back at 4.00."""
    reservation = shop.reserve(3)
    shop.fulfil(reservation)
    shop.store.post(*basket("S-1", sale(3, "30.00", reservationId=reservation)))
    shop.store.post(receipt(7, "8.00"))
    shop.store.post(returned(1, "10.00", originalSaleId="S-1"))
    assert shop.stock() == ("15", "0", "88")
    assert shop.store.balances()["5000"] == "8"
    shop.store.check()


def test_the_same_batch_again_takes_nothing_twice(shop: ReservingShop) -> None:
    reservation = shop.reserve(3)
    event = sale(2, eventId="E-1", reservationId=reservation)
    for batch_id in ("b-1", "b-1", "b-2"):
        shop.store.post(event, batch_id=batch_id)
    assert shop.standing(reservation) == ("OPEN", "1", "2")
    assert shop.stock() == ("8", "1", "32")
    shop.store.check()


def test_on_hand_below_reserved_names_the_last_promises_until_they_can_be_kept(shop: ReservingShop) -> None:
    """Of 10, 4 and then 5 are promised; the till sells 3. The first promise holds, the second is broken."""
    first = shop.reserve(4)
    shop.clock.advance(timedelta(minutes=1))
    second = shop.reserve(5)
    shop.store.post(sale(3))
    assert shop.store.findings() == {("RESERVATION_SHORT", second): 1}
    assert shop.available() == "0"
    shop.store.post(sale(4))
    assert set(shop.store.findings()) == {("RESERVATION_SHORT", first), ("RESERVATION_SHORT", second)}
    shop.store.check()
    shop.store.post(receipt(2))
    assert set(shop.store.findings()) == {("RESERVATION_SHORT", second)}
    shop.fulfil(first)
    assert shop.stock()[:2] == ("1", "5")
    shop.store.post(receipt(4))
    assert shop.store.findings() == {}
    shop.store.check()


@pytest.mark.parametrize("end", ["release", "fulfil"])
def test_a_shortage_ends_with_its_reservation(shop: ReservingShop, end: str) -> None:
    reservation = shop.reserve(8)
    shop.store.post(sale(5))
    assert set(shop.store.findings()) == {("RESERVATION_SHORT", reservation)}
    assert getattr(shop, end)(reservation).status_code == 200
    expected = {("NEGATIVE_STOCK", ITEM): 1} if end == "fulfil" else {}
    assert shop.store.findings() == expected
    assert shop.stock()[:2] == (("-3", "0") if end == "fulfil" else ("5", "0"))
    shop.store.check()
