"""How instants are spelled and read, up to the years that no till's clock shows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock, instant_text, read_instant
from shared.event_fields import moment

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(timezones=OFFSETS)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 2, 10, 23, tzinfo=UTC), "2026-02-10T23:00:00Z"),
        (datetime(2026, 2, 10, 23, 0, 0, 500, tzinfo=UTC), "2026-02-10T23:00:00.000500Z"),
        (datetime(2026, 2, 10, 18, tzinfo=timezone(timedelta(hours=-5))), "2026-02-10T23:00:00Z"),
    ],
)
def test_an_instant_is_spelled_in_utc(instant: datetime, text: str) -> None:
    assert instant_text(instant) == text
    assert read_instant(text) == instant


def test_a_local_time_is_no_instant() -> None:
    with pytest.raises(ValueError, match="offset"):
        instant_text(datetime.fromisoformat("2026-02-10T23:00:00"))
    with pytest.raises(ValueError, match="offset"):
        read_instant("2026-02-10T23:00:00")


@given(INSTANTS)
def test_what_a_till_s_field_may_say_can_be_read_again(instant: datetime) -> None:
    try:
        said = moment(instant.isoformat())
    except ValueError:
        assert not 1970 <= instant.year <= 2999
        return
    assert read_instant(said) == instant


@given(INSTANTS)
def test_an_instant_that_was_read_can_be_read_again(instant: datetime) -> None:
    try:
        once = read_instant(instant.isoformat())
    except ValueError:
        return
    assert read_instant(instant_text(once)) == once == instant


@pytest.mark.parametrize(
    "text", ["1970-01-01T00:00:00+14:00", "2999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z"]
)
def test_a_clock_that_was_never_set_or_set_far_ahead_is_read(text: str) -> None:
    assert read_instant(moment(text)) == datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_year_at_the_end_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="year"):
        read_instant(text)


def test_the_machine_s_clock_is_aware_and_its_monotonic_one_goes_on() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()
