"""Many at once on real connections: one batch eight times, one stream from two sides, stores side by side."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.event_batch import BatchReceipt, EventBatch, read_batch_document
from shared.wire_json import encode_json
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database
from sync_server.errors import Conflict
from sync_server.ingestion.acceptance import accept_batch
from sync_server.stores.store_days import DayState, compare_day
from sync_server.stores.stream_receipts import receipt_digest
from tests.agent_stream import AgentStream
from tests.held_desk import HeldDesk
from tests.set_clock import START
from tests.store_ledger import POSTED_AT, StoreLedger, assert_whole
from tests.till_events import ITEM, basket, receipt, sale, void

AT_ONCE = 8


@pytest.fixture
def busy(database_url: str) -> Iterator[Database]:
    """A database with a connection for everybody."""
    database = Database(database_url, pool_size=AT_ONCE + 1)
    yield database
    database.close()


@pytest.fixture
def store(busy: Database) -> StoreLedger:
    """A store with plenty of item-001."""
    ledger = StoreLedger(busy)
    ledger.open_with({ITEM: ("1000", "4.00")})
    return ledger


def _all_at_once(*posts: Callable[[], BatchReceipt]) -> list[BatchReceipt]:
    """Runs every post in a thread of its own, started together."""
    barrier = Barrier(len(posts))

    def run(post: Callable[[], BatchReceipt]) -> BatchReceipt:
        barrier.wait()
        return post()

    with ThreadPoolExecutor(len(posts)) as threads:
        return list(threads.map(run, posts))


def test_the_same_batch_on_eight_connections_is_posted_once(store: StoreLedger) -> None:
    stream = AgentStream()
    events = [*stream.group(*basket("S-1", sale(), sale())), *stream.groups(*[sale()] * 50)]
    answers = _all_at_once(*[lambda: store.post(*events, batch_id="b-1", stream=stream)] * AT_ONCE)
    assert sorted(answer.duplicate for answer in answers) == [False] + [True] * (AT_ONCE - 1)
    assert {(answer.accepted, answer.acknowledged_sequence) for answer in answers} == {(52, 52)}
    assert store.stock()[0] == "948"
    store.check()


def test_the_same_events_in_eight_cuts_at_once_are_posted_once(store: StoreLedger) -> None:
    events = [sale(1, eventId=f"e-{number}", saleId=f"S-{number // 3}") for number in range(60)]

    def cut(number: int) -> Callable[[], BatchReceipt]:
        return lambda: store.post(*events[number:], *events[:number])

    answers = _all_at_once(*[cut(number * 7) for number in range(AT_ONCE)])
    assert sum(answer.accepted for answer in answers) == 60
    assert sum(answer.duplicates for answer in answers) == 60 * (AT_ONCE - 1)
    assert store.stock()[0] == "940"
    store.check()


def test_a_sale_and_its_void_at_once_leave_nothing(store: StoreLedger) -> None:
    for number in range(5):
        lines = basket(f"S-{number}", sale(3), sale(2))
        answers = _all_at_once(
            lambda lines=lines: store.post(*lines),  # type: ignore[misc]
            lambda number=number: store.post(void({"saleId": f"S-{number}"}, eventId=f"V-{number}")),  # type: ignore[misc]
        )
        assert [answer.findings for answer in answers] == [[], []]
    assert store.stock() == ("1000", "4000")
    store.check()


def test_stores_post_side_by_side_even_when_they_meet_the_same_unknown_items(busy: Database) -> None:
    stores = [StoreLedger(busy, f"STORE-{number}") for number in range(4)]
    items = [f"new-{number}" for number in range(30)]

    def post(store: StoreLedger, rounds: int) -> Callable[[], BatchReceipt]:
        order = items if rounds % 2 else items[::-1]
        return lambda: store.post(
            *[sale(1, item=item) for item in order],
            *[sale(1, item=None, barcode=item) for item in order],
            receipt(),
        )

    answers = _all_at_once(*[post(store, rounds) for store, rounds in itertools.product(stores, range(2))])
    assert {answer.accepted for answer in answers} == {61}
    for store in stores:
        assert store.stock("new-0")[0] == store.stock("barcode:new-0")[0] == "-2"
    assert_whole(busy)


def test_one_held_event_released_on_eight_connections_is_posted_once(store: StoreLedger) -> None:
    store.post(sale(1, eventId="e-1"))
    store.post(*basket("S-1", sale(2, eventId="e-1"), sale(3)))
    first, second = HeldDesk(store).numbers()

    def decide(number: int) -> str:
        try:
            if number == 0:
                HeldDesk(store).discard(second)
                return "discarded"
            HeldDesk(store).release(first if number % 2 else second, new_identity=True)
        except Conflict:
            return "too late"
        return "released"

    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = sorted(threads.map(decide, range(AT_ONCE)))
    assert outcomes.count("released") == 1
    # The other line was either released with it, or discarded before.
    left = "997" if "discarded" in outcomes else "994"
    assert store.stock()[0] == left
    assert HeldDesk(store).numbers() == []
    store.check()


def test_the_comparison_of_a_day_waits_for_a_late_event_that_is_being_posted(store: StoreLedger) -> None:
    stream = AgentStream()
    store.post(*stream.groups(sale(1)), stream=stream)
    with store.database.reading() as work:
        before = receipt_digest(work, store.store_no, 1, START.date())

    def compare() -> DayState:
        with store.database.unit_of_work() as work:
            compared = compare_day(work, store.store_no, stream.stream_id, START.date(), before, now=START)
            return compared.state

    with ThreadPoolExecutor(1) as thread:
        with store.database.unit_of_work() as work:
            document = {"batchId": "late", "postedAt": POSTED_AT, "streamId": stream.stream_id}
            late = read_batch_document(encode_json({**document, "events": stream.groups(sale(1))}), 2000)
            assert isinstance(late, EventBatch)
            accept_batch(work, ChartOfAccounts(), store.caller(agent=True), store.store_no, late, START)
            comparing = thread.submit(compare)
            with pytest.raises(TimeoutError):
                comparing.result(timeout=0.3)
        assert comparing.result() is DayState.DIFFERS
    store.check()
