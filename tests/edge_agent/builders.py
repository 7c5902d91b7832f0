"""What the agent's tests build things from: sales with defaults, a clock that is set by hand, an open spool."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from edge_agent.batching import BatchLimits
from edge_agent.intake import Intake
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.stamped_event import StampedEvent
from edge_agent.translation import Arrival, StoreRule, translate
from shared.business_date import DayRule

NEW_YORK = StoreRule("STORE-01", DayRule("America/New_York", time(4)))
LIMITS = BatchLimits(max_events=500, max_bytes=1_000_000)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 2, 10, 15, tzinfo=UTC)) -> None:
        self._at = at
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._at

    def monotonic(self) -> float:
        """Seconds that it was moved forward."""
        return self._monotonic

    def move(self, seconds: float) -> None:
        """Moves both readings forward."""
        self._at += timedelta(seconds=seconds)
        self._monotonic += seconds


def sale(**fields: Any) -> dict[str, Any]:
    """A till's sale of one line."""
    return {"type": "SALE", "itemId": "item-001", "quantity": 2, "amount": 50, **fields}


def stamped(raw: dict[str, Any] | None = None, *, clock: ManualClock | None = None) -> StampedEvent:
    """A stamped event of a store in New York whose day starts at 04:00."""
    at = (clock or ManualClock()).now()
    result = translate(raw or sale(), "events[0]", NEW_YORK, Arrival(at), None)
    assert isinstance(result, tuple), result
    return result[0]


def open_spool(folder: Path) -> Spool:
    """A spool on the real file system."""
    return Spool(folder / "spool.sqlite3", ManualClock())


def fill(spool: Spool, *group_sizes: int) -> None:
    """Accepts groups of the given sizes, one commit."""
    groups = [[stamped() for _ in range(size)] for size in group_sizes]
    spool.accept([groups])


def open_intake(folder: Path, clock: ManualClock) -> tuple[SpoolDesk, Intake]:
    """The way in, down to the disk."""
    desk = SpoolDesk(folder / "spool.sqlite3", clock)
    return desk, Intake(desk, lambda: NEW_YORK, clock)
