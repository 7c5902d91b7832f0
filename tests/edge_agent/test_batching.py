"""Where a batch ends."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.batching import BatchLimits, Line, batch_size, runs_between


def lines_of(*groups: int, size: int = 100) -> list[Line]:
    return [Line(size, after) for group in groups for after in range(group - 1, -1, -1)]


def test_no_lines_make_no_batch() -> None:
    assert batch_size([], BatchLimits(10, 1000)) == 0


def test_a_batch_ends_before_the_group_that_would_exceed_the_events() -> None:
    assert batch_size(lines_of(3, 3, 3), BatchLimits(8, 10_000)) == 6


def test_a_batch_ends_before_the_group_that_would_exceed_the_bytes() -> None:
    assert batch_size(lines_of(3, 3, 3), BatchLimits(100, 700)) == 6


def test_a_group_that_is_larger_than_the_limits_goes_alone() -> None:
    assert batch_size(lines_of(20, 1), BatchLimits(5, 100)) == 20
    assert batch_size(lines_of(1, 20, 1), BatchLimits(5, 10_000)) == 1


def test_a_full_batch_is_not_read_beyond() -> None:
    lines = iter(lines_of(2, 2, 2))
    assert batch_size(lines, BatchLimits(4, 10_000)) == 4
    assert len(list(lines)) == 2


@given(st.lists(st.integers(1, 7), max_size=30), st.integers(1, 12), st.integers(50, 2000))
def test_no_group_is_ever_cut_and_nothing_is_skipped(groups: list[int], events: int, size: int) -> None:
    lines, limits = lines_of(*groups), BatchLimits(events, size)
    ends = {sum(groups[: n + 1]) for n in range(len(groups))}
    taken = 0
    while lines[taken:]:
        cut = batch_size(lines[taken:], limits)
        assert cut > 0
        taken += cut
        assert taken in ends
        assert cut <= events or cut in groups


def test_runs_leave_out_what_is_taken_out() -> None:
    assert runs_between(5, [2]) == [(0, 1), (3, 4)]
    assert runs_between(5, [0, 4, 4]) == [(1, 3)]
    assert runs_between(2, [0, 1]) == []
    assert runs_between(3, []) == [(0, 2)]
