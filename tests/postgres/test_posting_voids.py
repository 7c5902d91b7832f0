"""Voids: the exact reverse of what they name, whenever the two meet, and never twice."""

import pytest

from tests.postgres.conftest import NewStore
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, basket, cash, receipt, returned, sale, tender, void

TWO_LINES = basket(
    "S-1",
    sale(2, "50.00", taxAmount="7.98", tenders=[cash("30.01"), tender("CARD", "29.99")]),
    sale(1, "10.00", item="item-002"),
)


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with stock of two items."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00"), "item-002": ("3", "3.333333")})
    return ledger


@pytest.fixture
def opened(store: StoreLedger) -> tuple[object, ...]:
    """How the store stood before anything was sold."""
    return _state(store)


def _state(store: StoreLedger) -> tuple[object, ...]:
    tenders = store.rows(
        """SELECT account, tender, sum(debit - credit) FROM journal_line WHERE store_no = %(store_no)s
           GROUP BY 1, 2 HAVING sum(debit) <> sum(credit) ORDER BY 1, 2"""
    )
    return store.stock(), store.stock("item-002"), tuple(tenders)


def _pending(store: StoreLedger) -> int:
    return store.count("SELECT count(*) FROM void_claim WHERE store_no = %(store_no)s AND pending")


def test_a_void_of_a_whole_sale_leaves_nothing_of_it(store: StoreLedger, opened: tuple[object, ...]) -> None:
    store.post(*TWO_LINES)
    answer = store.post(void({"saleId": "S-1"}))
    assert (answer.accepted, answer.findings) == (1, [])
    assert _state(store) == opened
    assert _pending(store) == 0
    store.check()


@pytest.mark.parametrize("named", ["S-1/1", {"eventId": "S-1/1"}, {"saleId": "S-1", "lineNumber": 1}])
def test_a_void_of_one_line_leaves_the_other(store: StoreLedger, named: object) -> None:
    store.post(*TWO_LINES)
    store.post(void(named))
    assert store.stock() == ("10", "40")
    assert store.stock("item-002")[0] == "2"
    assert store.balances()["4000"] == "-10"
    store.check()


def test_a_void_of_a_line_takes_back_that_line_s_share_of_each_tender(store: StoreLedger) -> None:
    store.post(*TWO_LINES)
    store.post(void("S-1/1"))
    left = store.rows(
        """SELECT tender, sum(debit - credit)::text FROM journal_line
           WHERE store_no = %(store_no)s AND account = '1000' GROUP BY tender ORDER BY tender"""
    )
    assert left == [("CARD", "5.00"), ("CASH", "5.00")]
    store.check()


def test_lines_voided_one_by_one_leave_nothing(store: StoreLedger, opened: tuple[object, ...]) -> None:
    store.post(*TWO_LINES)
    store.post(void("S-1/2"))
    store.post(receipt(5, "9.00", item="item-003"), void("S-1/1"))
    assert _state(store)[:2] == opened[:2]
    store.check()


@pytest.mark.parametrize("again", ["S-1/1", {"saleId": "S-1", "lineNumber": 1}])
def test_a_second_void_has_no_effect(store: StoreLedger, again: object) -> None:
    store.post(*TWO_LINES)
    store.post(void("S-1/1"))
    before = _state(store)
    answer = store.post(void(again))
    assert [found["code"] for found in answer.findings] == ["VOID_REPEATED"]
    assert _state(store) == before
    store.check()


def test_a_void_of_a_sale_takes_back_what_no_earlier_void_took(
    store: StoreLedger, opened: tuple[object, ...]
) -> None:
    store.post(*TWO_LINES)
    store.post(void("S-1/1"))
    assert store.post(void({"saleId": "S-1"})).findings == []
    assert _state(store) == opened
    answer = store.post(void({"saleId": "S-1"}))
    assert answer.findings == [{"code": "VOID_REPEATED", "subject": "S-1"}]
    store.check()


@pytest.mark.parametrize("named", ["S-1/1", {"saleId": "S-1"}, {"saleId": "S-1", "lineNumber": 1}])
def test_a_void_before_its_sale_takes_effect_when_the_sale_arrives(
    store: StoreLedger, opened: tuple[object, ...], named: object
) -> None:
    answer = store.post(void(named, eventId="V-1"))
    assert (answer.accepted, answer.findings) == (1, [])
    assert _pending(store) == 1
    store.post(*basket("S-1", sale(2, "50.00", tenders=[cash(50)])))
    assert _state(store) == opened
    assert _pending(store) == 0
    answer = store.post(void(named, eventId="V-2"))
    assert [found["code"] for found in answer.findings] == ["VOID_REPEATED"]
    store.check()


def test_a_void_of_a_whole_sale_takes_a_later_line_of_it_too(
    store: StoreLedger, opened: tuple[object, ...]
) -> None:
    store.post(TWO_LINES[0])
    store.post(void({"saleId": "S-1"}))
    store.post({**TWO_LINES[1], "tenders": [cash(10)]})
    assert store.stock("item-002") == ("3", "10")
    assert _state(store)[:2] == opened[:2]
    store.check()


def test_a_void_of_one_line_does_not_take_another_that_comes_later(store: StoreLedger) -> None:
    store.post(void({"saleId": "S-1", "lineNumber": 1}))
    store.post(TWO_LINES[1])
    assert store.stock("item-002")[0] == "2"
    assert _pending(store) == 1
    store.check()


@pytest.mark.parametrize("order", ["abv", "avb", "vab", "bva"])
def test_a_void_takes_every_line_of_the_number_that_it_names_whenever_each_comes(
    store: StoreLedger, opened: tuple[object, ...], order: str
) -> None:
    line: Event = {"saleId": "S-1", "lineNumber": 1}
    events = {
        "a": sale(2, eventId="a", **line),
        "b": sale(3, eventId="b", **line),
        "v": void(line, eventId="v"),
    }
    for name in order:
        store.post(events[name])
    assert _state(store)[:2] == opened[:2]
    store.check()


def test_sale_and_void_in_one_batch_leave_nothing(store: StoreLedger, opened: tuple[object, ...]) -> None:
    store.post(*TWO_LINES, void({"saleId": "S-1"}))
    assert _state(store) == opened
    store.check()


def test_void_and_sale_in_one_batch_leave_nothing_either(
    store: StoreLedger, opened: tuple[object, ...]
) -> None:
    store.post(void({"saleId": "S-1"}), *TWO_LINES)
    assert _state(store) == opened
    assert _pending(store) == 0
    store.check()


def test_a_line_voided_within_its_own_group_leaves_nothing(store: StoreLedger) -> None:
    lines = basket("S-1", sale(2, "20.00"), sale(1, "5.00", item="item-002"), void("S-1/1"))
    store.post(*lines)
    assert store.stock() == ("10", "40")
    assert store.balances()["4000"] == "-5"
    assert store.count("SELECT count(*) FROM journal WHERE store_no = %(store_no)s AND kind = 'POS'") == 1
    store.check()


def test_a_return_is_taken_back_exactly(store: StoreLedger) -> None:
    store.post(*basket("S-1", sale(3, "30.00")))
    before = _state(store)
    store.post(returned(2, "20.00", originalSaleId="S-1", eventId="R-1", tenders=[cash(-20)]))
    store.post(void("R-1"))
    assert _state(store)[:2] == before[:2]
    assert store.balances()["4000"] == "-30"
    store.check()


def test_a_return_of_damaged_goods_is_taken_back_exactly(store: StoreLedger) -> None:
    store.post(*basket("S-1", sale(3, "30.00")))
    before = _state(store)
    store.post(returned(1, originalSaleId="S-1", disposition="DAMAGED", eventId="R-1"))
    store.post(void("R-1"))
    assert _state(store) == before
    store.check()


def test_a_receipt_is_taken_back_exactly(store: StoreLedger, opened: tuple[object, ...]) -> None:
    store.post(receipt(5, "9.99", eventId="G-1"))
    store.post(void("G-1"))
    assert _state(store) == opened
    store.check()


def test_a_receipt_taken_back_after_its_goods_were_sold_leaves_balanced_books(store: StoreLedger) -> None:
    store.post(receipt(10, "1.00", eventId="G-1"))
    store.post(sale(15))
    store.post(void("G-1"))
    assert store.stock()[0] == "-5"
    assert "2100" not in store.balances()
    store.check()
    store.post(receipt(5, "4.00"))
    assert store.stock() == ("0", "0")
    store.check()


def test_a_void_of_a_sale_below_zero_brings_the_stock_back(
    store: StoreLedger, opened: tuple[object, ...]
) -> None:
    store.post(*basket("S-1", sale(15, "150.00", tenders=[cash(150)])))
    assert store.findings() == {("NEGATIVE_STOCK", ITEM): 1}
    store.post(void({"saleId": "S-1"}))
    assert _state(store) == opened
    assert store.findings() == {}
    store.check()


def test_a_sale_in_another_currency_is_taken_back_in_it(
    store: StoreLedger, opened: tuple[object, ...]
) -> None:
    store.post(*basket("S-1", sale(1, "9.00", currency="EUR")))
    store.post(void({"saleId": "S-1"}))
    assert store.balances("EUR") == {}
    assert _state(store) == opened
    store.check()


def test_a_sale_whose_tenders_did_not_fit_is_taken_back_with_its_difference(
    store: StoreLedger, opened: tuple[object, ...]
) -> None:
    store.post(*basket("S-1", sale(1, "9.00", tenders=[cash("8.50")])))
    assert store.balances()["1090"] == "0.5"
    store.post(void({"saleId": "S-1"}))
    assert _state(store) == opened
    store.check()


def test_a_void_cannot_be_voided(store: StoreLedger, opened: tuple[object, ...]) -> None:
    store.post(*TWO_LINES)
    store.post(void({"saleId": "S-1"}, eventId="V-1"))
    store.post(void("V-1"))
    assert _state(store) == opened
    store.check()


def test_a_sale_that_says_it_is_damaged_goes_out_and_comes_back_like_any_other(
    store: StoreLedger, opened: tuple[object, ...]
) -> None:
    store.post(*basket("S-1", sale(2, "20.00", disposition="DAMAGED", tenders=[cash(20)])))
    assert store.stock() == ("8", "32")
    store.post(void({"saleId": "S-1"}))
    assert _state(store) == opened
    store.check()


def test_each_line_taken_back_is_told_by_itself(store: StoreLedger) -> None:
    store.post(*TWO_LINES)
    store.post(void({"saleId": "S-1"}))
    kinds = store.rows(
        "SELECT kind, count(*) FROM outbox WHERE store_no = %(store_no)s GROUP BY kind ORDER BY kind"
    )
    assert kinds == [(1, 2), (3, 2), (4, 3)]
    store.check()
