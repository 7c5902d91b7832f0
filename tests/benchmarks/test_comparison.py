"""How rounds become a row of the table."""

from dataclasses import replace

import pytest

from benchmarks.comparison import Comparison, measured, spread, table

SERIES = {"ours": [90.0, 10.0, 50.0], "by hand, 1": [80.0, 70.0, 90.0], "by hand, 2": [100.0, 200.0, 60.0]}


def compared(goal: float | None) -> Comparison:
    return Comparison(
        name="ingest", meaning="server ingest", ours="ours", limits=("by hand, 1", "by hand, 2"), goal=goal
    )


def test_the_median_is_held_against_the_best_limit() -> None:
    row = measured(compared(0.45), SERIES)

    assert (row.ours, row.limit, row.best) == (50, 100, "by hand, 2")
    assert row.to_json() == {
        "name": "ingest",
        "ours": 50.0,
        "limit": 100.0,
        "ratio": 0.5,
        "goal": 0.45,
        "ok": True,
    }


@pytest.mark.parametrize(("goal", "ok"), [(0.5, True), (0.51, False), (None, True)])
def test_a_goal_is_reached_missed_or_not_set(goal: float | None, ok: bool) -> None:
    assert measured(compared(goal), SERIES).ok is ok


def test_the_table_names_what_was_measured_and_what_was_missed() -> None:
    shown = table([measured(compared(0.51), SERIES)])

    assert "server ingest" in shown
    assert "by hand, 2" in shown
    assert "NO" in shown


def test_every_round_is_shown() -> None:
    assert "(90 10 50)" in spread(SERIES)


def test_where_less_is_better_the_ratio_is_the_limit_over_ours() -> None:
    row = measured(replace(compared(1), at_most=True), {**SERIES, "by hand, 2": [60.0]})

    assert (row.ours, row.limit, row.ratio) == (50, 80, 1.6)
    assert row.ok
    assert "50.00" in table([row])
