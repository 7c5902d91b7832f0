"""Item master and opening stock, derived from the sales by the stated rule, as CSV for the imports."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sync_server.demo.demo_stores import demo_stores
from sync_server.demo.opening_stock import (
    item_masters,
    opening_quantities,
    write_item_import,
    write_stock_import,
    write_store_import,
)
from sync_server.demo.real_input import (
    Basket,
    BasketLine,
    Product,
    RealInput,
    Window,
    data_folder,
    read_real_input,
)

SOLD_AT = datetime(2017, 9, 4, 17, 30, tzinfo=UTC)
STORES = demo_stores((367,))


def sold(*lines: tuple[int, int, str]) -> RealInput:
    """One basket of (product, quantity, value) lines in store 367; products 1 and 2 are known, 2 is fuel."""
    nothing = Decimal(0)
    basket = Basket(
        367,
        1001,
        SOLD_AT,
        tuple(
            BasketLine(product, quantity, Decimal(value), nothing, nothing, nothing)
            for product, quantity, value in lines
        ),
    )
    products = {
        1: Product(1, "GROCERY", "FLUID MILK", "1 GAL"),
        2: Product(2, "FUEL", "GASOLINE-REG UNLEADED", ""),
    }
    return RealInput((367,), {367: [basket]}, products, len(lines))


def test_an_item_costs_seventy_percent_of_its_median_price() -> None:
    item = item_masters(sold((1, 1, "2.00"), (1, 2, "5.00"), (1, 1, "10.00")))["1"]

    assert (item.price, item.unit_cost) == (Decimal("2.50"), Decimal("1.75"))
    assert (item.description, item.unit_of_measure) == ("FLUID MILK 1 GAL", "EA")


def test_a_store_opens_with_a_fifth_more_than_it_sells_in_whole_pieces() -> None:
    assert opening_quantities(sold((1, 1, "2.00"), (1, 2, "5.00")), STORES[0]) == {"1": Decimal(4)}


def test_fuel_is_stocked_in_gallons() -> None:
    real = sold((2, 8268, "20.00"))

    assert item_masters(real)["2"].unit_of_measure == "GAL"
    assert opening_quantities(real, STORES[0]) == {"2": Decimal("9.922")}


def test_unknown_products_and_lines_without_quantity_are_not_stocked() -> None:
    real = sold((99, 1, "2.00"), (1, 0, "0.00"))

    assert item_masters(real) == {}
    assert opening_quantities(real, STORES[0]) == {}


def test_an_item_that_was_only_given_away_costs_nothing_and_the_cheapest_one_a_cent() -> None:
    assert item_masters(sold((1, 1, "0.00")))["1"].unit_cost == 0
    assert item_masters(sold((1, 1, "0.01")))["1"].unit_cost == Decimal("0.01")


def test_the_imports_have_the_columns_of_the_contract(tmp_path: Path) -> None:
    real = read_real_input(1, Window(date(2017, 9, 1), date(2017, 9, 3)), data_folder())
    stores = demo_stores(real.stores)
    items = item_masters(real)
    write_store_import(tmp_path / "stores.csv", stores)
    write_item_import(tmp_path / "items.csv", items)
    write_stock_import(tmp_path / "stock.csv", real, stores, items)

    def rows(name: str) -> list[list[str]]:
        with (tmp_path / name).open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    assert rows("stores.csv") == [
        ["storeId", "locationId", "timezone", "currency", "dayStart"],
        ["STORE-367", "LOC-367", "America/New_York", "USD", "04:00"],
    ]
    header = ["itemId", "description", "barcodes", "unitOfMeasure", "unitCost", "price", "safetyStock"]
    assert rows("items.csv")[0] == header
    assert len(rows("items.csv")) == len(items) + 1
    assert rows("stock.csv")[0] == ["storeId", "itemId", "quantity", "unitCost"]
    assert {row[1] for row in rows("stock.csv")[1:]} == set(items)
