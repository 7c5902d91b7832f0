"""Stock is a projection of its movements: damaged, it is made anew from them."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from sync_server.database import Database
from sync_server.support.rebuild import StockDifference, rebuild_stock
from tests.builders import OPERATOR
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, receipt, returned, sale, void


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01 after a day."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00"), "item-002": ("5", "2.00")})
    ledger.post(sale(3, "30.00", eventId="s-1"), receipt(2, "5.00"), returned(1), void("s-1"))
    ledger.post(sale(9, "9.00", item="item-002"))
    return ledger


@pytest.fixture
def owner(owner_url: str) -> Iterator[Database]:
    """The database as its owner sees it, who may damage it."""
    owner = Database(owner_url, role=None)
    yield owner
    owner.close()


def _rebuild(store: StoreLedger, *, apply: bool) -> list[StockDifference]:
    with store.database.unit_of_work() as work:
        return list(rebuild_stock(work, store.store_no, apply=apply, reason="a test", by=OPERATOR, now=START))


def _stock(store: StoreLedger) -> list[object]:
    return store.rows("SELECT * FROM store_stock WHERE store_no = %(store_no)s ORDER BY item_no")


def test_what_is_whole_is_left_alone(store: StoreLedger) -> None:
    assert _rebuild(store, apply=True) == []
    assert store.count("SELECT count(*) FROM audit_entry WHERE action = 'stock.rebuilt'") == 0


def test_what_differs_is_named_and_only_put_right_when_asked_to(store: StoreLedger, owner: Database) -> None:
    whole = _stock(store)
    with owner.unit_of_work() as work:
        work.connection.execute(
            "UPDATE store_stock SET on_hand = on_hand + 1, last_sequence = 1 WHERE item_no = 1"
        )
    damaged = _stock(store)
    named = _rebuild(store, apply=False)
    assert [(each.item_id, each.field) for each in named] == [(ITEM, "last_sequence"), (ITEM, "on_hand")]
    assert (named[1].was, named[1].is_now) == (Decimal(14), Decimal(13))
    assert _stock(store) == damaged
    assert _rebuild(store, apply=True) == named
    assert _stock(store) == whole
    ((before, after),) = store.rows(
        "SELECT before -> 'stock' -> 1 ->> 'value', after -> 'stock' -> 1 ->> 'value' FROM audit_entry "
        "WHERE action = 'stock.rebuilt'"
    )
    assert (before, after) == ("14", "13")
    store.check()


def test_a_row_that_is_gone_comes_back_and_one_too_many_stands_at_nothing(
    store: StoreLedger, owner: Database
) -> None:
    with owner.unit_of_work() as work:
        work.connection.execute("DELETE FROM store_stock WHERE item_no = 1")
        work.connection.execute(
            "INSERT INTO item (item_id, description, unit_of_measure) VALUES ('ghost', 'x', 'EA')"
        )
        work.connection.execute(
            "INSERT INTO store_stock (store_no, item_no, on_hand, value) "
            "SELECT %s, item_no, 7, 7 FROM item WHERE item_id = 'ghost'",
            [store.store_no],
        )
    assert {each.item_id for each in _rebuild(store, apply=True)} == {ITEM, "ghost"}
    assert (store.stock(), store.stock("ghost")) == (("13", "54.22"), ("0", "0"))
    assert _rebuild(store, apply=False) == []
    store.check()


def test_posting_goes_on_from_what_was_rebuilt(store: StoreLedger, owner: Database) -> None:
    with owner.unit_of_work() as work:
        work.connection.execute(
            "UPDATE store_stock SET on_hand = 0, value = 0, unit_cost = 0, last_sequence = NULL "
            "WHERE item_no = 1"
        )
    _rebuild(store, apply=True)
    store.post(sale(1))
    assert store.stock()[0] == "12"
    store.check()
