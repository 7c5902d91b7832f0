"""An agent's numbering and stamping of events, as far as a test of the server needs one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.business_date import DayRule, business_date
from shared.clock import instant_text, read_instant
from tests.set_clock import START
from tests.till_events import Event

STREAM_ID = "018f6b1e-0000-7000-8000-000000000001"


class AgentStream:
    """Gives events their ids, sequences and stamps, group by group."""

    def __init__(self, stream_id: str = STREAM_ID, rule: DayRule | None = None) -> None:
        self.stream_id = stream_id
        self.rule = rule or DayRule("UTC")
        self.sequence = 0

    def group(self, *events: Event, at: datetime = START, **stamp: Any) -> list[Event]:
        """These events as one group, accepted at `at`; `stamp` overrides what is stamped."""
        first = self.sequence + 1
        return [self._stamped(event, first, len(events), at, stamp) for event in events]

    def groups(self, *events: Event, at: datetime = START) -> list[Event]:
        """Each of these events as a group of its own."""
        return [stamped for event in events for stamped in self.group(event, at=at)]

    def skip(self, sequences: int = 1) -> None:
        """Leaves a gap."""
        self.sequence += sequences

    def _stamped(self, event: Event, first: int, size: int, at: datetime, changes: Any) -> Event:
        self.sequence += 1
        said = event.get("occurredAt")
        occurred_at = at if said is None else read_instant(said)
        stamp = {
            "businessDate": business_date(occurred_at, self.rule).isoformat(),
            "occurredAt": instant_text(occurred_at),
            "timeReading": "ARRIVAL" if said is None else "OFFSET",
            "receivedAt": instant_text(at),
            "groupFirst": first,
            "groupSize": size,
            **changes,
        }
        event_id = event.get("eventId", f"{self.stream_id}-{self.sequence}")
        return {**event, "eventId": event_id, "sequence": self.sequence, "stamp": stamp}


def sequences(events: Iterable[Event]) -> list[int]:
    """The sequences of stamped events."""
    return [event["sequence"] for event in events]
