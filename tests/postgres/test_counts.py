"""Counting at store close, as an accountant reads it: what the books had, what lay there, what is posted.

Every figure here was worked out by hand before it was written down.
"""

from decimal import Decimal

import pytest

from sync_server.errors import Conflict, Invalid
from tests.agent_stream import AgentStream
from tests.builders import build_agent
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_counts import StoreCounts, at, hour
from tests.store_ledger import StoreLedger
from tests.till_events import cash, receipt, sale, void


@pytest.fixture
def counts(new_store: NewStore) -> StoreCounts:
    """A store that received ten apples at 4.00 and ten pears at 5.00 in the morning: 90.00 on the shelf."""
    store = new_store()
    store.post(receipt(10, "4.00", "apple", occurredAt=at(6)), receipt(10, "5.00", "pear", occurredAt=at(6)))
    return StoreCounts(store)


def _reasons(store: StoreLedger) -> list[tuple[str, str, str, str]]:
    """Movements with a reason: item, quantity, value, reason."""
    return [
        tuple(row)
        for row in store.rows(
            """SELECT item_id, trim_scale(quantity)::text, trim_scale(value)::text, reason_code
               FROM stock_movement JOIN item USING (item_no)
               WHERE store_no = %(store_no)s AND reason_code IS NOT NULL ORDER BY store_sequence"""
        )
    ]


def _told(store: StoreLedger) -> list[tuple[str, str, str]]:
    """What was announced of reconciliations: date, variance amount, reason."""
    return [
        tuple(row)
        for row in store.rows(
            """SELECT payload ->> 'date', payload ->> 'varianceAmount', payload ->> 'reason' FROM announcement
               WHERE store_no = %(store_no)s AND kind = 5 ORDER BY store_sequence"""
        )
    ]


def test_a_count_posts_what_differs_from_the_books_at_its_instant(counts: StoreCounts) -> None:
    """Given 3 of 10 apples sold by noon, and 2 after it; when 6 are counted at noon; then one is lost at 4.00."""
    store = counts.store
    store.post(sale(3, "30.00", "apple", occurredAt=at(9)))
    store.post(sale(2, "20.00", "apple", occurredAt=at(13)))
    document = counts.count({"apple": "6", "pear": "10"})
    assert counts.variance(document) == {"apple": ("7", "-1", "-1"), "pear": ("10", "0", "0")}
    assert counts.show(document).variance_amount == Decimal("-4.00")
    assert store.stock("apple") == ("5", "20"), "nothing is posted before it is approved"
    counts.settle(document)
    assert store.stock("apple") == ("4", "16"), "6 at noon, 2 sold since"
    assert _reasons(store) == [("apple", "-1", "-4", "SHRINKAGE")]
    assert _told(store) == [("2026-02-10", "-4.00", "SHRINKAGE")]
    assert store.balances() == {
        "1000": "50", "4000": "-50",  # five apples at 10.00
        "2100": "-90", "1400": "66",  # 16 of apples, 50 of pears
        "5000": "20", "6550": "4",  # five apples sold, one lost
    }  # fmt: skip
    store.check()


def test_what_was_found_is_a_gain_and_each_reason_is_told(counts: StoreCounts) -> None:
    """Given 10 pears; when 12 lie there; then two are found, 10.00 on 6560."""
    store = counts.store
    counts.settle(counts.count({"pear": "12"}, reason="FOUND"))
    assert store.stock("pear") == ("12", "60")
    assert store.balances() == {"2100": "-90", "1400": "100", "6560": "-10"}
    assert _told(store) == [("2026-02-10", "10.00", "FOUND")]
    store.check()


def test_a_late_sale_is_taken_in_while_the_count_is_open(counts: StoreCounts) -> None:
    """Given a count of 6 against 10, open; when 3 sales of the morning come in; then only one is missing."""
    document = counts.count({"apple": "6"})
    assert counts.variance(document)["apple"] == ("10", "-4", "-4")
    seen = counts.show(document).content_hash
    counts.store.post(sale(3, "30.00", "apple", occurredAt=at(9)))
    assert counts.variance(document)["apple"] == ("7", "-1", "-1")
    with pytest.raises(Conflict, match="not the one that was seen"):
        counts.approve(document, seen=seen)
    counts.settle(document)
    assert counts.store.stock("apple") == ("6", "24")
    assert counts.store.balances()["6550"] == "4"
    counts.store.check()


def test_a_late_sale_after_posting_is_taken_out_of_the_variance(counts: StoreCounts) -> None:
    """Given 6 counted against 10 and posted: 16.00 lost; when 3 sales of the morning come in; then 4.00 were lost."""
    store = counts.store
    document = counts.count({"apple": "6"})
    counts.settle(document)
    assert store.balances()["6550"] == "16"
    store.post(sale(3, "30.00", "apple", occurredAt=at(9), eventId="late"))
    assert store.stock("apple") == ("6", "24"), "on hand stays as it was counted"
    assert store.balances() == {
        "1000": "30", "4000": "-30", "5000": "12",  # the sale, with its revenue and its cost
        "2100": "-90", "1400": "74", "6550": "4",  # and one apple lost
    }  # fmt: skip
    assert counts.variance(document)["apple"] == ("10", "-4", "-1")
    assert _reasons(store) == [("apple", "-4", "-16", "SHRINKAGE"), ("apple", "3", "12", "LATE_EVENT")]
    (line,) = counts.show(document).lines
    assert [(each.event_id, each.acknowledged) for each in line.late_events] == [("late", False)]
    assert store.findings()["COUNT_CORRECTED", document] == 1
    store.check()


def test_a_void_of_a_late_sale_takes_the_correction_back(counts: StoreCounts) -> None:
    """Given that; when the late sale is voided; then all four apples were lost."""
    store = counts.store
    document = counts.count({"apple": "6"})
    counts.settle(document)
    store.post(sale(3, "30.00", "apple", occurredAt=at(9), eventId=f"late {store.store_id}"))
    store.post(void({"eventId": f"late {store.store_id}"}, occurredAt=at(15)))
    assert store.stock("apple") == ("6", "24")
    assert store.balances() == {"2100": "-90", "1400": "74", "6550": "16"}
    assert counts.variance(document)["apple"] == ("10", "-4", "-4")
    store.check()


def test_a_late_event_that_turns_a_loss_into_a_gain_moves_both_accounts(counts: StoreCounts) -> None:
    """Given 9 counted against 10, 4.00 lost; when 3 late sales come in; then 2 were found: 6550 at 0, 6560 at 8.00."""
    store = counts.store
    counts.settle(counts.count({"apple": "9"}))
    store.post(sale(3, "30.00", "apple", occurredAt=at(9)))
    assert store.stock("apple") == ("9", "36")
    assert store.balances() == {
        "1000": "30", "4000": "-30", "5000": "12", "2100": "-90", "1400": "86", "6560": "-8",
    }  # fmt: skip
    store.check()


def test_an_event_between_approval_and_posting_is_late_as_well(counts: StoreCounts) -> None:
    """Given an approved loss of four; when 3 sales come in before it is posted; then one was lost in the end."""
    store = counts.store
    document = counts.count({"apple": "6"})
    counts.approve(document)
    store.post(sale(3, "30.00", "apple", occurredAt=at(9)))
    assert store.stock("apple") == ("10", "40"), "7 are left, and the count has 3 less to post"
    counts.post(document)
    assert store.stock("apple") == ("6", "24")
    assert store.balances()["6550"] == "4"
    store.check()


def test_the_earliest_count_after_a_late_event_is_corrected_and_no_other(counts: StoreCounts) -> None:
    """Given counts at 12 and 18; when a sale of 9 o'clock comes in; then it is taken out of the first."""
    store = counts.store
    noon = counts.count({"apple": "6"})
    counts.settle(noon)
    evening = counts.count({"apple": "5"}, when=hour(18))
    counts.settle(evening)
    store.post(sale(3, "30.00", "apple", occurredAt=at(9)))
    assert counts.variance(noon)["apple"] == ("10", "-4", "-1")
    assert counts.variance(evening)["apple"] == ("6", "-1", "-1")
    store.post(sale(1, "10.00", "apple", occurredAt=at(15)))
    assert counts.variance(evening)["apple"] == ("6", "-1", "0")
    assert store.stock("apple") == ("5", "20")
    assert store.balances()["6550"] == "4"
    store.check()


def test_an_earlier_count_that_is_posted_later_is_taken_out_of_the_later_one(counts: StoreCounts) -> None:
    """Given 5 counted at 18, posted; when 7 counted at 12 are posted; then 3 were lost before noon and 2 after."""
    store = counts.store
    evening = counts.count({"apple": "5"}, when=hour(18))
    noon = counts.count({"apple": "7"})
    counts.settle(evening)
    counts.settle(noon)
    assert store.stock("apple") == ("5", "20")
    assert counts.variance(noon)["apple"] == ("10", "-3", "-3")
    assert counts.variance(evening)["apple"] == ("10", "-5", "-2")
    assert store.balances()["6550"] == "20"
    store.check()


def test_two_approvals_of_one_item_do_not_stand_beside_each_other_unposted(counts: StoreCounts) -> None:
    first, second = counts.count({"apple": "6"}), counts.count({"apple": "5"}, when=hour(18))
    counts.approve(first)
    with pytest.raises(Conflict, match="post it first"):
        counts.approve(second)
    counts.post(first)
    counts.settle(second)
    assert counts.store.stock("apple") == ("5", "20")
    counts.store.check()


def test_a_drawer_that_is_short_goes_to_cash_over_and_short(counts: StoreCounts) -> None:
    """Given 30.00 of cash in the books; when 28.50 lie there; then 1.50 on 6570, and nothing is left on the tender."""
    store = counts.store
    store.post(sale(3, "30.00", "apple", tenders=[cash("30.00")], occurredAt=at(9)))
    document = counts.count({}, tenders={"CASH": "28.50"})
    (tender,) = counts.show(document).tenders
    assert (tender.expected, tender.variance) == (Decimal("30.00"), Decimal("-1.50"))
    counts.settle(document)
    assert {"1000": store.balances()["1000"], "6570": store.balances()["6570"]} == {
        "1000": "28.5",
        "6570": "1.5",
    }
    (again,) = counts.show(counts.count({}, tenders={"CASH": "28.50"})).tenders
    assert again.variance == 0
    store.check()


def test_an_amount_of_money_stands_on_1405_until_items_are_counted(counts: StoreCounts) -> None:
    """Given 25.00 missing, nobody knows of what; when 6 of 10 apples lie there; then 16.00 of apples are lost."""
    store = counts.store
    money = counts.money("-25.00")
    counts.settle(money)
    assert store.balances() == {"2100": "-90", "1400": "90", "6550": "25", "1405": "-25"}
    document = counts.count({"apple": "6"})
    counts.settle(document)
    assert store.balances() == {"2100": "-90", "1400": "74", "6550": "16"}
    assert counts.show(money).cleared_by == document
    assert _told(store) == [("2026-02-10", "-25.00", "SHRINKAGE"), ("2026-02-10", "-16.00", "SHRINKAGE")]
    store.check()


def test_a_count_is_complete_only_when_its_agents_were_heard_of_with_nothing_left(
    counts: StoreCounts,
) -> None:
    store = counts.store
    document = counts.count({"apple": "10"})
    assert counts.show(document).complete
    build_agent(store.database, store.store_id)
    assert counts.show(document).missing == ["Agent till PC was not heard of since the count"]
    with pytest.raises(Invalid) as refused:
        counts.approve(document)
    assert refused.value.violations[0].field == "reason"
    counts.settle(document, reason="The line is down for the week")
    assert not counts.show(document).complete
    store.check()


def test_at_one_workstation_the_sequence_decides_and_between_two_the_clock(counts: StoreCounts) -> None:
    """A till's own order is certain; another till's sale within two minutes of the count is flagged."""
    store, stream = counts.store, AgentStream(f"stream of {counts.store.store_id}")
    store.post(
        *stream.group(sale(1, "10.00", "apple", workstationId="2", occurredAt=at(11, 59))), stream=stream
    )
    document = counts.count({"apple": "9"})
    (line,) = counts.show(document).lines
    assert (line.system, line.uncertain) == (Decimal(9), Decimal(1))
    store.check()


def test_nothing_of_a_rejected_count_is_ever_posted(counts: StoreCounts) -> None:
    from sync_server.reconciliation.decisions import reject

    document = counts.count({"apple": "6"})
    with counts.store.database.unit_of_work() as work:
        reject(work, document, reason="Count the back room too", by=counts.bob, now=START)
    with pytest.raises(Conflict):
        counts.approve(document)
    with pytest.raises(Conflict):
        counts.post(document)
    assert counts.store.stock("apple") == ("10", "40")
    counts.store.check()
