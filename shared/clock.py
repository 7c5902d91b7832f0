"""The only place in TillSync where time is read, so that a test can run the whole product on virtual time."""

import time
from datetime import UTC, datetime
from typing import Protocol

FIRST_YEAR, LAST_YEAR = 1970, 2999
"""Years that an event may lie in; a till with a dead battery starts in 1970, 1980 or 2000."""


class Clock(Protocol):
    """What may be asked of time: an instant for the books, a monotonic reading for waiting."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:  # float: seconds
        """Seconds from an unnamed start; never goes back, whatever happens to the wall clock."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The machine's wall clock as an aware UTC instant."""
        return datetime.now(UTC)

    def monotonic(self) -> float:  # float: seconds
        """The machine's monotonic clock, in seconds."""
        return time.monotonic()


def instant_text(instant: datetime) -> str:
    """An aware instant as the wire spells it: `2026-02-10T23:00:00Z`, fractions only where there are any."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset; a bare local time is not an instant")
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    # Spelled with its offset and cut: making a bare date-time first would cost as much again.
    return instant.isoformat()[:-6] + "Z"


def read_instant(text: str) -> datetime:
    """The UTC instant that `text` (ISO 8601 with an offset) names.

    Raises ValueError when the text is no date-time, carries no offset or lies outside FIRST_YEAR to LAST_YEAR.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time carries no offset")
    # What a till's clock shows as the first of January 1970 in Tokyo was still 1969 in UTC.
    return sane_time(sane_time(moment, beyond=1).astimezone(UTC), beyond=1)


def sane_time(moment: datetime, *, beyond: int = 0) -> datetime:
    """`moment` itself; raises ValueError for a year that no till's clock shows, near which zones overflow.

    `beyond` allows as many years more on either side.
    """
    if not FIRST_YEAR - beyond <= moment.year <= LAST_YEAR + beyond:
        raise ValueError(f"the year must be {FIRST_YEAR} to {LAST_YEAR}")
    return moment
