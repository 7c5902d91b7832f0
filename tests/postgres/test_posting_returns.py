"""Returns: what came back, what it is worth, and which sale it came from."""

import pytest

from tests.postgres.conftest import NewStore
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, basket, receipt, returned, sale, void


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store that sold three of ten pieces at 4.00, and has received dearer ones since."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00")})
    ledger.post(*basket("S-1", sale(3, "30.00")))
    ledger.post(receipt(7, "6.00"))
    assert ledger.stock() == ("14", "70")
    return ledger


def test_a_return_of_a_known_sale_comes_back_at_that_sale_s_cost(store: StoreLedger) -> None:
    answer = store.post(returned(1, "10.00", originalSaleId="S-1"))
    assert answer.findings == []
    assert store.stock() == ("15", "74")
    balances = store.balances()
    assert (balances["1000"], balances["4000"], balances["5000"]) == ("20", "-20", "8")
    store.check()


def test_a_return_without_a_known_sale_comes_back_at_the_current_average(store: StoreLedger) -> None:
    answer = store.post(returned(2, "20.00"))
    assert [found["code"] for found in answer.findings] == ["RETURN_WITHOUT_SALE"]
    assert store.stock() == ("16", "80")
    store.check()


@pytest.mark.parametrize(
    "named", [{"originalSaleId": "S-404"}, {"originalSaleId": "S-1", "item": "item-002"}]
)
def test_a_return_of_a_sale_or_item_that_was_not_sold_is_posted_and_found(
    store: StoreLedger, named: dict[str, str]
) -> None:
    answer = store.post(returned(1, **named))
    assert {"code": "RETURN_WITHOUT_SALE", "subject": named["originalSaleId"]} in answer.findings
    store.check()


def test_more_returned_than_sold_is_posted_and_found(store: StoreLedger) -> None:
    assert store.post(returned(2, originalSaleId="S-1")).findings == []
    answer = store.post(returned(2, originalSaleId="S-1"))
    assert answer.findings == [{"code": "RETURN_EXCEEDS_SALE", "subject": "S-1"}]
    assert store.stock()[0] == "18"
    assert store.count("SELECT sum(quantity) FROM sale_return WHERE store_no = %(store_no)s") == 3
    store.check()


def test_damaged_goods_do_not_come_back_to_the_shelf(store: StoreLedger) -> None:
    store.post(returned(1, "10.00", originalSaleId="S-1", disposition="DAMAGED"))
    assert store.stock() == ("14", "70")
    balances = store.balances()
    assert (balances["6550"], balances["5000"], balances["1400"]) == ("4", "8", "70")
    store.check()


def test_a_return_may_name_a_sale_of_the_same_batch(store: StoreLedger) -> None:
    answer = store.post(*basket("S-2", sale(1)), returned(1, originalSaleId="S-2"))
    assert answer.findings == []
    assert store.stock() == ("14", "70")
    store.check()


def test_a_return_of_two_lines_of_one_item_takes_each_line_s_own_cost(store: StoreLedger) -> None:
    store.post(*basket("S-2", sale(1)), batch_id="first line")
    store.post(receipt(13, "9.00"))
    second = [{**line, "eventId": "S-2/b", "lineNumber": 2} for line in basket("S-2", sale(1))]
    store.post(*second)
    before = store.stock()
    assert before == ("25", "175")
    assert store.post(returned(2, originalSaleId="S-2")).findings == []
    assert store.stock() == ("27", "187")
    store.check()


def test_what_was_voided_is_no_longer_there_to_come_back(store: StoreLedger) -> None:
    store.post(void({"saleId": "S-1"}))
    answer = store.post(returned(1, originalSaleId="S-1"))
    assert [found["code"] for found in answer.findings] == ["RETURN_WITHOUT_SALE"]
    store.check()


@pytest.mark.parametrize("cut", [False, True])
def test_a_return_that_was_voided_may_be_made_again(store: StoreLedger, *, cut: bool) -> None:
    events = [
        returned(3, originalSaleId="S-1", eventId="R-1"),
        void("R-1", eventId="V-1"),
        returned(3, originalSaleId="S-1", eventId="R-2"),
    ]
    for batch in [[event] for event in events] if cut else [events]:
        answer = store.post(*batch)
        assert answer.findings == []
    assert store.stock()[0] == "17"
    store.check()


def test_an_unknown_field_of_any_content_does_not_stand_in_a_return_s_way(store: StoreLedger) -> None:
    store.post(*basket("S-2", sale(1, note="a\x00b")))
    assert store.post(returned(1, originalSaleId="S-2")).findings == []
    store.post(void({"saleId": "S-2"}))
    store.check()


def test_a_return_in_three_parts_gives_back_all_of_the_cost(new_store: NewStore) -> None:
    ledger = new_store()
    ledger.open_with({ITEM: ("3", "3.3333333")})
    assert ledger.stock() == ("3", "10")
    ledger.post(*basket("S-1", sale(3)))
    for _ in range(3):
        ledger.post(returned(1, "3.00", originalSaleId="S-1"))
    assert ledger.stock() == ("3", "10")
    assert "5000" not in ledger.balances()
    ledger.check()
