"""Batches on their way: the same bytes at every try, nothing lost when they are taken apart."""

import hashlib
from pathlib import Path

from edge_agent import spool_batches as batches
from edge_agent.batching import BatchLimits
from edge_agent.spool import Spool
from edge_agent.spool_batches import OutgoingBatch
from edge_agent.spool_days import day_pairs, record_state, unproven_days
from shared.event_batch import EventBatch, read_batch
from shared.wire_json import decode_json
from tests.edge_agent.builders import LIMITS, ManualClock, fill, open_spool, sale, stamped

CLOCK = ManualClock()


def take(spool: Spool, limits: BatchLimits = LIMITS, *, suspects: bool = False) -> OutgoingBatch:
    batch = batches.next_batch(spool, limits, CLOCK, suspects=suspects)
    assert batch is not None
    return batch


def positions(batch: OutgoingBatch) -> tuple[int, int]:
    return batch.first_position, batch.last_position


def test_an_empty_spool_has_no_batch(tmp_path: Path) -> None:
    assert batches.next_batch(open_spool(tmp_path), LIMITS, CLOCK, suspects=False) is None


def test_a_batch_is_what_the_server_reads(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(eventId="a")), stamped(sale(eventId="b"))], [stamped()]]])
    read = read_batch(decode_json(take(spool).body), 2000)
    assert isinstance(read, EventBatch), read
    assert read.stream_id == spool.stream_id
    assert [event.sequence for event in read.events] == [1, 2, 3]


def test_a_retry_sends_the_very_same_bytes_even_after_a_restart(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 1, 2)
    first = take(spool)
    fill(spool, 5)
    again = take(spool)
    spool.close()
    reopened = take(open_spool(tmp_path))
    digests = {hashlib.sha256(batch.body).hexdigest() for batch in (first, again, reopened)}
    assert len(digests) == 1
    assert first.batch_id == again.batch_id == reopened.batch_id


def test_a_receipt_moves_on_to_the_next_batch(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 3, 3, 3)
    small = BatchLimits(6, 1_000_000)
    first = take(spool, small)
    batches.record_receipt(spool, first)
    second = take(spool, small)
    assert (positions(first), positions(second)) == ((1, 6), (7, 9))
    assert batches.acknowledged_sequence(spool) == 6
    batches.record_receipt(spool, second)
    assert batches.acknowledged_sequence(spool) == 9
    assert batches.backlog(spool).events == 0


def test_the_backlog_is_counted_without_walking_through_it(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 3, 3, 3)
    take(spool, BatchLimits(3, 1_000_000))
    backlog = batches.backlog(spool)
    assert (backlog.events, backlog.oldest_position) == (9, 1)


def test_a_refused_batch_is_taken_apart_without_losing_anything(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 2, 1, 2)
    batch = take(spool)
    assert batches.group_ends(spool, batch) == [2, 3, 5]
    batches.split(spool, batch, [(1, 2), (4, 5)], [(3, 3)], b"{}", CLOCK)
    first = take(spool)
    batches.record_receipt(spool, first)
    second = take(spool)
    assert (positions(first), positions(second)) == ((1, 2), (4, 5))
    assert len({batch.batch_id, first.batch_id, second.batch_id}) == 3
    batches.record_receipt(spool, second)
    assert batches.unacknowledged(spool) == [(3, 3)]
    assert batches.backlog(spool).events == 0


def test_a_suspect_lets_everything_else_go_first(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 1)
    suspect = take(spool)
    batches.mark_suspect(spool, suspect)
    fill(spool, 1)
    other = take(spool)
    assert positions(other) == (2, 2)
    batches.record_receipt(spool, other)
    assert batches.next_batch(spool, LIMITS, CLOCK, suspects=False) is None
    judged = take(spool, suspects=True)
    assert (judged.batch_id, judged.suspect) == (suspect.batch_id, True)


def test_what_is_sent_again_comes_after_what_is_new(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 2, 2, 2)
    batches.record_receipt(spool, take(spool))
    batches.send_again(spool, [(1, 4)])
    assert batches.backlog(spool).events == 4
    assert batches.acknowledged_sequence(spool) == 0
    fill(spool, 1)
    found = []
    for _ in range(3):
        batch = take(spool, BatchLimits(2, 1_000_000))
        found.append(positions(batch))
        batches.record_receipt(spool, batch)
    assert found == [(7, 7), (1, 2), (3, 4)]
    assert batches.next_batch(spool, LIMITS, CLOCK, suspects=False) is None


def test_a_gap_inside_a_group_is_sent_again_as_it_is(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 4)
    batches.record_receipt(spool, take(spool))
    batches.send_again(spool, [(2, 3)])
    batch = take(spool)
    assert positions(batch) == (2, 3)
    assert batches.group_ends(spool, batch) == [3]


def test_a_day_is_due_when_none_of_its_events_is_on_its_way(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    yesterday = sale(occurredAt="2026-02-09T12:00:00-05:00")
    spool.accept([[[stamped(yesterday)], [stamped()], [stamped(yesterday)]]])
    today = stamped().business_day
    assert unproven_days(spool, today) == []
    batch = take(spool)
    assert unproven_days(spool, today) == []
    batches.record_receipt(spool, batch)
    (day,) = unproven_days(spool, today)
    assert (day.events, day.first_position, day.last_position) == (2, 1, 3)
    assert [position for position, _ in day_pairs(spool, day, 1)] == [1, 3]
    assert [d.business_day for d in unproven_days(spool, today + 1)] == [today - 1, today]


def test_what_is_sent_again_has_its_day_proven_anew(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(occurredAt="2026-02-09T12:00:00-05:00"))]]])
    batches.record_receipt(spool, take(spool))
    today = stamped().business_day
    (day,) = unproven_days(spool, today)
    assert record_state(spool, day, "PROVEN")
    batches.send_again(spool, [(1, 1)])
    assert unproven_days(spool, today) == [], "not before it has arrived"
    batches.record_receipt(spool, take(spool))
    assert [(each.events, each.state) for each in unproven_days(spool, today)] == [(1, "CHANGED")]


def test_a_late_event_reopens_a_proven_day(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(occurredAt="2026-02-09T12:00:00-05:00"))]]])
    batches.record_receipt(spool, take(spool))
    today = stamped().business_day
    (day,) = unproven_days(spool, today)
    assert record_state(spool, day, "PROVEN")
    assert unproven_days(spool, today) == []
    spool.accept([[[stamped(sale(occurredAt="2026-02-09T13:00:00-05:00"))]]])
    batches.record_receipt(spool, take(spool))
    assert [d.events for d in unproven_days(spool, today)] == [2]
    assert not record_state(
        spool, day, "PROVEN"
    )  # the answer to the former digest says nothing of the new one
