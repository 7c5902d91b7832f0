"""When an event happened and which business date it belongs to, by HQ's own record of the store. Pure.

The agent stamps once and never rewrites; HQ computes again. Where the two differ HQ posts its own value, keeps
the agent's beside it and raises a finding.
"""

from datetime import date, datetime, timedelta

import msgspec

from shared.business_date import DayRule, TimeReading, believed_business_date, business_date, read_local_time
from shared.clock import read_instant
from shared.event_record import PosEvent, Stamp

FUTURE_TOLERANCE = timedelta(minutes=5)
PAST_TOLERANCE = timedelta(days=35)


class EventTime(msgspec.Struct, frozen=True, gc=False):
    """The instant, how it was read, the date it is booked under, and what is suspicious about them."""

    occurred_at: datetime
    reading: str
    business_date: date
    agent_business_date: date | None
    """The agent's, where it is another; None where they agree or no agent spoke."""
    date_mismatch: bool
    clock_suspect: bool
    suspicious: bool
    """Whether either is so."""
    agent_occurred_at: datetime | None = None
    """The agent's instant, where HQ reads the till's local time as another."""


class _Reading(msgspec.Struct, frozen=True, gc=False):
    """What was read last: the stamp, what the till said of date and time, and what became of them."""

    stamp: Stamp
    declared: str | None
    local: str | None
    """The till's bare local time, which is read again; None where the stamp says all."""
    time: EventTime


class EventClock:
    """Reads the times of one batch: remembers each workstation's last instant and what it has computed."""

    def __init__(self, rule: DayRule, posted_at: datetime, now: datetime) -> None:
        self._rule = rule
        self._posted_at = posted_at
        self._earliest, self._latest = now - PAST_TOLERANCE, now + FUTURE_TOLERANCE
        self._previous: dict[str | None, datetime] = {}
        self._dates: dict[datetime, date] = {}
        self._last: _Reading | None = None

    def read(self, event: PosEvent) -> EventTime:
        """The time of `event`; call it in the batch's order."""
        stamp, declared, last = event.stamp, event.business_date, self._last
        if (
            # Lines of one transaction are stamped alike.
            stamp is not None
            and last is not None
            and stamp.occurred_at == last.stamp.occurred_at
            and stamp.business_date == last.stamp.business_date
            and stamp.time_reading == last.stamp.time_reading
            and declared == last.declared
            and (last.local is None or event.occurred_at == last.local)
        ):
            self._previous[event.workstation_id] = last.time.occurred_at
            return last.time
        time = self._read(event)
        local = event.occurred_at if _is_local(event.occurred_at) else None
        self._last = None if stamp is None else _Reading(stamp, declared, local, time)
        return time

    def _read(self, event: PosEvent) -> EventTime:
        stamp = event.stamp
        occurred_at, reading = self._instant(event, stamp)
        self._previous[event.workstation_id] = occurred_at
        computed = self._dates.get(occurred_at)
        if computed is None:
            computed = self._dates[occurred_at] = business_date(occurred_at, self._rule)
        declared = None if event.business_date is None else date.fromisoformat(event.business_date)
        booked, set_aside = believed_business_date(declared, computed)
        differs = stamp is not None and stamp.business_date != booked
        other_instant = stamp is not None and stamp.occurred_at != occurred_at
        mismatch = set_aside or differs or other_instant
        suspect = not self._earliest <= occurred_at <= self._latest
        return EventTime(
            occurred_at=occurred_at,
            reading=reading,
            business_date=booked,
            agent_business_date=stamp.business_date if stamp is not None and differs else None,
            date_mismatch=mismatch,
            clock_suspect=suspect,
            suspicious=mismatch or suspect,
            agent_occurred_at=stamp.occurred_at if stamp is not None and other_instant else None,
        )

    def _instant(self, event: PosEvent, stamp: Stamp | None) -> tuple[datetime, str]:
        said = event.occurred_at
        if stamp is not None:
            if said is None or not _is_local(said):
                return stamp.occurred_at, stamp.time_reading
            return self._read_again(said, stamp)
        if said is None:
            return self._posted_at, TimeReading.POSTED_AT.value
        if not _is_local(said):
            return read_instant(said), TimeReading.OFFSET.value
        previous = self._previous.get(event.workstation_id)
        instant, reading = read_local_time(datetime.fromisoformat(said), self._rule.zone, previous)
        return instant, reading.value

    def _read_again(self, said: str, stamp: Stamp) -> tuple[datetime, str]:
        """A local time by HQ's own record of the store.

        In the hour that happens twice either instant is right, and the agent, which knows what the workstation did
        before, has chosen; any other instant is overruled.
        """
        local, zone = datetime.fromisoformat(said), self._rule.zone
        instant, reading = read_local_time(local, zone, None)
        if reading is TimeReading.FOLD_EARLIER and stamp.occurred_at != instant:
            later, later_reading = read_local_time(local, zone, stamp.occurred_at)
            if stamp.occurred_at == later:
                return later, later_reading.value
        return instant, reading.value


def _is_local(said: str | None) -> bool:
    """Whether a time is a bare local one: an instant is read as UTC and ends in Z."""
    return said is not None and said[-1:] != "Z"
