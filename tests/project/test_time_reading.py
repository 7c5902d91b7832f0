"""Time is read in one place, and always with its offset."""

import pytest

from tests.project import time_reading
from tests.project.source_tree import PACKAGES, broken_rules, python_files, sample


def test_time_is_read_only_in_the_clock() -> None:
    assert not (found := broken_rules(time_reading.clock_readings, python_files(*PACKAGES))), found


def test_no_datetime_is_naive() -> None:
    assert not (found := broken_rules(time_reading.naive_readings, python_files())), found


def test_sql_does_not_read_the_clock_of_the_database() -> None:
    assert not (found := broken_rules(time_reading.database_clock, python_files(*PACKAGES))), found


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "from time import monotonic\nmonotonic()",
        "import time\ndef f(read=time.monotonic): ...",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import datetime as dt\ndt.date.today()",
        "from time import perf_counter_ns as ticks\nticks()",
    ],
)
def test_a_reading_beside_the_clock_is_found(text: str) -> None:
    assert broken_rules(time_reading.clock_readings, [sample(text)])
    assert not broken_rules(time_reading.clock_readings, [sample(text, time_reading.THE_CLOCK)])


@pytest.mark.parametrize("call", ["now()", "utcnow()", "today()", "fromtimestamp(0)", "utcfromtimestamp(0)"])
def test_a_naive_datetime_is_found(call: str) -> None:
    assert broken_rules(
        time_reading.naive_readings, [sample(f"from datetime import datetime\ndatetime.{call}")]
    )


@pytest.mark.parametrize(
    "text",
    [
        "X = 'UPDATE device SET revoked_at = now()'",
        "X = 'SELECT current_timestamp'",
        "Column(server_default=func.now())",
    ],
)
def test_sql_that_reads_the_clock_is_found(text: str) -> None:
    assert broken_rules(time_reading.database_clock, [sample(text)])
