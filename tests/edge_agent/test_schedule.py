"""Duties go on whatever the wall clock does."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from edge_agent.schedule import Schedule
from shared.clock import SystemClock
from tests.edge_agent.agent_process import eventually

NOW = datetime(2026, 2, 10, 15, tzinfo=UTC)
TEN_YEARS = timedelta(days=3652)


class Duty:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def schedule() -> Iterator[Schedule]:
    """One that looks at the clock often."""
    made = Schedule(SystemClock(), look_seconds=0.02)
    yield made
    made.stop()


def goes_on(duty: Duty) -> None:
    before = duty.times
    eventually("the duty is done again", lambda: duty.times > before + 1, seconds=5)


@pytest.mark.parametrize(
    "jump",
    [TEN_YEARS, -TEN_YEARS, timedelta(hours=9), timedelta(minutes=-30)],
    ids=["clock ten years ahead", "clock ten years ahead and corrected", "machine asleep for nine hours",
         "clock set back by half an hour"],
)  # fmt: skip
def test_duties_go_on_at_their_pace_whatever_the_clock_does(schedule: Schedule, jump: timedelta) -> None:
    quick, hourly = Duty(), Duty()
    with time_machine.travel(NOW, tick=True) as wall:
        schedule.every(0.05, "quick", quick, at_once=True, local=True)
        schedule.every(3600, "hourly", hourly)
        schedule.start()
        goes_on(quick)
        assert hourly.times == 0
        wall.shift(jump)
        goes_on(quick)
        eventually("the hourly duty is made up once", lambda: hourly.times == 1, seconds=5)
        goes_on(quick)
        assert hourly.times == 1


def test_a_duty_that_lasts_is_not_begun_twice(schedule: Schedule) -> None:
    begun, may_end = [], threading.Event()

    def slow() -> None:
        begun.append(1)
        may_end.wait(10)

    schedule.every(0.02, "slow", slow, at_once=True, apart=True)
    quick = Duty()
    schedule.every(0.02, "quick", quick, local=True)
    schedule.start()
    eventually("it began", lambda: begun)
    goes_on(quick)
    assert len(begun) == 1
    may_end.set()


def test_a_duty_that_fails_is_done_again(schedule: Schedule) -> None:
    done = Duty()

    def failing() -> None:
        done()
        raise OSError("no such thing")

    schedule.every(0.02, "failing", failing)
    schedule.start()
    goes_on(done)
