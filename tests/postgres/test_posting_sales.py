"""Sales and receipts as they change stock and books, on a real PostgreSQL."""

import pytest

from sync_server.database import Database
from tests.postgres.conftest import NewStore
from tests.store_ledger import StoreLedger, add_barcode, describe_items
from tests.till_events import ITEM, basket, receipt, returned, sale, void

LONG = "12345678901234567.89"


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with ten pieces of item-001 at 4.00."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00")})
    return ledger


def test_a_sale_moves_stock_and_books(store: StoreLedger) -> None:
    answer = store.post(sale(2, "50.00"))
    assert (answer.accepted, answer.duplicates, answer.held, answer.duplicate) == (1, 0, 0, False)
    assert answer.findings == []
    assert store.stock() == ("8", "32")
    assert store.balances() == {"1000": "50", "4000": "-50", "5000": "8", "1400": "32", "3000": "-40"}
    store.check()


def test_tax_is_owed_and_no_revenue(store: StoreLedger) -> None:
    store.post(sale(1, "11.90", taxAmount="1.90"))
    balances = store.balances()
    assert (balances["1000"], balances["4000"], balances["2300"]) == ("11.9", "-10", "-1.9")
    store.check()


def test_a_receipt_raises_stock_at_its_own_cost_and_the_average_follows(store: StoreLedger) -> None:
    store.post(receipt(10, "5.00"))
    assert store.stock() == ("20", "90")
    assert store.balances() == {"1400": "90", "2100": "-50", "3000": "-40"}
    store.post(sale(4))
    assert store.stock() == ("16", "72")
    store.check()


def test_a_receipt_of_unknown_cost_comes_in_at_the_average(store: StoreLedger) -> None:
    store.post(receipt(5, None))
    assert store.stock() == ("15", "60")
    store.check()


def test_a_gift_moves_goods_and_no_money(store: StoreLedger) -> None:
    store.post(sale(1, 0))
    assert store.balances() == {"5000": "4", "1400": "36", "3000": "-40"}
    store.check()


def test_an_item_without_cost_sold_for_nothing_has_no_journal(database: Database) -> None:
    ledger = StoreLedger(database)
    describe_items(database, {ITEM: None})
    ledger.post(sale(1, 0))
    assert ledger.balances() == {}
    assert ledger.stock() == ("-1", "0")
    ledger.check()


def test_an_item_that_never_came_in_is_sold_at_its_master_cost(database: Database) -> None:
    ledger = StoreLedger(database)
    describe_items(database, {ITEM: "2.50"})
    ledger.post(sale(2, "10.00"))
    assert ledger.stock() == ("-2", "-5")
    assert ledger.balances()["5000"] == "5"
    ledger.check()


def test_stock_below_zero_is_posted_and_found_until_it_is_back(store: StoreLedger) -> None:
    answer = store.post(sale(12))
    assert answer.findings == [{"code": "NEGATIVE_STOCK", "subject": ITEM}]
    assert store.stock() == ("-2", "-8")
    store.post(sale(1), receipt(2, "5.00"))
    assert store.findings() == {("NEGATIVE_STOCK", ITEM): 2}
    answer = store.post(receipt(1, "5.00"))
    assert answer.findings == []
    assert store.stock() == ("0", "0")
    assert store.findings() == {}
    assert store.findings("RESOLVED") == {("NEGATIVE_STOCK", ITEM): 2}
    assert store.balances()["5100"] == "3"
    store.check()


def test_stock_that_was_below_zero_within_a_batch_only_is_no_finding(store: StoreLedger) -> None:
    assert store.post(sale(12), receipt(2)).findings == []
    assert store.findings() == {}
    store.check()


def test_an_unknown_item_is_posted_against_a_placeholder(store: StoreLedger) -> None:
    answer = store.post(sale(1, item="item-999"))
    assert {found["code"] for found in answer.findings} == {"UNKNOWN_ITEM", "COST_UNKNOWN", "NEGATIVE_STOCK"}
    assert store.count("SELECT count(*) FROM item WHERE placeholder AND item_id = 'item-999'") == 1
    assert store.post(sale(1, item="item-999")).accepted == 1
    assert store.findings()["UNKNOWN_ITEM", "item-999"] == 2
    store.check()


def test_a_barcode_leads_to_its_item(store: StoreLedger) -> None:
    add_barcode(store.database, "4006381333931", ITEM)
    store.post(
        sale(1, item=None, barcode="4006381333931"), sale(1), sale(1, item=None, barcode=4006381333931)
    )
    assert store.stock() == ("7", "28")
    store.check()


def test_an_item_named_in_two_ways_is_found_once(store: StoreLedger) -> None:
    add_barcode(store.database, "4006381333948", ITEM)
    store.post(sale(6), sale(6, item=None, barcode="4006381333948"))
    assert store.findings() == {("NEGATIVE_STOCK", ITEM): 1}
    store.check()


def test_an_unknown_barcode_becomes_a_placeholder_named_after_it(store: StoreLedger) -> None:
    answer = store.post(sale(1, item=None, barcode="123"))
    assert {"code": "UNKNOWN_ITEM", "subject": "barcode:123"} in answer.findings
    assert store.stock("barcode:123") == ("-1", "0")
    store.check()


def test_an_event_in_another_currency_is_posted_in_its_own(store: StoreLedger) -> None:
    answer = store.post(sale(1, "9.00", currency="EUR"))
    assert answer.findings == [{"code": "FOREIGN_CURRENCY", "subject": "EUR"}]
    assert store.balances("EUR") == {"1000": "9", "4000": "-9"}
    assert store.balances() == {"5000": "4", "1400": "36", "3000": "-40"}
    store.check()


def test_a_currency_without_cents_is_booked_in_whole_coins(new_store: NewStore) -> None:
    ledger = new_store(currency="JPY")
    ledger.open_with({ITEM: ("3", "333.4")})
    assert ledger.stock() == ("3", "1000")
    ledger.post(sale(1, 500))
    assert ledger.stock() == ("2", "667")
    ledger.check()


def test_money_and_quantity_are_kept_to_the_last_digit(store: StoreLedger) -> None:
    store.post(sale("0.123456789", LONG, loyalty=1))
    event = store.rows("SELECT quantity::text, amount::text FROM pos_event WHERE store_no = %(store_no)s")
    assert event == [("0.123456789", LONG)]
    assert store.balances()["4000"] == f"-{LONG}"
    assert store.stock()[0] == "9.876543211"
    store.check()


def test_goods_of_eighteen_digits_at_a_cost_of_eighteen_leave_the_books_balanced(store: StoreLedger) -> None:
    store.post(
        receipt(10**17, LONG), *basket("S-1", sale(10**17, "999999999999999999.99"), sale("0.000000003"))
    )
    assert store.stock()[0] == "9.999999997"
    store.post(returned(1, originalSaleId="S-1"), void({"saleId": "S-1"}))
    assert store.stock()[0] == "100000000000000011"
    assert store.balances()["2100"] == "-1234567890123456789000000000000000"
    store.check()


def test_what_a_till_says_beyond_the_columns_is_kept(store: StoreLedger) -> None:
    hostile = 'back\\slash "quote" {brace} NULL \u2028'
    store.post(
        sale(
            1,
            loyalty={"card": hostile, "none": None},
            cashierId=hostile,
            note="a\x00b",
            discountAmount="1.50",
        )
    )
    ((cashier, details),) = store.rows(
        "SELECT cashier_id, details::text FROM pos_event WHERE store_no = %(store_no)s"
    )
    assert cashier == hostile
    assert '"discountAmount":1.50' in details
    assert '"note":"a\\u0000b"' in details
    store.check()


@pytest.mark.parametrize(
    "item", ['a"b', "a\\b", "{a,b}", "NULL", "null", " ", "日本", "'; DROP TABLE item; --", "%s", "a'b"]
)
def test_an_item_s_id_is_data_whatever_it_spells(store: StoreLedger, item: str) -> None:
    store.post(sale(1, item=item, saleId=item, cashierId=item, tenders=[{"type": item, "amount": 10}]))
    assert store.stock(item) == ("-1", "0")
    store.check()


def test_a_thousand_lines_are_one_posting(store: StoreLedger) -> None:
    answer = store.post(*[sale(1, "1.00", item=f"item-{number % 50}") for number in range(1000)])
    assert answer.accepted == 1000
    assert store.count("SELECT count(*) FROM pos_event WHERE store_no = %(store_no)s") == 1000
    store.check()


def test_an_item_id_beside_a_foreign_barcode_counts_and_is_found(new_store: NewStore) -> None:
    store = new_store()
    store.open_with({ITEM: ("10", "4.00"), "item-002": ("10", "1.00")})
    add_barcode(store.database, "9990000000017", "item-002")
    answer = store.post(sale(1, barcode="9990000000017"), sale(1, item="item-002", barcode="9990000000017"))
    assert answer.findings == [{"code": "BARCODE_CONFLICT", "subject": "9990000000017"}]
    assert (store.stock()[0], store.stock("item-002")[0]) == ("9", "9")
    assert store.post(sale(1, barcode="unheard of")).findings == []
    store.check()
