"""Moving-average cost as an accountant works it out by hand, movement by movement."""

from decimal import Decimal

import pytest

from sync_server.inventory.valuation import (
    StockPosition,
    Valuation,
    current_cost,
    move,
    unit_cost_of,
    worth_at,
)

CENT = Decimal("0.01")


def position(on_hand: str, value: str, frozen: str = "0") -> StockPosition:
    """A store's position; `frozen` is the cost that counts without stock."""
    return StockPosition(Decimal(on_hand), Decimal(value), Decimal(frozen))


def sell(stock: StockPosition, quantity: str, coin: Decimal = CENT) -> Decimal:
    """Sells, and returns what was sold at cost."""
    cost = current_cost(stock, Decimal(quantity), coin)
    moved = move(stock, -Decimal(quantity), -cost, coin)
    assert moved.value + moved.variance == -cost
    return cost


def receive(stock: StockPosition, quantity: str, unit_cost: str, coin: Decimal = CENT) -> Valuation:
    """Receives goods at `unit_cost`."""
    return move(stock, Decimal(quantity), worth_at(Decimal(unit_cost), Decimal(quantity), coin), coin)


def state(stock: StockPosition) -> tuple[str, str]:
    """On hand and value, plainly."""
    return str(stock.on_hand), str(stock.value)


def test_a_sale_goes_out_at_the_average_of_what_came_in() -> None:
    stock = StockPosition()
    receive(stock, "10", "2.00")
    receive(stock, "10", "3.00")
    assert state(stock) == ("20", "50.00")
    assert sell(stock, "4") == Decimal("10.00")
    assert state(stock) == ("16", "40.00")
    assert unit_cost_of(stock) == Decimal("2.5")


def test_thirds_of_a_cent_stay_in_stock_until_the_last_piece_takes_them() -> None:
    stock = position("3", "10.00")
    assert [sell(stock, "1") for _ in range(3)] == [Decimal("3.33"), Decimal("3.34"), Decimal("3.33")]
    assert state(stock) == ("0", "0")


def test_half_a_cent_is_rounded_to_the_even_one() -> None:
    assert sell(position("2", "0.05"), "1") == Decimal("0.02")
    assert sell(position("2", "0.03"), "1") == Decimal("0.02")


def test_goods_by_weight_keep_their_cost_to_the_gram() -> None:
    stock = StockPosition()
    receive(stock, "12.345", "7.99")
    assert state(stock) == ("12.345", "98.64")
    assert sell(stock, "0.125") == Decimal("1.00")
    assert state(stock) == ("12.220", "97.64")


def test_what_is_sold_beyond_the_stock_goes_at_the_cost_that_stood_then() -> None:
    stock = position("1", "5.00")
    assert sell(stock, "3") == Decimal("15.00")
    assert state(stock) == ("-2", "-10.00")
    assert unit_cost_of(stock) == Decimal("5")


def test_while_nothing_is_there_the_unit_cost_is_frozen() -> None:
    stock = position("1", "5.00")
    sell(stock, "3")
    assert sell(stock, "4") == Decimal("20.00")
    assert state(stock) == ("-6", "-30.00")
    assert unit_cost_of(stock) == Decimal("5")


def test_a_receipt_that_covers_a_shortage_puts_the_difference_to_cost_variance() -> None:
    stock = position("-2", "-10.00", "5")
    moved = receive(
        stock, "5", "6.00"
    )  # 30.00 paid; three pieces at 6.00 remain; two were sold at 5.00 and cost 6.00
    assert moved == Valuation(value=Decimal("28.00"), variance=Decimal("2.00"))
    assert state(stock) == ("3", "18.00")


def test_a_cheaper_receipt_gives_the_difference_back() -> None:
    stock = position("-2", "-10.00", "5")
    assert receive(stock, "5", "4.00") == Valuation(value=Decimal("22.00"), variance=Decimal("-2.00"))
    assert state(stock) == ("3", "12.00")


def test_a_receipt_that_covers_part_of_a_shortage_counts_at_the_frozen_cost() -> None:
    stock = position("-6", "-30.00", "5")
    assert receive(stock, "2", "6.00") == Valuation(value=Decimal("10.00"), variance=Decimal("2.00"))
    assert state(stock) == ("-4", "-20.00")
    assert unit_cost_of(stock) == Decimal("5")


def test_a_receipt_that_covers_a_shortage_exactly_leaves_no_value_behind() -> None:
    stock = position("-3", "-10.01", "3.336667")
    assert receive(stock, "3", "3.00") == Valuation(value=Decimal("10.01"), variance=Decimal("-1.01"))
    assert state(stock) == ("0", "0")


def test_value_left_at_zero_quantity_goes_to_cost_variance() -> None:
    stock = position("2", "7.00")
    returned_to_supplier = move(stock, Decimal(-2), Decimal("-6.00"), CENT)
    assert returned_to_supplier == Valuation(value=Decimal("-7.00"), variance=Decimal("1.00"))
    assert state(stock) == ("0", "0")


def test_stock_is_never_worth_less_than_nothing_while_there_is_some() -> None:
    stock = position("5", "1.00")
    taken_out = move(stock, Decimal(-1), Decimal("-3.00"), CENT)
    assert taken_out == Valuation(value=Decimal("-1.00"), variance=Decimal("-2.00"))
    assert state(stock) == ("4", "0")


def test_a_return_comes_back_at_what_it_went_out_for() -> None:
    stock = position("10", "20.00")
    cost = sell(stock, "4")
    receive(stock, "4", "5.00")
    move(stock, Decimal(4), cost, CENT)
    assert state(stock) == ("14", "40.00")


def test_a_void_takes_back_exactly_what_the_sale_took() -> None:
    stock = position("3", "10.00")
    cost = sell(stock, "1")
    assert move(stock, Decimal(1), cost, CENT) == Valuation(value=cost, variance=Decimal(0))
    assert state(stock) == ("3", "10.00")


def test_a_void_of_the_sale_that_emptied_the_shelf_brings_its_value_back() -> None:
    stock = position("3", "10.00")
    cost = sell(stock, "3")
    move(stock, Decimal(3), cost, CENT)
    assert state(stock) == ("3", "10.00")


def test_a_void_of_a_sale_below_zero_brings_the_stock_back_as_it_was() -> None:
    stock = position("1", "5.00")
    cost = sell(stock, "3")
    assert move(stock, Decimal(3), cost, CENT) == Valuation(value=Decimal("15.00"), variance=Decimal(0))
    assert state(stock) == ("1", "5.00")


def test_an_item_that_never_had_stock_is_sold_at_its_master_cost() -> None:
    stock = position("0", "0", "1.25")
    assert sell(stock, "2") == Decimal("2.50")
    assert state(stock) == ("-2", "-2.50")


def test_an_item_that_nobody_knows_a_cost_of_is_sold_at_none() -> None:
    stock = StockPosition()
    assert sell(stock, "2") == 0
    assert state(stock) == ("-2", "0.00")


@pytest.mark.parametrize(("coin", "worth"), [("1", "333"), ("0.01", "333.33"), ("0.001", "333.333")])
def test_values_are_whole_coins_of_the_currency(coin: str, worth: str) -> None:
    assert sell(position("3", "1000"), "1", Decimal(coin)) == Decimal(worth)


def test_amounts_of_eighteen_digits_are_worked_out_to_the_last_one() -> None:
    stock = position("999999999999999999.999999999", "999999999999999999.99")
    assert sell(stock, "0.000000001") == Decimal("0.00")
    assert sell(stock, "333333333333333333.333333333") == Decimal("333333333333333333.33")
    assert state(stock) == ("666666666666666666.666666665", "666666666666666666.66")
