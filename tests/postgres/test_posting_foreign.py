"""Money in another currency than the store's: booked in its own, never mixed, and found."""

from decimal import Decimal

import pytest

from tests.postgres.conftest import NewStore
from tests.store_ledger import StoreLedger, describe_items
from tests.till_events import receipt, sale, void


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store in USD."""
    return new_store(currency="USD")


def _details(store: StoreLedger) -> tuple[str, str]:
    ((currency, unit_cost),) = store.rows(
        "SELECT currency, details ->> 'unitCost' FROM pos_event WHERE store_no = %(store_no)s AND type = 'RECEIPT'"
    )
    return currency, unit_cost


def test_a_receipt_in_another_currency_comes_in_at_the_average(store: StoreLedger) -> None:
    item = f"foreign-{store.store_id}"
    store.open_with({item: ("10", "4.00")})
    store.post(receipt(5, "450.00", item=item, currency="JPY"))
    # 10 at 4.00 and 5 more at that average: nobody pays 450 dollars a piece.
    assert store.stock(item) == ("15", "60")
    assert store.balances() == {"1400": "60", "3000": "-40", "2100": "-20"}
    assert store.balances("JPY") == {}
    assert _details(store) == ("JPY", "450.00")
    assert store.findings()["FOREIGN_CURRENCY", "JPY"] == 1
    store.check()


def test_without_stock_it_comes_in_at_the_masters_cost(store: StoreLedger) -> None:
    item = f"foreign-{store.store_id}"
    describe_items(store.database, {item: "3.00"})
    store.post(receipt(5, "450.00", item=item, currency="JPY"))
    assert store.stock(item) == ("5", "15")
    store.check()


def test_its_void_takes_back_exactly_that(store: StoreLedger) -> None:
    item = f"foreign-{store.store_id}"
    store.open_with({item: ("10", "4.00")})
    store.post(receipt(5, "450.00", item=item, currency="JPY", amount="2250", eventId="r-1"))
    store.post(void("r-1"))
    assert store.stock(item) == ("10", "40")
    assert store.balances() == {"1400": "40", "3000": "-40"}
    store.check()


def test_a_sale_in_another_currency_is_booked_in_its_own_and_its_goods_in_the_stores(
    store: StoreLedger,
) -> None:
    item = f"foreign-{store.store_id}"
    store.open_with({item: ("10", "4.00")})
    store.post(sale(1, "900", item=item, currency="JPY"))
    assert store.balances("JPY") == {"1000": "900", "4000": "-900"}
    assert store.balances() == {"1400": "36", "3000": "-40", "5000": "4"}
    assert store.quantities()[item] == Decimal(9)
    store.check()
