"""How an event lies in the spool's file: a third shorter than on the wire, and every bit of it still checked."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.batching import BatchLimits
from edge_agent.packed_event import (
    END_BYTES,
    SQUEEZE_FROM,
    pack_event,
    pack_stamp,
    stamp_of,
    unpack_event,
    what_the_till_said,
    wire_form,
    wire_length,
)
from edge_agent.resync import ResyncRequest, resync
from edge_agent.spool import Spool
from edge_agent.spool_batches import next_batch, record_receipt
from edge_agent.spool_pages import StoredRow
from edge_agent.spool_schema import SCHEMA_VERSION
from edge_agent.spool_streams import restart_stream, take_over
from edge_agent.stored_event import verified
from shared.business_date import TimeReading
from shared.clock import read_instant
from shared.event_batch import EventBatch, read_batch_document
from shared.wire_json import decode_json
from tests.edge_agent.builders import LIMITS, ManualClock, fill, open_spool, sale, stamped

SAID = b'{"type":"SALE","itemId":"i","quantity":1,"amount":5,"eventId":"e-1"'
INSTANTS = st.integers(0, 2**53).map(
    lambda us: datetime(1990, 1, 1, tzinfo=UTC) + us * timedelta(microseconds=1)
)


@given(INSTANTS, INSTANTS, st.sampled_from(TimeReading), st.integers(0, 5000), st.integers(0, 5000))
def test_the_wire_says_what_was_packed(
    occurred_at: datetime, received_at: datetime, reading: TimeReading, before: int, after: int
) -> None:
    day = occurred_at.toordinal()
    packed = pack_event(SAID, pack_stamp(occurred_at, received_at, reading), day, before, after)
    assert len(packed) == len(SAID) + 26
    document = decode_json(wire_form(packed, 7000, day, after))
    assert (document["eventId"], document["sequence"]) == ("e-1", 7000)
    stamp = document["stamp"]
    assert stamp["businessDate"] == occurred_at.date().isoformat()
    assert (read_instant(stamp["occurredAt"]), read_instant(stamp["receivedAt"])) == (
        occurred_at,
        received_at,
    )
    assert stamp["timeReading"] == reading.value
    assert (stamp["groupFirst"], stamp["groupSize"]) == (7000 - before, before + after + 1)
    assert stamp_of(stamp) == unpack_event(packed, day, after)[1]


@given(st.integers(SQUEEZE_FROM, 20_000), st.integers(0, 2**32))
def test_long_fields_come_back_as_they_were_and_say_how_long_they_are(size: int, seed: int) -> None:
    noise = random.Random(seed).randbytes(size // 2).hex().encode()
    said = SAID + b',"note":"' + noise[: max(0, size - len(SAID) - 10)] + b'"'
    now = ManualClock().now()
    packed = pack_event(said, pack_stamp(now, now, TimeReading.OFFSET), 739000, 0, 0)
    wire = wire_form(packed, 2**53, 739000, 0)
    assert wire.startswith(said + b',"sequence":')
    assert len(wire) <= wire_length(len(packed), packed[-END_BYTES:]) <= len(wire) + 80
    assert unpack_event(packed, 739000, 0)[0] == said
    assert what_the_till_said(packed) == said + b"}"


def test_a_batch_is_cut_by_what_its_events_take_on_the_wire(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(note="n" * 50_000))] for _ in range(10)]])
    assert spool.connection.execute("SELECT SUM(length(body)) FROM event").fetchone()[0] < 10_000
    limits = BatchLimits(max_events=500, max_bytes=210_000)
    sizes = []
    while batch := next_batch(spool, limits, ManualClock(), suspects=False):
        sizes.append((batch.events, 50_000 * batch.events < len(batch.body) < 210_000))
        record_receipt(spool, batch)
    assert sizes == [(4, True), (4, True), (2, True)]
    plan = resync(spool, ResyncRequest(all=True, dry_run=True))
    assert 500_000 < plan.bytes < 520_000
    spool.close()


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_bit_that_flips_in_compressed_fields_is_noticed(tmp_path: Path, place: int) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(note="a note " * 100))]]])
    row = StoredRow(*spool.connection.execute("SELECT * FROM event").fetchone())
    assert verified(row) is not None
    body = bytearray(row.body)
    body[place % (len(body) - END_BYTES)] ^= 4
    assert verified(msgspec.structs.replace(row, body=bytes(body))) is None
    spool.close()


@pytest.mark.parametrize("bit", range(25 * 8))
def test_no_bit_of_the_stamp_flips_unnoticed(bit: int) -> None:
    now = ManualClock().now()
    packed = bytearray(pack_event(SAID, pack_stamp(now, now, TimeReading.LOCAL), 739000, 0, 0))
    packed[len(SAID) + bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="check sum"):
        wire_form(bytes(packed), 1, 739000, 0)


def test_a_date_or_a_group_that_flipped_in_the_row_is_noticed_too() -> None:
    now = ManualClock().now()
    packed = pack_event(SAID, pack_stamp(now, now, TimeReading.LOCAL), 739000, 0, 3)
    for day, after in ((739001, 3), (739000, 2)):
        with pytest.raises(ValueError, match="check sum"):
            wire_form(packed, 1, day, after)


def test_what_an_earlier_agent_wrote_is_delivered_and_taken_over_beside_what_this_one_writes(
    tmp_path: Path,
) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 2, 1)
    bodies = spool.newest_bodies(3)
    with spool.transaction() as connection:  # as version 2 kept them: the wire form itself
        connection.executemany(
            "UPDATE event SET body = ? WHERE position = ?", [(body, at) for at, body in enumerate(bodies, 1)]
        )
        for table in ("given_up", "moved"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 2")
    spool.close()
    spool = Spool(spool.path, ManualClock())
    assert spool.connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    fill(spool, 1)
    batch = next_batch(spool, LIMITS, ManualClock(), suspects=False)
    assert batch is not None
    read = read_batch_document(batch.body, 500)
    assert isinstance(read, EventBatch), read
    events = read.events
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert [event.stamp and event.stamp.group_size for event in events] == [2, 2, 1, 1]
    restart_stream(spool, "a test", ManualClock())
    assert take_over(spool) == 4
    taken = [decode_json(body) for body in spool.newest_bodies(4)]
    assert [event["sequence"] for event in taken] == [1, 2, 3, 4]
    assert [event["eventId"] for event in taken] == [event.event_id for event in events]
    assert [event["stamp"]["groupSize"] for event in taken] == [2, 2, 1, 1]
    spool.close()


def test_a_stamp_keeps_its_microseconds_on_the_way_through_the_file(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    clock = ManualClock()
    clock.move(0.123456)
    spool.accept([[[stamped(sale(occurredAt="2026-02-10T12:34:56.654321-05:00"), clock=clock)]]])
    stamp = decode_json(spool.body_at(1) or b"")["stamp"]
    assert stamp["occurredAt"] == "2026-02-10T17:34:56.654321Z"
    assert stamp["receivedAt"].endswith(".123456Z")
    spool.close()
