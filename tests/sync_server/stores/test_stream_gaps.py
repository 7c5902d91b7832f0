"""What the server tells an agent of its stream: how far everything arrived, and what is missing above."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from sync_server.stores.stream_gaps import MAX_GAPS, stream_progress


def _received(*spans: tuple[int, int]) -> Multirange[int]:
    """Inclusive pairs as PostgreSQL gives them: half-open."""
    return Multirange([Range(first, last + 1) for first, last in spans])


@pytest.mark.parametrize(
    ("spans", "acknowledged", "gaps"),
    [
        ([], 0, []),
        ([(1, 1200)], 1200, []),
        ([(1, 1200), (1211, 1700)], 1200, [(1201, 1210)]),
        ([(5, 9)], 0, [(1, 4)]),
        ([(1, 1), (3, 3), (5, 5)], 1, [(2, 2), (4, 4)]),
    ],
)
def test_everything_up_to_the_first_gap_is_acknowledged(
    spans: list[tuple[int, int]], acknowledged: int, gaps: list[tuple[int, int]]
) -> None:
    progress = stream_progress(_received(*spans))
    assert (progress.acknowledged_sequence, progress.gaps) == (acknowledged, gaps)


def test_what_was_acknowledged_and_is_gone_is_a_gap() -> None:
    restored_from_yesterday = _received((1, 50))
    assert stream_progress(restored_from_yesterday, acknowledged_before=80).gaps == [(51, 80)]


def test_what_has_not_been_sent_yet_is_no_gap() -> None:
    assert stream_progress(_received((1, 50))).gaps == []


def test_the_number_of_gaps_named_is_bounded() -> None:
    holes = _received(*((number, number) for number in range(1, 1000, 2)))
    assert len(stream_progress(holes).gaps) == MAX_GAPS


@given(st.sets(st.integers(min_value=1, max_value=60)))
def test_acknowledged_gaps_and_received_together_are_everything(numbers: set[int]) -> None:
    spans: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    progress = stream_progress(_received(*spans))
    missing = {number for first, last in progress.gaps for number in range(first, last + 1)}
    assert missing | numbers == set(range(1, max(numbers, default=0) + 1))
    assert missing & numbers == set()
    assert progress.acknowledged_sequence == min(missing, default=max(numbers, default=0) + 1) - 1
