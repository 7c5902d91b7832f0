"""Which business date an instant belongs to, and which instant a till's bare local time means.

Business date D begins at one instant: the first occurrence of the store's day start on D, or the first
instant after a gap that swallows it. It ends where D + 1 begins.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from shared.zone_data import zone_named


class TimeReading(StrEnum):
    """How the instant of an event was found; kept with the event."""

    OFFSET = "OFFSET"
    """The till gave an offset."""
    LOCAL = "LOCAL"
    """A bare local time that happened once."""
    FOLD_EARLIER = "FOLD_EARLIER"
    """A bare local time that happened twice; the earlier one keeps the workstation's order."""
    FOLD_LATER = "FOLD_LATER"
    """A bare local time that happened twice; the later one keeps the workstation's order."""
    GAP = "GAP"
    """A bare local time that never happened, read with the offset before the gap."""
    ARRIVAL = "ARRIVAL"
    """No time given; the instant at which the agent took the event."""
    POSTED_AT = "POSTED_AT"
    """No time given; the `postedAt` of the batch."""


@dataclass(frozen=True, slots=True)
class DayRule:
    """A store's IANA zone and the local time at which its business day starts."""

    zone: str
    day_start: time = time(0)

    def __post_init__(self) -> None:
        zone_named(self.zone)
        if self.day_start.tzinfo is not None:
            raise ValueError("the day start is a local time, without an offset")


@lru_cache(maxsize=65536)
def day_begins(day: date, rule: DayRule) -> datetime:
    """The UTC instant at which business date `day` begins under `rule`."""
    local = datetime.combine(day, rule.day_start)
    first, second = _readings(local, rule.zone)
    if first > second:
        return _transition(second, first, rule.zone)
    return first


def business_date(instant: datetime, rule: DayRule) -> date:
    """The business date of an aware UTC `instant` under `rule`."""
    try:
        day = instant.astimezone(zone_named(rule.zone)).date()
        while instant < day_begins(day, rule):
            day -= timedelta(days=1)
        while instant >= day_begins(day + timedelta(days=1), rule):
            day += timedelta(days=1)
    except OverflowError:
        # The calendar ends here: a till whose clock was never set says 0001-01-01, and its sale is a fact too.
        return instant.date()
    return day


def read_local_time(local: datetime, zone: str, previous: datetime | None) -> tuple[datetime, TimeReading]:
    """The UTC instant that a bare `local` time means in `zone`, and how it was read.

    `previous` is the last instant read on the same workstation: in the hour that happens twice, the earlier
    reading is taken unless only the later one keeps the workstation's own order.
    """
    if local.tzinfo is not None:
        raise ValueError("a bare local time has no offset")
    first, second = _readings(local, zone)
    if first == second:
        return first, TimeReading.LOCAL
    if first > second:
        return first, TimeReading.GAP
    if previous is not None and first < previous <= second:
        return second, TimeReading.FOLD_LATER
    return first, TimeReading.FOLD_EARLIER


def believed_business_date(declared: date | None, computed: date) -> tuple[date, bool]:
    """The date to book under, and whether a declared one had to be set aside.

    A till's declared date is believed within one day of the computed one.
    """
    if declared is None:
        return computed, False
    if abs(declared - computed) <= timedelta(days=1):
        return declared, False
    return computed, True


def _readings(local: datetime, zone: str) -> tuple[datetime, datetime]:
    """Both readings in UTC: equal for ordinary times, first < second in a fold, first > second in a gap."""
    info = zone_named(zone)
    try:
        return tuple(local.replace(tzinfo=info, fold=fold).astimezone(UTC) for fold in (0, 1))  # type: ignore[return-value]
    except OverflowError:
        # Within a day of the calendar's ends there is no offset to be had; the time is taken as it stands.
        return local.replace(tzinfo=UTC), local.replace(tzinfo=UTC)


def _transition(before: datetime, after: datetime, zone: str) -> datetime:
    """The instant between two at which the zone's offset changes; zone changes fall on whole seconds."""
    info = zone_named(zone)
    old_offset = before.astimezone(info).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(info).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after
