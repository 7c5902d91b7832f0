"""Acknowledged events go after their time, in pieces; what is not acknowledged never does; days stay provable."""

from datetime import UTC, date, datetime
from pathlib import Path

from edge_agent import spool_batches as batches
from edge_agent import spool_days as days
from edge_agent.clock_offset import ClockOffset
from edge_agent.pruned_hashes import still_here
from edge_agent.resync import put_back
from edge_agent.retention import Retention
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_pruning import ROWS_AT_ONCE
from edge_agent.spool_streams import restart_stream
from tests.edge_agent.builders import LIMITS, ManualClock, sale, stamped

DAY = 86_400


class Store:
    """A desk whose clock and headquarters are in the test's hand."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.offset = ClockOffset()
        self.offset.milliseconds = 0
        self.desk = SpoolDesk(folder / "spool.sqlite3", self.clock)
        self.retention = Retention(self.desk, self.offset, 90, self.clock)

    def sell(self, count: int, **fields: object) -> None:
        """Sales, accepted now."""
        groups = [[stamped(sale(**fields), clock=self.clock)] for _ in range(count)]
        self.desk.accept(groups)

    def deliver(self) -> None:
        """Headquarters acknowledges everything."""

        def acknowledge(spool: Spool) -> bool:
            batch = batches.next_batch(spool, LIMITS, self.clock, suspects=False)
            if batch is not None:
                batches.record_receipt(spool, batch)
            return batch is not None

        while self.desk.ask(acknowledge):
            pass

    def positions(self) -> list[int]:
        """The positions that are still there."""

        def read(spool: Spool) -> list[int]:
            return [at for (at,) in spool.connection.execute("SELECT position FROM event ORDER BY position")]

        return self.desk.ask(read)

    def pairs(self) -> list[list[tuple[int, bytes]]]:
        """What the digest of each unproven day is made of."""

        def read(spool: Spool) -> list[list[tuple[int, bytes]]]:
            due = days.unproven_days(spool, date.max.toordinal())
            return [sorted(days.day_pairs(spool, day, day.first_position)) for day in due]

        return self.desk.ask(read)


def test_acknowledged_events_stay_for_ninety_days_and_then_go(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sell(1500)
    store.deliver()
    store.clock.move(89 * DAY)
    store.sell(3)
    assert store.retention.run_once() == 0
    store.clock.move(2 * DAY)
    assert store.retention.run_once() == 1500
    assert store.positions() == [1501, 1502, 1503]
    assert store.retention.run_once() == 0


def test_what_is_not_acknowledged_is_never_pruned(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sell(600)
    cut = store.desk.ask(lambda spool: batches.next_batch(spool, LIMITS, store.clock, suspects=False))
    assert cut is not None  # 500 on their way, 100 never cut, no receipt
    store.clock.move(400 * DAY)
    store.sell(5)
    assert store.retention.run_once() == 0
    store.desk.ask(lambda spool: batches.record_receipt(spool, cut))
    assert store.retention.run_once() == 500
    assert store.positions()[0] == 501


def test_a_refused_event_stays_and_the_others_around_it_go(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sell(10)

    def refuse_the_fifth(spool: Spool) -> None:
        batch = batches.next_batch(spool, LIMITS, store.clock, suspects=False)
        assert batch is not None
        batches.split(spool, batch, [(1, 4), (6, 10)], [(5, 5)], b"{}", store.clock)

    store.desk.ask(refuse_the_fifth)
    store.deliver()
    store.clock.move(91 * DAY)
    store.sell(5)
    assert store.retention.run_once() == 9
    assert store.positions()[:2] == [5, 11]


def test_a_day_is_provable_after_it_was_pruned(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(3):
        store.sell(ROWS_AT_ONCE + 70)
        store.clock.move(DAY)
    store.deliver()
    before = store.pairs()
    assert [len(day) for day in before] == [270, 270, 270]
    store.clock.move(91 * DAY)
    store.sell(5)
    assert store.retention.run_once() == 810
    assert store.pairs()[:3] == before
    store.sell(1, occurredAt="2026-02-10T12:00:00-05:00")  # late, for the first of these days
    store.deliver()
    first = store.pairs()[0]
    assert first[:-1] == before[0]
    assert len(first) == 271


def test_days_of_former_streams_are_kept_apart_when_pruned(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sell(5)
    store.deliver()
    store.desk.ask(lambda spool: restart_stream(spool, "a test", store.clock))
    store.sell(5)
    store.deliver()
    before = store.pairs()
    store.clock.move(91 * DAY)
    store.sell(5)
    assert store.retention.run_once() == 10
    assert store.pairs()[:2] == before


def test_a_pruned_event_that_comes_again_is_taken_as_new(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.desk.accept([[stamped(sale(eventId="old"))]])
    store.deliver()
    store.clock.move(91 * DAY)
    store.sell(5)
    store.retention.run_once()
    assert not store.desk.accept([[stamped(sale(eventId="old"))]])[0].duplicate  # headquarters knows it


def test_a_clock_ten_years_ahead_prunes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sell(20)
    store.deliver()
    store.sell(5)
    store.clock.move(3650 * DAY)
    store.offset.milliseconds = -3650 * DAY * 1000
    assert store.retention.run_once() == 0
    store.offset.milliseconds = None  # not compared with headquarters since the start
    assert store.retention.run_once() == 0


def test_events_that_were_received_in_a_wrong_future_hold_nothing_up(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.clock.move(3650 * DAY)
    store.sell(5)
    store.clock.move(-3650 * DAY)
    store.sell(5)
    store.deliver()
    store.clock.move(91 * DAY)
    store.sell(5)
    assert store.retention.run_once() == 5
    assert store.positions()[:6] == [1, 2, 3, 4, 5, 11]


def test_what_was_pruned_is_not_promised_to_be_sent_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sell(500)
    store.deliver()
    store.clock.move(91 * DAY)
    store.sell(5)
    store.deliver()
    store.retention.run_once()
    assert store.desk.ask(lambda spool: still_here(spool, [(1, 505)])) == [(501, 505)]
    plan = store.desk.ask(lambda spool: put_back(spool, [(1, 505)], dry_run=False))
    assert plan.events == 5
    batch = store.desk.ask(lambda spool: batches.next_batch(spool, LIMITS, store.clock, suspects=False))
    assert batch is not None
    assert (batch.first_position, batch.last_position) == (501, 505)


def test_the_newest_event_stays_so_that_numbering_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sell(1200)
    store.deliver()
    store.clock.move(91 * DAY)
    store.retention.run_once()
    assert store.positions()[-1] == 1200
    assert store.desk.accept([[stamped(sale(eventId="known"))]])[0].sequence == 1201
    store.desk.close()
    again = Spool(tmp_path / "spool.sqlite3", ManualClock(datetime(2026, 6, 1, tzinfo=UTC)))
    assert again.accept([[[stamped()]]])[0][0].sequence == 1202
    again.close()
