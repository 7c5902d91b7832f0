"""Streams: what has arrived, what is missing, and the digest by which both sides prove that they hold the same."""

from datetime import date, timedelta

import pytest

from shared.day_digest import digest_of
from shared.event_batch import EventBatch, read_batch
from sync_server.stores.store_days import compare_day
from sync_server.stores.stream_receipts import receipt_digest
from tests.agent_stream import STREAM_ID, AgentStream
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import POSTED_AT, StoreLedger
from tests.till_events import ITEM, Event, sale

TODAY = date(2026, 2, 10)


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with plenty of item-001."""
    ledger = new_store()
    ledger.open_with({ITEM: ("1000", "4.00")})
    return ledger


@pytest.fixture
def stream() -> AgentStream:
    """The stream of the store's agent."""
    return AgentStream()


def _outcomes(store: StoreLedger) -> list[tuple[int, int, str]]:
    return store.rows(
        """SELECT first_sequence, last_sequence, outcomes FROM stream_receipt
           WHERE store_no = %(store_no)s ORDER BY stream_no, first_sequence"""
    )


def test_everything_up_to_the_acknowledged_sequence_was_received(
    store: StoreLedger, stream: AgentStream
) -> None:
    answer = store.post(*stream.groups(*[sale()] * 5), stream=stream)
    assert (answer.acknowledged_sequence, answer.gaps) == (5, [])
    assert _outcomes(store) == [(1, 5, "PPPPP")]
    store.check()


def test_a_gap_is_named_until_it_is_filled(store: StoreLedger, stream: AgentStream) -> None:
    first, missing, last = (stream.groups(sale(), sale(), sale()) for _ in range(3))
    store.post(*first, stream=stream)
    answer = store.post(*last, stream=stream)
    assert (answer.acknowledged_sequence, answer.gaps) == (3, [(4, 6)])
    answer = store.post(*missing[1:], stream=stream)
    assert (answer.acknowledged_sequence, answer.gaps) == (3, [(4, 4)])
    answer = store.post(*missing, stream=stream)
    assert (answer.acknowledged_sequence, answer.gaps, answer.duplicates) == (9, [], 2)
    store.check()


def test_a_stream_that_begins_late_lacks_its_beginning(store: StoreLedger, stream: AgentStream) -> None:
    stream.skip(10)
    answer = store.post(*stream.groups(sale()), stream=stream)
    assert (answer.acknowledged_sequence, answer.gaps) == (0, [(1, 10)])
    store.check()


def test_the_receipt_of_the_same_batch_tells_of_the_stream_as_it_is_now(
    store: StoreLedger, stream: AgentStream
) -> None:
    early, late = stream.groups(sale()), stream.groups(sale())
    store.post(*late, batch_id="late", stream=stream)
    store.post(*early, batch_id="early", stream=stream)
    again = store.post(*late, batch_id="late", stream=stream)
    assert (again.duplicate, again.accepted, again.acknowledged_sequence, again.gaps) == (True, 1, 2, [])
    store.check()


def test_duplicates_and_held_events_count_as_received(store: StoreLedger, stream: AgentStream) -> None:
    store.post(sale(1, eventId="e-1"))
    events = [sale(1, eventId="e-1"), sale(2, eventId="e-1"), sale(1, eventId="e-3")]
    answer = store.post(*stream.groups(*events), stream=stream)
    assert (answer.accepted, answer.duplicates, answer.held, answer.acknowledged_sequence) == (1, 1, 1, 3)
    assert _outcomes(store) == [(1, 3, "DHP")]
    store.check()


def test_two_streams_of_a_store_are_counted_apart(store: StoreLedger, stream: AgentStream) -> None:
    other = AgentStream("018f6b1e-0000-7000-8000-000000000002")
    store.post(*stream.groups(sale(), sale()), stream=stream)
    answer = store.post(*other.groups(sale()), stream=other)
    assert (answer.acknowledged_sequence, answer.gaps) == (1, [])
    store.check()


def test_a_till_without_a_stream_is_acknowledged_nothing(store: StoreLedger) -> None:
    answer = store.post(sale())
    assert (answer.acknowledged_sequence, answer.gaps) == (0, [])
    assert _outcomes(store) == []


def _hashes(events: list[Event]) -> list[tuple[int, bytes]]:
    batch = read_batch({"batchId": "b", "postedAt": POSTED_AT, "streamId": STREAM_ID, "events": events}, 2000)
    assert isinstance(batch, EventBatch)
    return [(event.sequence or 0, event.content_hash) for event in batch.events]


def test_the_digest_of_a_day_is_the_same_on_both_sides(store: StoreLedger, stream: AgentStream) -> None:
    today = stream.groups(*[sale(quantity) for quantity in (1, 2, 3)])
    tomorrow = stream.groups(sale(4), at=START + timedelta(hours=1))
    held = stream.groups(sale(9, eventId=today[0]["eventId"]))
    store.post(*tomorrow, *held, stream=stream)
    store.post(*today, stream=stream)
    ours = digest_of(_hashes([*today, *held]))
    stream_no = store.count("SELECT stream_no FROM stream WHERE store_no = %(store_no)s")
    with store.database.unit_of_work() as work:
        assert receipt_digest(work, store.store_no, stream_no, TODAY) == ours
        compared = compare_day(work, store.store_no, STREAM_ID, TODAY, ours, now=START)
        assert (compared.state, compared.events) == ("PROVEN", 4)
    store.check()


def test_a_late_event_reopens_a_proven_day(store: StoreLedger, stream: AgentStream) -> None:
    first, second = stream.groups(sale(1)), stream.groups(sale(2))
    store.post(*first, stream=stream)
    with store.database.unit_of_work() as work:
        compare_day(work, store.store_no, STREAM_ID, TODAY, digest_of(_hashes(first)), now=START)
    states = "SELECT state FROM store_day WHERE store_no = %(store_no)s"
    assert store.rows(states) == [("PROVEN",)]
    store.post(*first, stream=stream)
    assert store.rows(states) == [("PROVEN",)]
    store.post(*second, stream=stream)
    assert store.rows(states) == [("OPEN",)]
    with store.database.unit_of_work() as work:
        compare_day(work, store.store_no, STREAM_ID, TODAY, digest_of(_hashes(first + second)), now=START)
    assert store.rows(states) == [("PROVEN",)]
    store.check()


def test_receipts_of_one_day_and_batch_are_one_row(store: StoreLedger, stream: AgentStream) -> None:
    store.post(*stream.groups(*[sale()] * 200), stream=stream)
    store.post(*stream.groups(sale()), *stream.groups(sale(), at=START + timedelta(hours=1)), stream=stream)
    assert [(first, last) for first, last, _ in _outcomes(store)] == [(1, 200), (201, 201), (202, 202)]
    store.check()
