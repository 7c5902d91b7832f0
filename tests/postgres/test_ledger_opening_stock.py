"""Opening stock: what a store had before its first movement, brought in once and never a second time."""

from decimal import Decimal

import pytest

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.opening_stock import OpeningLine, post_opening_stock
from tests.builders import OPERATOR
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import StoreLedger, describe_items
from tests.till_events import ITEM, sale

OTHER = "item-002"


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store without stock, and two items."""
    ledger = new_store()
    describe_items(ledger.database, {ITEM: None, OTHER: None})
    return ledger


def _open(store: StoreLedger, *lines: tuple[str, str, str]) -> list[str]:
    """Opens with lines of item id, quantity and unit cost; returns the items that were opened."""
    numbers = dict(store.rows("SELECT item_id, item_no FROM item"))
    exact: list[OpeningLine] = [
        (numbers[item], Decimal(quantity), Decimal(cost)) for item, quantity, cost in lines
    ]
    with store.database.unit_of_work() as work:
        opened = post_opening_stock(work, ChartOfAccounts(), store.store_no, exact, by=OPERATOR, now=START)
    return sorted(item for item, number in numbers.items() if number in opened)


def test_opening_stock_stands_in_stock_and_books(store: StoreLedger) -> None:
    assert _open(store, (ITEM, "10", "4.00"), (OTHER, "2.5", "3.33")) == [ITEM, OTHER]
    assert store.stock() == ("10", "40")
    assert store.stock("item-002") == ("2.5", "8.32")
    assert store.balances() == {"1400": "48.32", "3000": "-48.32"}
    store.check()


def test_a_file_imported_twice_adds_nothing(store: StoreLedger) -> None:
    _open(store, (ITEM, "10", "4.00"))
    assert _open(store, (ITEM, "10", "4.00")) == []
    assert _open(store, (ITEM, "99", "9.00"), (OTHER, "1", "1.00")) == [OTHER]
    assert store.stock() == ("10", "40")
    store.check()


def test_an_item_that_has_moved_keeps_what_it_has(store: StoreLedger) -> None:
    store.post(sale(3))
    assert _open(store, (ITEM, "10", "4.00")) == []
    assert store.stock()[0] == "-3"
    store.check()


def test_of_an_item_stated_twice_the_first_counts(store: StoreLedger) -> None:
    assert _open(store, (ITEM, "10", "4.00"), (ITEM, "20", "4.00")) == [ITEM]
    assert store.stock()[0] == "10"
    store.check()


def test_stock_of_no_cost_has_no_journal(store: StoreLedger) -> None:
    _open(store, (ITEM, "10", "0"))
    assert store.stock() == ("10", "0")
    assert store.balances() == {}
    store.post(sale())
    store.check()


def test_what_is_sold_afterwards_goes_at_the_cost_it_was_opened_with(store: StoreLedger) -> None:
    _open(store, (ITEM, "3", "3.333333"))
    store.post(sale(1))
    assert store.stock() == ("2", "6.67")
    assert store.balances()["5000"] == "3.33"
    store.check()


def test_nothing_to_open_changes_nothing(store: StoreLedger) -> None:
    assert _open(store) == []
    store.check()
