"""Anything may be sent again, at any time, newly cut, in any order: the books are as if it had come once."""

import itertools
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.problems import ErrorCode
from sync_server.database import Database
from sync_server.errors import Conflict
from sync_server.support.verify import verify
from tests.agent_stream import AgentStream
from tests.postgres.conftest import NewStore
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, basket, receipt, returned, sale, void

DAY = [
    receipt(20, "4.00", eventId="G-1"),
    *basket("S-1", sale(2, "20.00"), sale(1, "5.00", item="item-002")),
    *basket("S-2", sale(3, "30.00")),
    returned(1, "10.00", originalSaleId="S-1", eventId="R-1"),
    void("S-2/1", eventId="V-1"),
]


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with stock of two items."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00"), "item-002": ("10", "2.00")})
    return ledger


def _everything(store: StoreLedger) -> list[object]:
    return [
        store.rows("SELECT * FROM stock_movement WHERE store_no = %(store_no)s ORDER BY store_sequence"),
        store.rows(
            "SELECT * FROM journal_line WHERE store_no = %(store_no)s ORDER BY store_sequence, line_number"
        ),
        store.rows("SELECT * FROM outbox WHERE store_no = %(store_no)s ORDER BY store_sequence"),
    ]


def test_the_same_batch_again_gets_the_counts_of_the_first_time(store: StoreLedger) -> None:
    first = store.post(*DAY, sale(99, eventId="S-1/1"), batch_id="b-1")
    before = _everything(store)
    again = store.post(*DAY, sale(99, eventId="S-1/1"), batch_id="b-1")
    assert again.duplicate
    assert (
        (again.accepted, again.duplicates, again.held)
        == (first.accepted, first.duplicates, first.held)
        == (6, 0, 1)
    )
    assert again.findings == first.findings
    assert _everything(store) == before
    store.check()


def test_the_same_batch_spelled_otherwise_is_the_same_batch(store: StoreLedger) -> None:
    store.post(sale(2, "10.00", eventId="e-1"), batch_id="b-1")
    again = store.post(
        sale("2.0", 10, eventId="e-1", note=None), batch_id="b-1", postedAt="2026-02-11T00:00:00Z"
    )
    assert again.duplicate


@pytest.mark.parametrize(
    "other",
    [
        [sale(2, "10.00", eventId="e-1")],
        [sale(1, "10.00", eventId="e-2")],
        [sale(1, "10.00", eventId="e-1"), sale(1, eventId="e-2")],
    ],
)
def test_a_batch_id_used_for_other_content_is_a_conflict(store: StoreLedger, other: list[Event]) -> None:
    store.post(sale(1, "10.00", eventId="e-1"), batch_id="b-1")
    before = _everything(store)
    with pytest.raises(Conflict, match="new batch id") as refused:
        store.post(*other, batch_id="b-1")
    assert refused.value.code is ErrorCode.BATCH_CONFLICT
    assert _everything(store) == before
    store.check()


def test_a_batch_id_is_a_store_s_own(store: StoreLedger, new_store: NewStore) -> None:
    other = new_store()
    store.post(sale(1, eventId="e-1"), batch_id="b-1")
    answer = other.post(sale(2, eventId="e-1"), batch_id="b-1")
    assert (answer.duplicate, answer.accepted) == (False, 1)
    store.check()


def test_events_without_ids_are_known_by_their_place_in_their_batch(store: StoreLedger) -> None:
    store.post(sale(), sale(), batch_id="b-1")
    assert store.post(sale(), sale(), batch_id="b-1").duplicate
    assert store.post(sale(), sale(), batch_id="b-2").accepted == 2
    assert store.stock()[0] == "6"
    store.check()


def test_events_newly_cut_into_batches_add_nothing(store: StoreLedger) -> None:
    stream = AgentStream()
    day = [*stream.group(*DAY[:3]), *stream.groups(*DAY[3:])]
    store.post(*day, stream=stream)
    before = _everything(store)
    for size in (1, 2, 3):
        for start in range(0, len(day), size):
            part = day[start : start + size]
            answer = store.post(*part, stream=stream)
            assert (answer.accepted, answer.duplicates) == (0, len(part))
            assert answer.acknowledged_sequence == len(day)
    assert _everything(store) == before
    store.check()


def test_one_event_twice_in_one_batch_counts_once(store: StoreLedger) -> None:
    answer = store.post(sale(1, eventId="e-1"), sale("1.00", eventId="e-1"))
    assert (answer.accepted, answer.duplicates) == (1, 1)
    assert store.stock()[0] == "9"
    store.check()


_stores = itertools.count(1)
SALES = st.sampled_from(["S-1", "S-2"])
LINES = st.sampled_from([1, 2])


def _numbered(events: Sequence[Event]) -> list[Event]:
    return [{**event, "eventId": f"e-{number}"} for number, event in enumerate(events)]


TILL_EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda quantity, item, sale_id, line: sale(quantity, quantity * 5, item, saleId=sale_id, lineNumber=line),
            st.integers(1, 5), st.sampled_from([ITEM, "item-002"]), SALES, LINES,
        ),
        st.builds(
            lambda quantity, sale_id, damaged: returned(
                quantity, quantity * 5, originalSaleId=sale_id, disposition="DAMAGED" if damaged else None
            ),
            st.integers(1, 3), SALES, st.booleans(),
        ),
        st.builds(receipt, st.integers(1, 9), st.sampled_from(["3.33", "7.00", None])),
        st.builds(lambda sale_id: void({"saleId": sale_id}), SALES),
        st.builds(lambda sale_id, line: void({"saleId": sale_id, "lineNumber": line}), SALES, LINES),
        st.builds(lambda number: void(f"e-{number}"), st.integers(0, 12)),
    ),
    min_size=1, max_size=12,
).map(_numbered)  # fmt: skip


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Event], list[list[Event]]]:
    """A day's events, and the batches they come in: in any order, cut anyhow, some of them twice."""
    day = draw(TILL_EVENTS)
    shuffled = draw(st.permutations(day)) + draw(st.lists(st.sampled_from(day), max_size=4))
    cuts = sorted({0, len(shuffled), *draw(st.lists(st.integers(1, len(shuffled)), max_size=5))})
    return day, [list(shuffled[start:end]) for start, end in itertools.pairwise(cuts)]


def _revenue(store: StoreLedger) -> dict[str, str]:
    balances = store.balances()
    return {account: balances.get(account, "0") for account in ("1000", "4000")}


@settings(max_examples=25, deadline=None)
@given(delivery=deliveries())
def test_neither_order_nor_cuts_nor_repetitions_change_a_quantity(
    shared_database: Database, delivery: tuple[list[Event], list[list[Event]]]
) -> None:
    day, batches = delivery
    number = next(_stores)
    in_order, as_it_came = (
        StoreLedger(shared_database, f"S{number}-{name}") for name in ("in-order", "as-it-came")
    )
    in_order.post(*day)
    for batch in batches:
        as_it_came.post(*batch)
    quantities = in_order.quantities()
    assert as_it_came.quantities() == quantities
    assert _revenue(as_it_came) == _revenue(in_order)
    assert as_it_came.post(*day).duplicates == len(day)
    assert as_it_came.quantities() == quantities
    with shared_database.reading() as work:
        assert not [*verify(work, in_order.store_id), *verify(work, as_it_came.store_id)]
    assert all(isinstance(quantity, Decimal) for quantity in quantities.values())


def test_a_batch_id_is_not_taken_into_another_stream(store: StoreLedger) -> None:
    first, second = AgentStream("s-1"), AgentStream("s-2")
    events = first.groups(sale(1, eventId="e-1"))
    store.post(*events, stream=first, batch_id="b-1")
    assert store.post(*events, stream=first, batch_id="b-1").duplicate
    with pytest.raises(Conflict, match="another stream"):
        store.post(*events, stream=second, batch_id="b-1")
    assert store.post(*events, stream=second, batch_id="b-2").acknowledged_sequence == 1
    store.check()
