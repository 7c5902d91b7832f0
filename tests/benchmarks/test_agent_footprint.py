"""The backlog that the footprint is measured with is what the agent itself would have written."""

from pathlib import Path

from benchmarks.agent_footprint import bytes_for_an_event, fill_with_backlog
from edge_agent import spool_batches as batches
from edge_agent.batching import BatchLimits
from edge_agent.spool import Spool
from edge_agent.spool_pages import StoredRow
from edge_agent.stored_event import verified
from shared.clock import SystemClock
from shared.zone_data import use_own_zone_data

COLUMNS = "position, key_high, key_low, content_hash, business_day, lines_after, body"


def test_the_backlog_is_events_as_the_agent_writes_them(tmp_path: Path) -> None:
    use_own_zone_data()
    fill_with_backlog(tmp_path / "spool.sqlite3", 700)
    spool = Spool(tmp_path / "spool.sqlite3", SystemClock())
    rows = [StoredRow(*row) for row in spool.connection.execute(f"SELECT {COLUMNS} FROM event")]
    assert len(rows) == spool.last_sequence == 700
    assert all(verified(row) is not None for row in rows)
    limits = BatchLimits(max_events=500, max_bytes=1_000_000)
    batch = batches.next_batch(spool, limits, SystemClock(), suspects=False)
    assert batch is not None
    assert batch.events == 500
    spool.close()


def test_an_event_of_real_baskets_takes_less_than_700_bytes(tmp_path: Path) -> None:
    use_own_zone_data()
    assert 300 < bytes_for_an_event(tmp_path / "spool.sqlite3", 3000) <= 700
