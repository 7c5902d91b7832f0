"""The only place in TillSync where time is read, so that a test can run the whole product on virtual time."""

import time
from datetime import UTC, datetime
from typing import Protocol


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
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def read_instant(text: str) -> datetime:
    """The UTC instant that `text` (ISO 8601 with an offset) names.

    Raises ValueError when the text is no date-time or carries no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time carries no offset")
    return moment.astimezone(UTC)
