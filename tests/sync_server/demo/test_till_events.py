"""Real baskets as till events: nothing invented, nothing lost without being counted."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.business_date import read_local_time
from shared.pos_event import check_event
from shared.wire_json import decode_json, encode_json
from sync_server.demo.demo_stores import DemoStore, TillClock, demo_stores
from sync_server.demo.real_input import (
    Basket,
    BasketLine,
    Product,
    RealInput,
    Window,
    data_folder,
    read_real_input,
)
from sync_server.demo.till_events import StoreTills, TillTransaction, sold_line

SOLD_AT = datetime(2017, 9, 4, 17, 30, tzinfo=UTC)
MILK = Product(1, "GROCERY", "FLUID MILK", "1 GAL")
FUEL = Product(2, "FUEL", "GASOLINE-REG UNLEADED", "")
PRODUCTS = {1: MILK, 2: FUEL}
BERLIN = DemoStore(292, "Europe/Berlin", time(0), TillClock.BARE, gives_event_ids=False)
TOKYO = DemoStore(381, "Asia/Tokyo", time(0), TillClock.OFFSET, gives_event_ids=True)
WINDOW = Window(date(2017, 10, 21), date(2017, 10, 30))


@pytest.fixture(scope="module")
def real() -> RealInput:
    """Ten days of the five busiest stores, the night in which Berlin's clocks go back included."""
    return read_real_input(5, WINDOW, data_folder())


def line(
    product_id: int = 1,
    quantity: int = 1,
    value: str = "2.50",
    discount: str = "0",
    coupon: str = "0",
    match: str = "0",
) -> BasketLine:
    """A line of a basket."""
    return BasketLine(
        product_id, quantity, Decimal(value), Decimal(discount), Decimal(coupon), Decimal(match)
    )


def replayed(
    *lines: BasketLine, store: DemoStore = TOKYO, basket_id: int = 1001
) -> tuple[StoreTills, list[dict[str, Any]]]:
    """The tills after one basket, and the events of its sale."""
    tills = StoreTills(store, PRODUCTS)
    found = list(tills.transactions([Basket(store.number, basket_id, SOLD_AT, lines)], SOLD_AT))
    return tills, list(found[0].events) if found else []


def all_transactions(real: RealInput) -> tuple[list[TillTransaction], list[StoreTills]]:
    """Everything that the tills of the five stores hand over."""
    tills = [StoreTills(store, real.products) for store in demo_stores(real.stores)]
    transactions = [
        one for each in tills for one in each.transactions(real.baskets[each.store.number], WINDOW.ends)
    ]
    return transactions, tills


def test_a_line_becomes_a_sale_with_what_the_store_received_as_its_charge() -> None:
    _, [event] = replayed(line(quantity=2, value="3.58", discount="1.00", match="0.25"))

    assert event == {
        "type": "SALE",
        "saleId": "1001",
        "lineNumber": 1,
        "workstationId": "TILL-3",
        "transactionNumber": "1",
        "occurredAt": "2017-09-05T02:30:00+09:00",
        "itemId": "1",
        "quantity": Decimal(2),
        "unitOfMeasure": "EA",
        "amount": Decimal("3.58"),
        "currency": "USD",
        "discountAmount": Decimal("1.25"),
        "eventId": "381-1001-1",
    }


def test_a_till_that_writes_bare_local_time_writes_no_offset() -> None:
    _, [event] = replayed(line(), store=BERLIN)

    assert event["occurredAt"] == "2017-09-04T19:30:00"
    assert "eventId" not in event


def test_a_line_of_zero_quantity_is_left_out_and_counted_and_the_others_keep_their_numbers() -> None:
    tills, events = replayed(line(quantity=0, value="0.01"), line())

    assert [event["lineNumber"] for event in events] == [2]
    assert tills.report.lines_of_zero_quantity == 1
    assert tills.report.value_left_out == Decimal("0.01")


def test_a_basket_without_any_quantity_is_left_out_and_counted() -> None:
    tills, events = replayed(line(quantity=0, value="0"))

    assert events == []
    assert tills.report.baskets_left_out == 1


def test_a_free_line_is_a_sale_of_nothing_charged() -> None:
    tills, [event] = replayed(line(value="0.00"))

    assert event["amount"] == 0
    assert tills.report.free_lines == 1


def test_an_unknown_product_is_sold_all_the_same() -> None:
    tills, [event] = replayed(line(product_id=99))

    assert event["itemId"] == "99"
    assert tills.report.unknown_products == 1


def test_fuel_by_volume_is_sold_in_gallons_to_the_thousandth() -> None:
    tills, [event] = replayed(line(product_id=2, quantity=8268, value="20.00"))

    assert (event["quantity"], event["unitOfMeasure"]) == (Decimal("8.268"), "GAL")
    assert tills.report.fuel_by_volume == 1


def test_prepaid_fuel_is_a_count_since_no_gallon_costs_that_much() -> None:
    tills, [event] = replayed(line(product_id=2, quantity=1, value="20.00"))

    assert (event["quantity"], event["unitOfMeasure"]) == (Decimal(1), "EA")
    assert tills.report.fuel_prepaid == 1


def test_a_manufacturers_coupon_is_a_tender_of_its_basket_even_when_rung_up_on_a_line_without_goods() -> None:
    _, events = replayed(
        line(value="2.50", coupon="0.50"), line(quantity=0, value="0", coupon="1.00"), line(value="1.00")
    )

    assert events[0]["tenders"] == [
        {"type": "MANUFACTURER_COUPON", "amount": Decimal("1.50")},
        {"type": "UNSPECIFIED", "amount": Decimal("2.00")},
    ]
    assert "tenders" not in events[1]


def test_coupons_never_pay_more_than_the_charge() -> None:
    tills, [event] = replayed(line(value="1.38", coupon="1.67"))

    assert event["tenders"] == [{"type": "MANUFACTURER_COUPON", "amount": Decimal("1.38")}]
    assert tills.report.coupons_capped == 1


def test_how_a_basket_without_coupons_was_paid_is_not_invented() -> None:
    _, [event] = replayed(line())

    assert "tenders" not in event


def test_every_line_of_the_window_is_either_sold_or_counted_as_left_out(real: RealInput) -> None:
    _, tills = all_transactions(real)

    assert sum(each.report.lines_sold + each.report.lines_of_zero_quantity for each in tills) == real.lines


def test_the_charges_of_a_real_replay_add_up_to_the_cent(real: RealInput) -> None:
    transactions, tills = all_transactions(real)
    sales = [event for one in transactions for event in one.events if event["type"] == "SALE"]
    in_file = sum(line.value for baskets in real.baskets.values() for one in baskets for line in one.lines)

    assert (
        sum(event["amount"] for event in sales) + sum(each.report.value_left_out for each in tills) == in_file
    )


def test_every_event_of_a_real_replay_is_understood_by_the_contract(real: RealInput) -> None:
    transactions, _ = all_transactions(real)
    wire = [event for one in transactions for event in decode_json(encode_json(list(one.events)))]

    assert len(wire) > 3000
    assert [violation for event in wire for violation in check_event(event, "event")] == []


def test_transactions_come_in_order_of_time(real: RealInput) -> None:
    for store in demo_stores(real.stores):
        tills = StoreTills(store, real.products)
        instants = [one.happens_at for one in tills.transactions(real.baskets[store.number], WINDOW.ends)]
        assert instants == sorted(instants)


def test_a_workstation_counts_its_transactions_without_a_gap(real: RealInput) -> None:
    store = demo_stores(real.stores)[0]
    tills = StoreTills(store, real.products)
    counted: dict[str, list[int]] = {}
    for one in tills.transactions(real.baskets[store.number], WINDOW.ends):
        event = one.events[0]
        counted.setdefault(event["workstationId"], []).append(int(event["transactionNumber"]))

    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in counted.values())


def test_event_ids_that_tills_give_are_never_given_twice(real: RealInput) -> None:
    transactions, _ = all_transactions(real)
    given = [
        (one.store_id, event["eventId"]) for one in transactions for event in one.events if "eventId" in event
    ]

    assert len(given) == len(set(given)) > 0


def test_files_carry_ids_and_nothing_refers_to_what_is_in_them(real: RealInput) -> None:
    transactions, _ = all_transactions(real)
    files = [one for one in transactions if one.as_file]
    in_files = {(one.store_id, event["saleId"]) for one in files for event in one.events}
    referred = {
        (one.store_id, event.get("voids", {}).get("saleId") or event.get("originalSaleId"))
        for one in transactions
        for event in one.events
        if event["type"] != "SALE"
    }

    assert all("eventId" in event for one in files for event in one.events)
    assert in_files
    assert not in_files & referred


def test_what_would_happen_after_the_window_is_kept_for_later(real: RealInput) -> None:
    store = demo_stores(real.stores)[0]
    tills = StoreTills(store, real.products)
    until = WINDOW.ends - timedelta(days=5)
    baskets = [basket for basket in real.baskets[store.number] if basket.sold_at < until]
    first = list(tills.transactions(baskets, until))
    later = list(tills.transactions([], WINDOW.ends))

    assert all(one.happens_at < until for one in first)
    assert later
    assert all(one.happens_at >= until for one in later)


def test_berlin_really_sells_in_both_of_the_hours_that_have_the_same_name(real: RealInput) -> None:
    night = [basket.sold_at for basket in real.baskets[292] if basket.sold_at.date() == date(2017, 10, 29)][
        :2
    ]
    first, second = (instant.replace(tzinfo=UTC) for instant in night)
    bare = [instant.astimezone(UTC) + timedelta(hours=hours) for instant, hours in ((first, 2), (second, 1))]
    read_first, _ = read_local_time(bare[0].replace(tzinfo=None), "Europe/Berlin", None)
    read_second, reading = read_local_time(bare[1].replace(tzinfo=None), "Europe/Berlin", read_first)

    assert (read_first, read_second) == (first, second)
    assert reading == "FOLD_LATER"


def test_a_sold_line_of_an_unknown_product_counts_pieces() -> None:
    assert sold_line(1, line(product_id=99, quantity=3), None).unit_of_measure == "EA"
