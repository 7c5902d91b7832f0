"""What a till's bare local time means, where it happened once, twice or never; whenever is the oracle."""

from datetime import UTC, datetime, timedelta

import pytest
import whenever
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.business_date import TimeReading, read_local_time
from tests.shared.clock_changes import CHANGES, ZONES

NEW_YORK = "America/New_York"
TWICE = datetime.fromisoformat("2026-11-01T01:15")
FIRST, SECOND = datetime(2026, 11, 1, 5, 15, tzinfo=UTC), datetime(2026, 11, 1, 6, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("own_zone_data")


@st.composite
def local_times(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and a local time in it, most of them within three hours of a clock change."""
    zone = draw(st.sampled_from(ZONES))
    near = whenever.Instant(draw(st.sampled_from(CHANGES[zone]))).to_tz(zone).to_plain().to_stdlib()
    return zone, near + timedelta(seconds=draw(st.integers(-3 * 3600, 3 * 3600)))


@settings(max_examples=400, deadline=None)
@given(local_times())
def test_every_local_time_is_read_as_the_oracle_reads_it(where: tuple[str, datetime]) -> None:
    zone, local = where
    plain = whenever.PlainDateTime(local)
    compatible = plain.assume_tz(zone, disambiguation="compatible")
    earlier, later = (
        plain.assume_tz(zone, disambiguation=side).to_instant().to_stdlib() for side in ("earlier", "later")
    )
    instant, reading = read_local_time(local, zone, None)
    assert instant == compatible.to_instant().to_stdlib()
    if earlier == later:
        assert reading is TimeReading.LOCAL
    elif compatible.to_plain() != plain:
        assert reading is TimeReading.GAP
    else:
        assert reading is TimeReading.FOLD_EARLIER
        assert read_local_time(local, zone, later - MINUTE) == (later, TimeReading.FOLD_LATER)


@pytest.mark.parametrize(
    ("previous", "instant", "reading"),
    [
        (None, FIRST, TimeReading.FOLD_EARLIER),
        (FIRST - MINUTE, FIRST, TimeReading.FOLD_EARLIER),
        (FIRST, FIRST, TimeReading.FOLD_EARLIER),
        (FIRST + MINUTE, SECOND, TimeReading.FOLD_LATER),
        (SECOND, SECOND, TimeReading.FOLD_LATER),
        (SECOND + MINUTE, FIRST, TimeReading.FOLD_EARLIER),
    ],
)
def test_in_the_hour_that_happens_twice_the_workstation_s_own_order_decides(
    previous: datetime | None, instant: datetime, reading: TimeReading
) -> None:
    assert read_local_time(TWICE, NEW_YORK, previous) == (instant, reading)


def test_a_time_that_never_happened_is_read_with_the_offset_before_the_gap() -> None:
    instant, reading = read_local_time(datetime.fromisoformat("2026-03-08T02:30"), NEW_YORK, None)
    assert (instant, reading) == (datetime(2026, 3, 8, 7, 30, tzinfo=UTC), TimeReading.GAP)


def test_a_time_with_an_offset_is_no_local_time() -> None:
    with pytest.raises(ValueError, match="no offset"):
        read_local_time(FIRST, NEW_YORK, None)


@pytest.mark.parametrize("zone", [NEW_YORK, "Asia/Tokyo"])
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"])
def test_a_till_whose_clock_was_never_set_can_still_be_read(zone: str, end: str) -> None:
    local = datetime.fromisoformat(end)
    instant, _ = read_local_time(local, zone, None)
    assert abs(instant.replace(tzinfo=None) - local) <= timedelta(days=1)
