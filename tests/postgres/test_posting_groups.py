"""Groups: what was handed over together is posted or held as one, and has one journal."""

from datetime import timedelta
from typing import Any

import pytest

from sync_server.ingestion.whole_groups import release_whole_groups
from tests.agent_stream import AgentStream
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, basket, cash, receipt, sale, tender, void


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with stock of two items."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00"), "item-002": ("10", "2.00")})
    return ledger


def _journals(store: StoreLedger) -> int:
    return store.count("SELECT count(*) FROM journal WHERE store_no = %(store_no)s AND kind = 'POS'")


def test_an_agent_s_group_has_one_journal(store: StoreLedger) -> None:
    stream = AgentStream()
    store.post(
        *stream.group(sale(), sale(item="item-002"), receipt()), *stream.groups(sale(), sale()), stream=stream
    )
    assert _journals(store) == 3
    store.check()


def test_a_till_s_neighbours_of_one_sale_are_a_group(store: StoreLedger) -> None:
    store.post(*basket("S-1", sale(), sale(item="item-002")), *basket("S-2", sale()), sale(), sale())
    assert _journals(store) == 4
    store.check()


def test_a_till_s_neighbours_of_one_transaction_are_a_group(store: StoreLedger) -> None:
    till: Event = {"transactionNumber": 7, "workstationId": "till-1"}
    store.post(
        sale(**till), sale(**till), sale(**{**till, "workstationId": "till-2"}), sale(transactionNumber=7)
    )
    assert _journals(store) == 3
    store.check()


def test_a_later_line_of_a_sale_is_posted_by_itself(store: StoreLedger) -> None:
    first, second = basket("S-1", sale(), sale(item="item-002"))
    store.post(first)
    store.post(second)
    assert _journals(store) == 2
    assert store.post(first, second).duplicates == 2
    store.check()


def test_a_group_whose_lines_come_apart_is_posted_as_one_when_all_are_there(store: StoreLedger) -> None:
    stream = AgentStream()
    group = stream.group(sale(1, "5.00"), sale(1, "6.00"), sale(1, "7.00"))
    store.post({**group[1]}, stream=stream)
    assert _release_whole(store) == 0
    answer = store.post(*group, stream=stream)
    assert (answer.accepted, answer.duplicates, answer.held) == (0, 1, 2)
    assert answer.acknowledged_sequence == 3
    assert store.findings() == {("GROUP_INCOMPLETE", f"{stream.stream_id}-2"): 1,
                                ("GROUP_INCOMPLETE", f"{stream.stream_id}-1"): 1}  # fmt: skip
    assert (_release_whole(store), _release_whole(store)) == (1, 0)
    assert (store.balances()["4000"], _journals(store)) == ("-18", 1)
    assert store.findings() == {}
    store.check()


def _release_whole(store: StoreLedger) -> int:
    with store.database.unit_of_work() as work:
        return release_whole_groups(work, store.store_no, START)


def test_lines_of_one_group_on_either_side_of_midnight_share_an_accounting_date(store: StoreLedger) -> None:
    till: Event = {"transactionNumber": 7, "workstationId": "till-1"}
    store.post(
        sale(occurredAt="2026-02-10T23:59:59Z", **till), sale(occurredAt="2026-02-11T00:00:01Z", **till)
    )
    dates = store.rows(
        """SELECT DISTINCT accounting_date::text FROM stock_movement
           WHERE store_no = %(store_no)s AND event_sequence IS NOT NULL"""
    )
    assert dates == [("2026-02-10",)]
    store.check()


def test_a_group_in_two_currencies_has_a_journal_in_each(store: StoreLedger) -> None:
    store.post(
        *basket("S-1", sale(1, "5.00"), sale(1, "6.00", currency="EUR"), sale(1, "7.00", currency="CHF"))
    )
    assert store.balances("EUR") == {"1000": "6", "4000": "-6"}
    assert store.balances("CHF") == {"1000": "7", "4000": "-7"}
    assert store.balances()["4000"] == "-5"
    store.check()


def test_tenders_are_shared_among_the_lines_of_their_group(store: StoreLedger) -> None:
    lines = basket(
        "S-1", sale(1, "10.00"), sale(1, "20.00", tenders=[cash("10.00"), tender("CARD", "20.00")])
    )
    assert store.post(*lines).findings == []
    shares = store.rows(
        "SELECT tenders::text FROM pos_event WHERE store_no = %(store_no)s ORDER BY store_sequence"
    )
    assert shares == [('[["CASH","3.33"],["CARD","6.67"]]',), ('[["CASH","6.67"],["CARD","13.33"]]',)]
    booked = store.rows(
        """SELECT tender, sum(debit - credit)::text FROM journal_line
           WHERE store_no = %(store_no)s AND account = '1000' GROUP BY tender ORDER BY tender"""
    )
    assert booked == [("CARD", "20.00"), ("CASH", "10.00")]
    store.check()


def test_change_given_back_is_part_of_its_tender(store: StoreLedger) -> None:
    assert (
        store.post(*basket("S-1", sale(1, "10.00", tenders=[cash("50.00"), cash("-40.00")]))).findings == []
    )
    assert store.balances()["1000"] == "10"
    store.check()


@pytest.mark.parametrize("named", [{"saleId": "S-1", "lineNumber": 2}, "S-1/2"])
def test_nobody_paid_for_a_line_that_is_voided_in_its_own_group(store: StoreLedger, named: Any) -> None:
    group = basket(
        "S-1", sale(1, "10.00"), sale(1, "20.00"), void(named), sale(1, "5.00", tenders=[cash("15.00")])
    )
    assert store.post(*group).findings == []
    assert store.balances()["1000"] == "15"
    assert store.stock()[0] == "8"
    store.check()


@pytest.mark.parametrize(("paid", "difference"), [("49.50", "0.5"), ("51.00", "-1")])
def test_tenders_that_do_not_fit_are_posted_with_the_difference(
    store: StoreLedger, paid: str, difference: str
) -> None:
    answer = store.post(*basket("S-1", sale(2, "30.00", tenders=[cash(paid)]), sale(1, "20.00")))
    assert answer.findings == [{"code": "TENDER_MISMATCH", "subject": "S-1"}]
    balances = store.balances()
    assert (balances["1090"], balances["4000"]) == (difference, "-50")
    store.check()


def test_a_tender_is_a_tender_whatever_a_till_calls_it(store: StoreLedger) -> None:
    paid = [tender("#DIFFERENCE", "4.00"), tender("DIFFERENCE", "3.00"), tender("None", "3.00")]
    store.post(*basket("S-1", sale(1, "10.00", tenders=paid)))
    assert store.balances()["1000"] == "10"
    store.post(void("S-1/1"))
    assert "1000" not in store.balances()
    store.check()


def test_a_group_with_one_line_that_may_not_be_posted_is_held_as_one(store: StoreLedger) -> None:
    stream = AgentStream()
    store.post(*stream.groups(sale(eventId="e-0")), stream=stream)
    stream_group = stream.group(sale(eventId="e-1"), sale(2, eventId="e-0"))
    answer = store.post(*stream_group, *stream.groups(sale(eventId="e-2")), stream=stream)
    assert (answer.accepted, answer.held) == (1, 2)
    assert store.held() == [("e-1", "EVENT_ID_REUSED"), ("e-0", "EVENT_ID_REUSED")]
    assert answer.acknowledged_sequence == 4
    assert store.stock() == ("8", "32")
    store.check()


def test_numbers_are_given_in_the_order_of_posting_without_a_gap(store: StoreLedger) -> None:
    store.post(sale(), *basket("S-1", sale(), sale()), now=START + timedelta(minutes=1))
    kinds = store.rows(
        """SELECT store_sequence, 'event' FROM pos_event WHERE store_no = %(store_no)s
           UNION ALL SELECT store_sequence, 'journal' FROM journal WHERE store_no = %(store_no)s ORDER BY 1"""
    )
    assert [kind for _, kind in kinds] == ["journal", "event", "journal", "event", "event", "journal"]
    assert [number for number, _ in kinds] == [3, 4, 5, 6, 7, 8]
    store.check()
