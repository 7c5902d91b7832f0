"""A cost that comes late, and a placeholder that turns out to be an item: figures checked by hand."""

from decimal import Decimal

import pytest

from sync_server.accounting.item_mapping import map_item, mappings_job
from sync_server.accounting.late_costs import late_costs_job
from sync_server.database import Database
from sync_server.errors import Conflict, NotFound
from sync_server.scheduling.job import Job
from tests.builders import OPERATOR
from tests.set_clock import START
from tests.store_ledger import StoreLedger, describe_items
from tests.till_events import ITEM, receipt, returned, sale, void


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01, where ITEM is known by name and nobody knows its cost."""
    ledger = StoreLedger(database)
    describe_items(database, {ITEM: None, "item-002": "3.00"})
    return ledger


def _run(job: Job, database: Database) -> int:
    """One run of a job, as the scheduler makes it."""
    with database.reading() as work:
        stores = list(job.find_stores(work, START))
    done = 0
    for store_no in stores:
        with database.unit_of_work() as work:
            done += job.do_for_store(work, store_no, START)
    return done


def _cost_comes(store: StoreLedger, cost: str = "4.00", item: str = ITEM) -> int:
    with store.database.unit_of_work() as work:
        work.connection.execute("UPDATE item SET unit_cost = %s WHERE item_id = %s", [cost, item])
    return _run(late_costs_job(), store.database)


def _map(store: StoreLedger, item: str, to: str) -> int:
    with store.database.unit_of_work() as work:
        map_item(work, item, to, reason="a new label", by=OPERATOR, now=START)
    return _run(mappings_job(), store.database)


def test_what_was_sold_and_what_is_left_are_valued_when_the_cost_comes(store: StoreLedger) -> None:
    # Given ten pieces received and three sold, of which one came back, all at cost zero
    store.post(receipt(10, None), sale(3, "30.00"), returned(1, "10.00"))
    assert store.stock() == ("8", "0")
    # When the cost of 4.00 comes
    assert _cost_comes(store) == 1
    # Then eight pieces are worth 32, two sold cost 8, and ten received are owed for with 40
    assert store.stock() == ("8", "32")
    assert store.balances() == {"1000": "20", "4000": "-20", "1400": "32", "5000": "8", "2100": "-40"}
    assert ("COST_UNKNOWN", ITEM) not in store.findings()
    # And the next sale is at that cost
    store.post(sale(1))
    assert store.balances()["5000"] == "12"
    store.check()


def test_what_was_sold_without_being_there_is_valued_too(store: StoreLedger) -> None:
    store.post(sale(3, "30.00"))
    _cost_comes(store)
    assert store.stock() == ("-3", "-12")
    assert store.balances()["5000"] == "12"
    # Three of the ten that are received at 5.00 cover the shortage, at 1.00 more than they were sold for.
    store.post(receipt(10, "5.00"))
    assert store.stock() == ("7", "35")
    assert store.balances()["5100"] == "3"
    store.check()


def test_nothing_on_hand_leaves_nothing_in_inventory(store: StoreLedger) -> None:
    store.post(receipt(3, None), sale(3, "30.00", eventId="s-1"))
    _cost_comes(store)
    assert store.stock() == ("0", "0")
    assert store.balances() == {"1000": "30", "4000": "-30", "5000": "12", "2100": "-12"}
    store.post(sale(1))
    assert store.stock() == ("-1", "-4")
    store.check()


def test_a_void_counts_to_what_it_took_back(store: StoreLedger) -> None:
    store.post(receipt(10, None, eventId="r-1"), receipt(5, None), sale(3, "30.00", eventId="s-1"), sale(1))
    store.post(void("s-1"), void("r-1"))
    _cost_comes(store)
    assert store.stock() == ("4", "16")
    balances = store.balances()
    assert (balances["5000"], balances["2100"]) == ("4", "-20")
    store.check()


def test_a_receipt_that_brought_a_cost_has_settled_it(store: StoreLedger) -> None:
    store.post(sale(2, "20.00"))
    store.post(receipt(10, "5.00"))
    before = store.balances()
    assert _cost_comes(store) == 0
    assert store.balances() == before
    assert ("COST_UNKNOWN", ITEM) not in store.findings()
    store.check()


def test_it_is_posted_once_and_audited(store: StoreLedger) -> None:
    store.post(sale(2, "20.00"))
    assert _cost_comes(store) == 1
    assert _cost_comes(store, "9.00") == 0
    assert store.count("SELECT count(*) FROM stock_movement WHERE type = 'LATE_COST'") == 1
    assert store.rows("SELECT subject FROM audit_entry WHERE action = 'cost.late'") == [(ITEM,)]
    store.check()


def test_each_store_is_valued_by_what_it_did(store: StoreLedger) -> None:
    other = StoreLedger(store.database, "STORE-02")
    store.post(sale(1))
    other.post(receipt(2, None))
    assert _cost_comes(store) == 2
    assert (store.stock(), other.stock()) == (("-1", "-4"), ("2", "8"))
    store.check()
    other.check()


def test_sales_of_a_placeholder_become_sales_of_the_item_at_its_cost(store: StoreLedger) -> None:
    # Given five pieces of item-002 at 3.00, and two sold under a name that nobody knows
    store.post(receipt(5, "3.00", item="item-002"))
    store.post(sale(2, "20.00", item="mystery"))
    # When the name is mapped
    assert _map(store, "mystery", "item-002") == 1
    # Then three are left, and the two sold cost 6
    assert (store.stock("mystery"), store.stock("item-002")) == (("0", "0"), ("3", "9"))
    assert store.balances()["5000"] == "6"
    assert store.findings() == {}
    # And whatever tills call it, it is the item from then on
    store.post(sale(1, item="mystery"), sale(1, item="item-002"))
    assert store.stock("item-002") == ("1", "3")
    assert store.findings() == {}
    store.check()


def test_what_was_received_under_another_name_moves_with_its_value(store: StoreLedger) -> None:
    store.post(receipt(4, "5.00", item="mystery"), sale(1, item="mystery"))
    _map(store, "mystery", "item-002")
    assert (store.stock("mystery"), store.stock("item-002")) == (("0", "0"), ("3", "15"))
    assert store.balances()["5000"] == "5"
    store.check()


def test_a_barcode_that_nobody_knew_stands_for_the_item_from_then_on(store: StoreLedger) -> None:
    store.post(sale(1, item=None, barcode="4006381333931"))
    _map(store, "barcode:4006381333931", "item-002")
    store.post(sale(1, item=None, barcode="4006381333931"))
    assert store.stock("item-002")[0] == "-2"
    assert store.findings() == {("NEGATIVE_STOCK", "item-002"): 2}
    store.check()


def test_what_a_late_void_brings_back_moves_over_too(store: StoreLedger) -> None:
    store.post(sale(2, "20.00", item="mystery", eventId="s-1"))
    _map(store, "mystery", "item-002")
    store.post(void("s-1"))
    assert store.stock("mystery")[0] == "2"
    assert _run(mappings_job(), store.database) == 1
    assert store.quantities() == {"mystery": Decimal(0), "item-002": Decimal(0)}
    store.check()


def test_a_placeholder_that_is_described_is_found_no_more(store: StoreLedger) -> None:
    store.post(sale(1, item="mystery"))
    with store.database.unit_of_work() as work:
        work.connection.execute("UPDATE item SET placeholder = false WHERE item_id = 'mystery'")
    _run(mappings_job(), store.database)
    assert ("UNKNOWN_ITEM", "mystery") not in store.findings()
    store.check()


@pytest.mark.parametrize(
    ("item", "to", "error"),
    [("item-002", ITEM, Conflict), ("mystery", "riddle", Conflict), ("mystery", "nothing", NotFound)],
)
def test_only_a_placeholder_is_mapped_and_only_to_an_item(
    store: StoreLedger, item: str, to: str, error: type[Exception]
) -> None:
    store.post(sale(1, item="mystery"), sale(1, item="riddle"))
    with pytest.raises(error), store.database.unit_of_work() as work:
        map_item(work, item, to, reason="x", by=OPERATOR, now=START)
