"""What tills count and adjust: lines of documents that others approve, made by the cashier who stood there."""

from decimal import Decimal

import pytest

from sync_server.errors import Forbidden
from sync_server.people.roles import Role
from sync_server.people.users import give_cashier
from sync_server.stores.registry import set_adjustment_limit
from tests.agent_stream import AgentStream
from tests.builders import OPERATOR
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_counts import StoreCounts, at, person
from tests.store_ledger import StoreLedger
from tests.till_events import adjusted, counted, receipt, sale, void


@pytest.fixture
def counts(new_store: NewStore) -> StoreCounts:
    """A store that received ten apples at 4.00 and ten pears at 5.00 in the morning."""
    store = new_store()
    store.post(receipt(10, "4.00", "apple", occurredAt=at(6)), receipt(10, "5.00", "pear", occurredAt=at(6)))
    return StoreCounts(store)


def _documents(store: StoreLedger) -> list[tuple[str, str, str]]:
    """Id, kind and status in the order of making."""
    return [
        tuple(row)
        for row in store.rows(
            """SELECT reconciliation_id, kind, status FROM reconciliation WHERE store_no = %(store_no)s
               ORDER BY reconciliation_id"""
        )
    ]


def _document(store: StoreLedger, kind: str = "COUNT") -> str:
    ((document, found, _),) = _documents(store)
    assert found == kind
    return document


def _limit(store: StoreLedger, limit: str | None) -> None:
    amount = None if limit is None else Decimal(limit)
    with store.database.unit_of_work() as work:
        set_adjustment_limit(work, store.store_id, amount, by=OPERATOR, now=START)


def test_a_tills_count_moves_nothing_until_it_is_posted(counts: StoreCounts) -> None:
    """Given 10 apples and 10 pears; when a till counts 9 and 11; then nothing moves before bob has approved."""
    store = counts.store
    receipt_ = store.post(
        counted(9, "apple", cashierId="7", occurredAt=at(12)),
        counted(11, "pear", cashierId="7", occurredAt=at(12, 5)),
    )
    assert (receipt_.accepted, receipt_.held) == (2, 0)
    assert store.stock("apple") == ("10", "40")
    document = _document(store)
    assert counts.variance(document) == {"apple": ("10", "-1", "-1"), "pear": ("10", "1", "1")}
    assert counts.show(document).makers == ["cashier:7"]
    counts.settle(document)
    assert (store.stock("apple"), store.stock("pear")) == (("9", "36"), ("11", "55"))
    assert store.balances() == {"2100": "-90", "1400": "91", "6550": "4", "6560": "-5"}
    store.check()


def test_the_cashier_of_a_count_does_not_approve_it(counts: StoreCounts) -> None:
    store = counts.store
    carl = person(store, f"carl {store.store_id}", Role.APPROVER)
    with store.database.unit_of_work() as work:
        give_cashier(work, carl.name, (store.store_no, store.store_id), "7", by=OPERATOR, now=START)
    store.post(counted(9, "apple", cashierId="7"))
    with pytest.raises(Forbidden):
        counts.approve(_document(store), by=carl)
    counts.settle(_document(store))
    store.check()


def test_counts_of_one_workstation_and_day_are_one_document_and_an_item_counted_anew_replaces_it(
    counts: StoreCounts,
) -> None:
    store = counts.store
    store.post(counted(9, "apple", workstationId="1", occurredAt=at(12)))
    store.post(counted(8, "apple", workstationId="1", occurredAt=at(12, 30)))
    store.post(counted(9, "pear", workstationId="2", occurredAt=at(12)))
    variances = [counts.variance(document) for document, *_ in _documents(store)]
    assert sorted(variances, key=str) == [
        {"apple": ("10", "-2", "-2")},
        {"pear": ("10", "-1", "-1")},
    ]
    store.check()


def test_at_the_workstation_of_the_count_the_sequence_decides_whatever_the_clock_says(
    counts: StoreCounts,
) -> None:
    """Given a till whose clock was set back: sold 2, counted 7, sold 1; then 8 were in the books at the count."""
    store, stream = counts.store, AgentStream(f"stream {counts.store.store_id}")
    before = stream.group(sale(2, "20.00", "apple", workstationId="1", occurredAt=at(14)))
    count = stream.group(counted(7, "apple", workstationId="1", occurredAt=at(12)))
    after = stream.group(sale(1, "10.00", "apple", workstationId="1", occurredAt=at(11)))
    store.post(*before, *count, *after, stream=stream)
    document = _document(store)
    assert counts.variance(document)["apple"] == ("8", "-1", "-1")
    counts.settle(document)
    assert store.stock("apple") == ("6", "24"), "7 counted, 1 sold since"
    store.check()


def test_what_fills_a_gap_before_a_posted_count_is_late_whatever_the_clock_says(counts: StoreCounts) -> None:
    """Given sequence 1 missing and 9 counted at 2; when 1 turns out a sale, its clock ahead; then none is lost."""
    store, stream = counts.store, AgentStream(f"stream {counts.store.store_id}")
    missing = stream.group(sale(1, "10.00", "apple", workstationId="1", occurredAt=at(15)))
    store.post(*stream.group(counted(9, "apple", workstationId="1", occurredAt=at(12))), stream=stream)
    document = _document(store)
    assert not counts.show(document).complete
    counts.settle(document, reason="The PC is gone")
    store.post(*missing, stream=stream)
    assert counts.variance(document)["apple"] == ("10", "-1", "0")
    assert store.stock("apple") == ("9", "36")
    assert store.balances() == {"1000": "10", "4000": "-10", "5000": "4", "2100": "-90", "1400": "86"}
    store.check()


def test_a_void_of_a_count_takes_the_line_out_while_it_is_open(counts: StoreCounts) -> None:
    store = counts.store
    name = f"count {store.store_id}"
    store.post(counted(9, "apple", eventId=name), counted(9, "pear"))
    store.post(void({"eventId": name}))
    document = _document(store)
    assert list(counts.variance(document)) == ["pear"]
    counts.settle(document)
    assert store.stock("apple") == ("10", "40")
    store.check()


def test_a_void_before_its_count_takes_it_out_as_well(counts: StoreCounts) -> None:
    store = counts.store
    name = f"count {store.store_id}"
    store.post(void({"eventId": name}))
    store.post(counted(9, "apple", eventId=name))
    assert counts.variance(_document(store)) == {}
    store.check()


def test_a_count_that_was_approved_stands_though_the_till_takes_it_back(counts: StoreCounts) -> None:
    store = counts.store
    name = f"count {store.store_id}"
    store.post(counted(9, "apple", eventId=name))
    document = _document(store)
    counts.settle(document)
    store.post(void({"eventId": name}))
    assert store.stock("apple") == ("9", "36")
    assert store.findings()["COUNT_TAKEN_BACK", document] == 1
    store.check()


def test_an_adjustment_is_posted_at_once_against_its_reasons_account(counts: StoreCounts) -> None:
    """Given 10 apples; when 2 are broken and a pear is found; then Dr 6550 8.00, Cr 6560 5.00."""
    store = counts.store
    store.post(adjusted(-2, "apple", "DAMAGE"), adjusted(1, "pear", "FOUND"))
    assert (store.stock("apple"), store.stock("pear")) == (("8", "32"), ("11", "55"))
    assert store.balances() == {"2100": "-90", "1400": "87", "6550": "8", "6560": "-5"}
    assert store.rows(
        """SELECT type, reason_code FROM stock_movement WHERE store_no = %(store_no)s AND reason_code IS NOT NULL
           ORDER BY store_sequence"""
    ) == [("ADJUSTMENT", "DAMAGE"), ("ADJUSTMENT", "FOUND")]
    assert _documents(store) == []
    store.check()


def test_above_the_stores_limit_an_adjustment_waits_for_another_person(counts: StoreCounts) -> None:
    """Given a limit of 10.00; when 2 apples and 3 are written off; then 8.00 is posted and 12.00 waits."""
    store = counts.store
    _limit(store, "10.00")
    store.post(adjusted(-2, "apple", "THEFT"), adjusted(-3, "apple", "THEFT", cashierId="7"))
    assert store.stock("apple") == ("8", "32")
    document = _document(store, "ADJUSTMENT")
    assert counts.show(document).variance_amount == Decimal("-12.00")
    counts.approve(document)
    assert _documents(store) == [(document, "ADJUSTMENT", "POSTED")]
    assert store.stock("apple") == ("5", "20")
    assert store.balances() == {"2100": "-90", "1400": "70", "6550": "20"}
    store.check()


@pytest.mark.parametrize("limit", [None, "5.00"], ids=["posted at once", "approved"])
def test_a_void_of_an_adjustment_is_its_exact_reverse(counts: StoreCounts, limit: str | None) -> None:
    store = counts.store
    _limit(store, limit)
    name = f"adjusted {store.store_id}"
    store.post(adjusted(-2, "apple", "DAMAGE", eventId=name))
    if limit is not None:
        counts.approve(_document(store, "ADJUSTMENT"))
    assert store.stock("apple") == ("8", "32")
    store.post(void({"eventId": name}))
    assert store.stock("apple") == ("10", "40")
    assert store.balances() == {"2100": "-90", "1400": "90"}
    store.check()


def test_an_adjustment_and_its_void_in_one_batch_leave_nothing(counts: StoreCounts) -> None:
    store = counts.store
    name = f"adjusted {store.store_id}"
    store.post(adjusted(3, "apple", "FOUND", eventId=name), void({"eventId": name}))
    assert store.stock("apple") == ("10", "40")
    assert store.balances() == {"2100": "-90", "1400": "90"}
    store.check()


def test_a_void_of_a_waiting_adjustment_withdraws_it(counts: StoreCounts) -> None:
    store = counts.store
    _limit(store, "0")
    name = f"adjusted {store.store_id}"
    store.post(adjusted(-2, "apple", "DAMAGE", eventId=name))
    store.post(void({"eventId": name}))
    ((_, kind, status),) = _documents(store)
    assert (kind, status) == ("ADJUSTMENT", "REJECTED")
    assert store.stock("apple") == ("10", "40")
    store.check()


def test_a_late_adjustment_gives_a_posted_loss_its_cause(counts: StoreCounts) -> None:
    """Given 8 counted, 8.00 lost; when the till's write-off of 2 broken ones comes late; then nothing else changes."""
    store = counts.store
    document = counts.count({"apple": "8"})
    counts.settle(document)
    store.post(adjusted(-2, "apple", "DAMAGE", occurredAt=at(9)))
    assert store.stock("apple") == ("8", "32")
    assert counts.variance(document)["apple"] == ("10", "-2", "0")
    assert store.balances() == {"2100": "-90", "1400": "82", "6550": "8"}
    store.check()


def test_a_reason_that_nobody_wrote_down_is_booked_as_shrinkage_and_found(counts: StoreCounts) -> None:
    store = counts.store
    store.post(adjusted(-1, "apple", "GREMLINS"))
    assert store.balances()["6550"] == "4"
    assert store.findings()["UNKNOWN_REASON", "GREMLINS"] == 1
    store.check()
