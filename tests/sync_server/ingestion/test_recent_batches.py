"""A batch whose very bytes this process has just posted: answered from the ledger, and never believed without it."""

import pytest

from shared.event_batch import EventBatch, read_batch_document
from shared.wire_json import decode_json, encode_json
from sync_server.database import Database
from sync_server.ingestion.recent_batches import RecentBatch, RecentBatches, digest_of, receipt_again
from tests.agent_stream import AgentStream
from tests.builders import build_agent
from tests.contract.specification import example_request
from tests.http_caller import HttpCaller
from tests.set_clock import START
from tests.store_ledger import POSTED_AT, StoreLedger
from tests.till_events import Event, returned, sale

PATH = example_request("pos-batches", "STORE-01").path


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01."""
    return StoreLedger(database)


def _document(stream: AgentStream, batch_id: str, *events: Event) -> bytes:
    return encode_json(
        {"batchId": batch_id, "postedAt": POSTED_AT, "streamId": stream.stream_id, "events": list(events)}
    )


def test_a_batch_whose_answer_was_lost_gets_it_again_with_what_came_since(
    store: StoreLedger, http: HttpCaller
) -> None:
    agent = http.as_caller(build_agent(store.database).credential)
    stream = AgentStream()
    first = _document(stream, "b-1", *stream.group(sale(1)))
    second = _document(stream, "b-2", *stream.group(sale(1)))
    posted = agent.post(PATH, content=first)
    agent.post(PATH, content=second)
    again = agent.post(PATH, content=first)
    before, now = decode_json(posted.content), decode_json(again.content)
    assert (posted.status_code, again.status_code) == (201, 200)
    assert now["duplicate"] is True
    assert [now[name] for name in ("accepted", "duplicates", "held", "findings")] == [
        before[name] for name in ("accepted", "duplicates", "held", "findings")
    ]
    assert (before["acknowledgedSequence"], now["acknowledgedSequence"]) == (1, 2)
    store.check()


def test_other_bytes_of_the_same_batch_are_read_and_compared(store: StoreLedger, http: HttpCaller) -> None:
    agent = http.as_caller(build_agent(store.database).credential)
    stream = AgentStream()
    group = stream.group(sale(1, "5.00"))
    assert agent.post(PATH, content=_document(stream, "b-1", *group)).status_code == 201
    spaced = _document(stream, "b-1", *group).replace(b",", b", ")
    assert agent.post(PATH, content=spaced).status_code == 200
    dearer = [{**group[0], "amount": "6.00"}]
    assert agent.post(PATH, content=_document(stream, "b-1", *dearer)).status_code == 409
    store.check()


def test_what_the_ledger_does_not_have_is_posted_whatever_the_process_remembers(store: StoreLedger) -> None:
    stream = AgentStream()
    body = _document(stream, "b-1", *stream.group(sale(1)))
    batch = read_batch_document(body, 9)
    assert isinstance(batch, EventBatch)
    remembered = RecentBatch(batch.batch_id, batch.stream_id, batch.content_hash)
    with store.database.reading() as work:
        agent = store.caller(agent=True)
        assert receipt_again(work, agent, store.store_no, "STORE-01", remembered, START) is None
    other = RecentBatch("b-1", stream.stream_id, bytes(32))
    store.post_document(decode_json(body), agent=True)
    with store.database.reading() as work:
        assert receipt_again(work, agent, store.store_no, "STORE-01", other, START) is None
        known = receipt_again(work, agent, store.store_no, "STORE-01", remembered, START)
        assert known is not None
        assert (known.accepted, known.duplicate) == (1, True)


def test_a_batch_that_held_duplicates_is_looked_at_event_by_event(store: StoreLedger) -> None:
    stream = AgentStream()
    sold, back = stream.group(sale(1)), stream.group(returned(1))
    store.post(*sold, stream=stream)
    body = _document(stream, "b-2", *sold, *back)
    batch = read_batch_document(body, 9)
    assert isinstance(batch, EventBatch)
    assert store.post_document(decode_json(body), agent=True).duplicates == 1
    remembered = RecentBatch(batch.batch_id, batch.stream_id, batch.content_hash)
    with store.database.reading() as work:
        agent = store.caller(agent=True)
        assert receipt_again(work, agent, store.store_no, "STORE-01", remembered, START) is None


def test_only_so_many_are_remembered() -> None:
    recent = RecentBatches(max_batches=2)
    stream = AgentStream()
    bodies = [_document(stream, f"b-{number}", *stream.group(sale(1))) for number in range(3)]
    for body in bodies[:2]:
        _note(recent, body)
    assert recent.find(1, digest_of(bodies[0])) is not None
    _note(recent, bodies[2])
    assert recent.find(1, digest_of(bodies[1])) is None
    assert recent.find(1, digest_of(bodies[0])) == recent.find(1, digest_of(bodies[0]))
    assert recent.find(2, digest_of(bodies[0])) is None


def _note(recent: RecentBatches, body: bytes) -> None:
    batch = read_batch_document(body, 9)
    assert isinstance(batch, EventBatch)
    recent.note(1, digest_of(body), batch)
