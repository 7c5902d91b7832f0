"""When a business date begins and which one an instant belongs to, by hand where clocks change and by an oracle.

The oracle is another library (whenever) and another definition: a store's business date is the latest date whose
day start the store's clock has shown up to now.
"""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import whenever
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.business_date import DayRule, believed_business_date, business_date, day_begins
from tests.shared.clock_changes import CHANGES, ZONES

SINCE, UNTIL = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1995, 2036))
STARTS = [time(0), time(2, 30), time(4)]
NEW_YORK, LORD_HOWE, APIA = "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"
CAIRO, CASABLANCA = "Africa/Cairo", "Africa/Casablanca"

pytestmark = pytest.mark.usefixtures("own_zone_data")


@pytest.mark.parametrize(
    ("zone", "start", "day", "begins"),
    [
        (NEW_YORK, "00:00", "2026-02-10", "2026-02-10T05:00"),
        (NEW_YORK, "04:00", "2026-02-10", "2026-02-10T09:00"),
        (
            NEW_YORK,
            "02:30",
            "2026-03-08",
            "2026-03-08T07:00",
        ),  # 02:30 never happened; the clock went 02:00 → 03:00
        (NEW_YORK, "04:00", "2026-03-08", "2026-03-08T08:00"),
        (NEW_YORK, "01:30", "2026-11-01", "2026-11-01T05:30"),  # 01:30 happened twice; the first one counts
        (NEW_YORK, "02:00", "2026-11-01", "2026-11-01T07:00"),
        (LORD_HOWE, "02:15", "2026-10-04", "2026-10-03T15:30"),  # half an hour's gap
        (LORD_HOWE, "01:45", "2026-04-05", "2026-04-04T14:45"),  # half an hour's fold
        (CAIRO, "00:00", "2026-04-24", "2026-04-23T22:00"),  # midnight itself never happened
        (CASABLANCA, "02:30", "2026-02-15", "2026-02-15T01:30"),  # summer time ends for Ramadan
        (CASABLANCA, "02:30", "2026-03-22", "2026-03-22T02:00"),
        (APIA, "00:00", "2011-12-30", "2011-12-30T10:00"),  # a date that Samoa skipped: no time at all …
        (APIA, "00:00", "2011-12-31", "2011-12-30T10:00"),
        (APIA, "04:00", "2011-12-30", "2011-12-30T10:00"),  # … or the four hours before the next day start
        (APIA, "04:00", "2011-12-31", "2011-12-30T14:00"),
    ],
)
def test_a_business_date_begins_when_the_store_s_clock_first_reaches_its_start(
    zone: str, start: str, day: str, begins: str
) -> None:
    rule = DayRule(zone, time.fromisoformat(start))
    instant = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    assert day_begins(date.fromisoformat(day), rule) == instant


@pytest.mark.parametrize(
    ("local", "day"), [("2026-02-11T03:59:59", "2026-02-10"), ("2026-02-11T04:00:00", "2026-02-11")]
)
def test_what_is_sold_after_midnight_belongs_to_the_day_before_until_the_day_starts(
    local: str, day: str
) -> None:
    sold = datetime.fromisoformat(local + "-05:00")
    assert business_date(sold, DayRule(NEW_YORK, time(4))) == date.fromisoformat(day)


def test_no_sale_belongs_to_a_date_that_was_skipped_at_midnight() -> None:
    rule = DayRule(APIA)
    skipped = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert business_date(skipped - timedelta(microseconds=1), rule) == date(2011, 12, 29)
    assert business_date(skipped, rule) == date(2011, 12, 31)


def test_the_hour_that_happens_twice_belongs_to_one_date_once_it_has_begun() -> None:
    rule = DayRule(NEW_YORK, time(1, 30))
    second_one_oclock = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    assert business_date(second_one_oclock, rule) == date(2026, 11, 1)


@st.composite
def instants(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and an instant in it, every other time within two days of one of its clock changes."""
    zone = draw(st.sampled_from(ZONES))
    near = draw(st.sampled_from([*CHANGES[zone], *[None] * len(CHANGES[zone])]))
    if near is None:
        return zone, datetime.fromtimestamp(draw(st.integers(SINCE, UNTIL)), UTC)
    seconds = draw(st.integers(-48 * 3600, 48 * 3600))
    return zone, near + timedelta(seconds=seconds)


def _shown_by_the_clock(instant: datetime, zone: str) -> datetime:
    """The latest local time that a clock in `zone` has shown in the 26 hours up to `instant`, by the oracle."""
    quarter = instant.replace(minute=instant.minute // 15 * 15, second=0, microsecond=0)
    moments = [instant] + [quarter - timedelta(minutes=15 * n, microseconds=1) for n in range(26 * 4)]
    return max(whenever.Instant(moment).to_tz(zone).to_plain().to_stdlib() for moment in moments)


@settings(max_examples=300, deadline=None)
@given(instants(), st.sampled_from(STARTS))
def test_the_business_date_is_the_latest_whose_start_the_clock_has_shown(
    where: tuple[str, datetime], start: time
) -> None:
    zone, instant = where
    shown = _shown_by_the_clock(instant, zone)
    day_start = timedelta(hours=start.hour, minutes=start.minute)
    assert business_date(instant, DayRule(zone, start)) == (shown - day_start).date()


@settings(max_examples=300, deadline=None)
@given(instants(), st.sampled_from(STARTS))
def test_a_date_begins_where_the_oracle_s_clock_passes_its_start(
    where: tuple[str, datetime], start: time
) -> None:
    zone, instant = where
    rule = DayRule(zone, start)
    day = business_date(instant, rule)
    begins = day_begins(day, rule)
    assert begins <= instant < day_begins(day + timedelta(days=1), rule)
    wanted = datetime.combine(day, start)
    assert whenever.Instant(begins).to_tz(zone).to_plain().to_stdlib() >= wanted
    just_before = begins - timedelta(microseconds=1)
    assert whenever.Instant(just_before).to_tz(zone).to_plain().to_stdlib() < wanted


@pytest.mark.parametrize("zone", ["UTC", NEW_YORK, "Asia/Tokyo", "Pacific/Kiritimati"])
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_a_clock_at_the_end_of_the_calendar_still_has_a_business_date(zone: str, end: str) -> None:
    instant = datetime.fromisoformat(end)
    assert abs(business_date(instant, DayRule(zone, time(4))) - instant.date()) <= timedelta(days=1)


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../etc/passwd", "Europe", "EST5EDT4", "\x00", "x" * 5000]
)
def test_a_zone_that_the_data_does_not_know_is_refused_with_what_to_do(zone: str) -> None:
    with pytest.raises(ValueError, match="use a name such as"):
        DayRule(zone)


def test_a_day_start_with_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="without an offset"):
        DayRule("UTC", time(4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("declared", "believed"), [(9, True), (10, True), (11, True), (8, False), (12, False)]
)
def test_a_declared_date_is_believed_within_a_day_of_the_computed_one(
    declared: int, *, believed: bool
) -> None:
    computed = date(2026, 2, 10)
    said = date(2026, 2, declared)
    assert believed_business_date(said, computed) == ((said, False) if believed else (computed, True))


def test_without_a_declared_date_the_computed_one_stands() -> None:
    assert believed_business_date(None, date(2026, 2, 10)) == (date(2026, 2, 10), False)
