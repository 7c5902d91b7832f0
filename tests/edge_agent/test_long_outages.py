"""Outages of hours and months in a second: real requests to a real server, and a clock that moves when one waits."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tenacity import Future, RetryCallState, Retrying

from edge_agent.clock_offset import ClockOffset
from edge_agent.delivery import Delivery, Idle
from edge_agent.headquarters import Headquarters
from edge_agent.line_state import LineState
from edge_agent.pulse import Pulse
from edge_agent.retry_policy import RetryPolicy, TryLater
from edge_agent.uplink import Uplink
from tests.edge_agent.builders import LIMITS, ManualClock, open_intake, sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

OUR_500 = {"status": 500, "marked": True, "body": '{"errorCode": "INTERNAL_ERROR", "message": "No"}'}


class PassingTime(threading.Event):
    """Set when the time is over; whoever waits for it moves the clock instead."""

    def __init__(self, clock: ManualClock, until: timedelta, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._clock = clock
        self._end = clock.now() + until
        self._meanwhile = meanwhile
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Moves the clock, lets something happen, and says whether the time is over."""
        assert timeout is not None
        self.pauses.append(timeout)
        self._clock.move(timeout)
        self._meanwhile()
        if self._clock.now() >= self._end:
            self.set()
        return self.is_set()


class Store:
    """The agent's way from the till to headquarters, without its loops."""

    def __init__(self, folder: Path, line: MisbehavingLine, cap: float) -> None:
        self.clock = ManualClock()
        self.desk, self._intake = open_intake(folder, self.clock)
        self._uplink = Uplink(
            line.url, lambda: "first-credential", self.clock, connect_timeout=5, answer_timeout=5
        )
        headquarters = Headquarters(
            "STORE-01", self._uplink, LineState(self.clock), ClockOffset(), self.clock
        )
        self.retry = RetryPolicy(first=1, cap=cap, retry_after_cap=cap)
        self.delivery = Delivery(
            self.desk, headquarters, lambda: LIMITS, self.retry, self.clock, Pulse(self.clock)
        )
        self.sold = 0

    def sell(self) -> None:
        """A sale, durable before this returns."""
        self.sold += 1
        self._intake.accept(self._intake.translate([sale(eventId=f"till-{self.sold}")]).groups)

    def deliver(self, until: timedelta, meanwhile: Callable[[], None]) -> tuple[Any, list[float]]:
        """Delivers until nothing is left or the time is over; the last outcome, and every pause."""
        waiting = PassingTime(self.clock, until, meanwhile)
        outcome: Any = None
        while not (isinstance(outcome, Idle) or waiting.is_set()):
            outcome = self.retry.until_done(self.delivery._careful_pass, waiting)
        return outcome, waiting.pauses

    def close(self) -> None:
        """Gives the file free."""
        self._uplink.close()
        self.desk.close()


@pytest.fixture
def open_store(tmp_path: Path, line: MisbehavingLine) -> Iterator[Callable[[float], Store]]:
    """Makes the store; its argument is the longest pause in seconds."""
    made: list[Store] = []

    def make(cap: float) -> Store:
        made.append(Store(tmp_path, line, cap))
        return made[-1]

    yield make
    for store in made:
        store.close()


def test_500_for_a_month_and_then_everything_arrives(
    open_store: Callable[[float], Store], line: MisbehavingLine
) -> None:
    cap = 6 * 3600.0
    store = open_store(cap)
    line.always(**OUR_500)
    store.sell()
    outcome, pauses = store.deliver(timedelta(days=30), store.sell)
    assert isinstance(outcome, TryLater)
    assert "answers 500" in outcome.reason
    late = pauses[20:]
    assert len(late) > 100
    assert max(late) <= cap
    assert min(late) < cap / 4 < 3 * cap / 4 < max(late)  # still jittering at the cap
    line.always()
    outcome, _ = store.deliver(timedelta(days=1), lambda: None)
    assert isinstance(outcome, Idle)
    assert line.held()["events"] == {str(n): f"till-{n}" for n in range(1, store.sold + 1)}


def test_a_connection_that_flaps_for_hours_delivers_each_sale_once(
    open_store: Callable[[float], Store], line: MisbehavingLine
) -> None:
    dice = random.Random(20260210)
    ways: list[dict[str, Any]] = [
        {"hang_up": True}, {"commit": True, "hang_up": True}, {"close_after": 30}, OUR_500, {"then_close": True},
        {"status": 201, "marked": True, "commit": True, "body": '{"batchId":', "announce": 500},
        {"status": 200, "body": "<html>Welcome!</html>"}, {"answer_of": "another-batch"},
    ]  # fmt: skip
    store = open_store(3600.0)
    began = store.clock.now()
    line.next_batches(*dice.choices(ways, k=120))
    paused = 0
    while store.clock.now() - began < timedelta(hours=4):
        store.sell()
        outcome, pauses = store.deliver(timedelta(hours=4), store.sell)
        paused += len(pauses)
        if isinstance(outcome, Idle):
            store.clock.move(60)
    line.next_batches()
    outcome, _ = store.deliver(timedelta(days=1), lambda: None)
    assert isinstance(outcome, Idle)
    assert paused > 20
    held = line.held()
    assert held["events"] == {str(n): f"till-{n}" for n in range(1, store.sold + 1)}
    of_batch: dict[str, set[str]] = {}
    for attempt in held["attempts"]:
        of_batch.setdefault(attempt["batchId"], set()).add(attempt["sha256"])
    assert all(len(hashes) == 1 for hashes in of_batch.values())


def drawn(policy: RetryPolicy, attempt: int) -> float:
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    state.outcome = Future.construct(attempt, TryLater(reason="away"), has_exception=False)
    return policy.pause(state)


def test_a_thousand_agents_do_not_come_at_once_when_headquarters_returns() -> None:
    """They have tried for an hour; headquarters comes back: in no second does it meet more than a few of them."""
    policy = RetryPolicy(first=1, cap=60, retry_after_cap=900)
    arrivals: Counter[int] = Counter()
    for _ in range(1000):
        at, attempt = 0.0, 1
        while at < 3600:
            at += drawn(policy, attempt)
            attempt += 1
        arrivals[int(at)] += 1
    assert max(arrivals.values()) < 80
    assert len(arrivals) > 30


@pytest.mark.parametrize("attempt", [43_200, 1_000_000])
def test_the_pause_is_still_drawn_after_a_month_and_after_years(attempt: int) -> None:
    policy = RetryPolicy(first=1, cap=60, retry_after_cap=900)
    pauses = [drawn(policy, attempt) for _ in range(30)]
    assert min(pauses) < 30 < max(pauses) <= 60
