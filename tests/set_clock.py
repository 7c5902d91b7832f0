"""A clock that a test sets; the product reads time through nothing else."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 2, 10, 23, 5, tzinfo=UTC)


class SetClock:
    """Stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The instant that was set."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that have passed since the clock was made."""
        return self._monotonic

    def advance(self, by: timedelta) -> None:
        """Moves wall clock and monotonic clock on together."""
        self._now += by
        self._monotonic += by.total_seconds()
