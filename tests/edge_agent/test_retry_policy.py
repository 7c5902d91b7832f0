"""How long the agent waits."""

import threading
from datetime import UTC, datetime

from tenacity import Future, RetryCallState, Retrying

from edge_agent.retry_policy import RetryPolicy, TryLater, read_retry_after

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)


def pauses(policy: RetryPolicy, attempt: int, outcome: TryLater, count: int = 200) -> list[float]:
    found = []
    for _ in range(count):
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = attempt
        state.outcome = Future.construct(attempt, outcome, has_exception=False)
        found.append(policy.pause(state))
    return found


def policy() -> RetryPolicy:
    return RetryPolicy(first=1, cap=60, retry_after_cap=900)


def test_the_pause_still_jitters_at_its_cap() -> None:
    drawn = pauses(policy(), 50, TryLater(reason="x"))
    assert min(drawn) < 15
    assert 45 < max(drawn) <= 60


def test_the_first_pause_is_short() -> None:
    assert max(pauses(policy(), 1, TryLater(reason="x"))) <= 1


def test_the_servers_wish_is_granted_with_a_spread() -> None:
    drawn = pauses(policy(), 1, TryLater(reason="x", retry_after=120))
    assert min(drawn) >= 120
    assert max(drawn) <= 132
    assert len(set(drawn)) > 100


def test_a_huge_wish_is_capped() -> None:
    assert max(pauses(policy(), 1, TryLater(reason="x", retry_after=1e9))) <= 990


def test_retry_after_is_read_as_seconds_or_date() -> None:
    assert read_retry_after("7", NOW) == 7
    assert read_retry_after("Tue, 10 Feb 2026 12:00:30 GMT", NOW) == 30


def test_retry_after_that_makes_no_sense_is_ignored() -> None:
    rubbish = (
        "0",
        "-5",
        "",
        "soon",
        "1.5",
        "Tue, 10 Feb 2026 11:00:00 GMT",
        "١٢",
        "Feb",
        "nan",
        "99" * 500 + "x",
    )
    assert [read_retry_after(header, NOW) for header in (None, *rubbish)] == [None] * (len(rubbish) + 1)


def test_a_retry_after_of_any_length_is_a_number() -> None:
    assert (read_retry_after("9" * 5000, NOW) or 0) > 1e9


def test_tries_go_on_until_something_else_comes() -> None:
    outcomes = [TryLater(reason="a"), TryLater(reason="b"), "done"]
    quick = RetryPolicy(first=0.001, cap=0.001, retry_after_cap=1)
    assert quick.until_done(lambda: outcomes.pop(0), threading.Event()) == "done"


def test_stopping_ends_the_waiting_at_once() -> None:
    stopping = threading.Event()

    def step() -> TryLater:
        stopping.set()
        return TryLater(reason="no line", retry_after=500)

    slow = RetryPolicy(first=500, cap=500, retry_after_cap=500)
    assert isinstance(slow.until_done(step, stopping), TryLater)
