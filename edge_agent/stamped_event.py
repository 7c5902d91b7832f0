"""The forms an event has inside the agent, between a source's raw record and the receipt that answers it."""

from collections.abc import Sequence
from datetime import date

import msgspec

from shared.problems import Violation


class StampedEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A till event that can be understood, stamped with its business date; only its sequence is missing."""

    event_id: str
    key_high: int
    """First half of the 16-byte event key, as a signed 64-bit number."""
    key_low: int
    content_hash: bytes
    business_day: int
    """The stamped business date as a proleptic day number (`date.toordinal`)."""
    own_fields: bytes
    """The till's own fields and the event id as wire JSON, without the closing brace."""
    stamp: bytes
    """When it happened and when it came, packed (`packed_event.py`)."""


class UnreadableLine(msgspec.Struct, frozen=True):
    """A line that should hold a record and is no JSON; it is refused by name beside the others."""

    raw: bytes
    reason: str


EventGroup = Sequence[StampedEvent]
"""Lines that were handed over together: consecutive sequences, one commit, never cut between batches."""


class Accepted(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel"):
    """What a till is told of one event, once it is durable."""

    event_id: str
    sequence: int
    business_date: date
    duplicate: bool


class Refused(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A record that cannot be understood: its index in what was handed over, and every violation."""

    index: int
    violations: list[Violation]
