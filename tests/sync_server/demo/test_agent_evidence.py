"""What the demo reads in an agent's file, written by the agent's own spool."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from edge_agent.batching import BatchLimits
from edge_agent.packed_event import pack_stamp
from edge_agent.spool import Spool
from edge_agent.spool_batches import next_batch, record_receipt, send_again
from edge_agent.stamped_event import StampedEvent
from shared.business_date import TimeReading
from shared.clock import SystemClock
from shared.identifiers import event_key
from sync_server.demo.agent_evidence import AgentEvidence, read_agent_file
from sync_server.demo.errors import DemoFailed

CLOCK = SystemClock()
DAY = date(2017, 9, 1)
IDS = [f"292-{number}-1" for number in range(1, 6)]


def stamped(event_id: str, day: date = DAY) -> StampedEvent:
    """An event as the agent's intake hands it to the spool."""
    key = event_key(event_id).int
    halves = [half - 2**64 if half >= 2**63 else half for half in divmod(key, 2**64)]
    return StampedEvent(
        event_id=event_id,
        key_high=halves[0],
        key_low=halves[1],
        content_hash=event_id.encode().ljust(32),
        business_day=day.toordinal(),
        own_fields=b'{"type":"SALE","eventId":"%b"' % event_id.encode(),
        stamp=pack_stamp(CLOCK.now(), CLOCK.now(), TimeReading.ARRIVAL),
    )


def keys(*event_ids: str) -> frozenset[UUID]:
    """The keys of event ids."""
    return frozenset(map(event_key, event_ids))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool with five events of two days, the first two of them acknowledged and two on their way."""
    spool = Spool(tmp_path / "spool.sqlite3", CLOCK)
    for event_id in IDS:
        spool.accept([[[stamped(event_id, DAY if event_id < IDS[3] else date(2017, 9, 2))]]])
    limits = BatchLimits(max_events=2, max_bytes=10**6)
    first = next_batch(spool, limits, CLOCK, suspects=False)
    assert first is not None
    record_receipt(spool, first)
    assert next_batch(spool, limits, CLOCK, suspects=False) is not None
    yield spool
    spool.close()


def evidence_of(spool: Spool, tmp_path: Path) -> AgentEvidence:
    """What is read of the spool once it is closed."""
    spool.close()
    return read_agent_file(spool.path, tmp_path / "copies")


def test_only_events_with_a_receipt_count_as_acknowledged(spool: Spool, tmp_path: Path) -> None:
    found = evidence_of(spool, tmp_path)

    assert found.spooled == keys(*IDS)
    assert found.acknowledged == keys(*IDS[:2])


def test_an_event_that_must_be_sent_again_is_not_acknowledged(spool: Spool, tmp_path: Path) -> None:
    send_again(spool, [(1, 1)])

    assert evidence_of(spool, tmp_path).acknowledged == keys(IDS[1])


def test_business_dates_are_those_that_the_agent_stamped(spool: Spool, tmp_path: Path) -> None:
    assert evidence_of(spool, tmp_path).dates == {DAY: 3, date(2017, 9, 2): 2}


def test_what_is_still_in_the_log_of_a_killed_agent_is_read_as_well(spool: Spool, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in tmp_path.glob("spool.sqlite3*"):
        (killed / file.name).write_bytes(file.read_bytes())
    assert (killed / "spool.sqlite3-wal").stat().st_size > 0

    assert read_agent_file(killed / "spool.sqlite3", tmp_path / "copies").spooled == keys(*IDS)


def test_the_agents_own_file_is_not_touched(spool: Spool, tmp_path: Path) -> None:
    spool.close()
    before = spool.path.read_bytes()
    read_agent_file(spool.path, tmp_path / "copies")

    assert spool.path.read_bytes() == before


def test_a_file_without_an_agents_tables_is_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite3")) as other:
        other.execute("CREATE TABLE other (useless)")

    with pytest.raises(DemoFailed, match=r"other\.sqlite3 cannot be read: no such table"):
        read_agent_file(tmp_path / "other.sqlite3", tmp_path / "copies")
