"""The batch, a request's worth of till events, and the receipt that answers it."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from shared.clock import read_instant
from shared.identifiers import MAX_LENGTH, is_identifier
from shared.pos_event import PosEvent, read_event
from shared.problems import Violation

BATCH_FAILED = "POS batch validation failed"
"""The message of a refused batch, in the spec's words."""


class EventBatch(msgspec.Struct, kw_only=True):
    """A batch that can be understood: every event read, no violation."""

    batch_id: str
    posted_at: str
    """UTC with `Z`."""
    events: list[PosEvent]
    content_hash: bytes
    """SHA-256 over ids and content hashes in order: the same batch again has it again."""
    stream_id: str | None = None
    timezone_data: str | None = None


class BatchReceipt(msgspec.Struct, kw_only=True, rename="camel"):
    """The server's answer to a batch: what it holds now, up to where, and what is missing."""

    batch_id: str
    store_id: str
    status: str
    duplicate: bool
    accepted: int
    duplicates: int
    held: int
    findings: list[dict[str, Any]]
    acknowledged_sequence: int
    """Everything up to it was received; 0 without a stream."""
    gaps: list[tuple[int, int]]
    """Sequences above it that are missing, first and last of each run."""
    commands: list[dict[str, Any]]
    server_time: str


def read_batch(raw: Any, max_events: int) -> EventBatch | list[Violation]:
    """The batch that `raw` (decoded JSON) states, or every violation of it and of its events."""
    if type(raw) is not dict:
        return [Violation("", "Batch must be a JSON object with batchId, postedAt and events", raw)]
    found: list[Violation] = []
    batch_id = _text(raw, "batchId", "Batch id", found, required=True)
    stream_id = _text(raw, "streamId", "Stream id", found, required=False)
    timezone_data = _text(raw, "timezoneData", "Timezone data", found, required=False)
    posted_at = _posted_at(raw, found)
    events = _events(raw.get("events"), max_events, found)
    if not found:
        _check_sequences(events, stream_id, found)
        _check_declared_hash(raw.get("contentHash"), events, found)
    if found or batch_id is None or posted_at is None:
        return found
    return EventBatch(
        batch_id=batch_id,
        posted_at=posted_at,
        events=events,
        content_hash=batch_hash(events),
        stream_id=stream_id,
        timezone_data=timezone_data,
    )


def batch_hash(events: Sequence[PosEvent]) -> bytes:
    """SHA-256 (32 bytes) over one line `eventId:contentHash` (hex, newline) per event, in the batch's order."""
    return hash_of_pairs([(event.event_id or "", event.content_hash) for event in events])


def hash_of_pairs(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    """The batch hash of (event id, content hash) pairs, for a side that keeps those and not the events."""
    lines = "".join(f"{event_id}:{content_hash.hex()}\n" for event_id, content_hash in pairs)
    return hashlib.sha256(lines.encode()).digest()


def _text(
    raw: dict[str, Any], name: str, label: str, found: list[Violation], *, required: bool
) -> str | None:
    value = raw.get(name)
    if value is None:
        if required:
            found.append(Violation(name, f"{label} is required"))
        return None
    if type(value) is str and is_identifier(value):
        return value
    constraint = f"{label} must be a text of 1 to {MAX_LENGTH} characters without control characters"
    found.append(Violation(name, constraint, value))
    return None


def _posted_at(raw: dict[str, Any], found: list[Violation]) -> str | None:
    value = raw.get("postedAt")
    if value is None:
        found.append(Violation("postedAt", "Posted at is required"))
        return None
    try:
        if type(value) is str and len(value) <= 40:
            return read_instant(value).replace(tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):
        pass
    constraint = "Posted at must be an ISO 8601 date-time with an offset such as 2026-02-10T23:00:00Z"
    found.append(Violation("postedAt", constraint, value))
    return None


def _events(raw: Any, max_events: int, found: list[Violation]) -> list[PosEvent]:
    if type(raw) is not list or not raw:
        found.append(Violation("events", "Events must be a list of at least one event", raw))
        return []
    if len(raw) > max_events:
        found.append(Violation("events", f"Events must be at most {max_events} in a batch", len(raw)))
        return []
    events: list[PosEvent] = []
    for index, item in enumerate(raw):
        event = read_event(item, f"events[{index}]")
        if isinstance(event, list):
            found.extend(event)
        else:
            events.append(event)
    return events


def _check_sequences(events: Sequence[PosEvent], stream_id: str | None, found: list[Violation]) -> None:
    """A stream's events carry ids and rising sequences; events without a stream carry no sequence."""
    last = 0
    for index, event in enumerate(events):
        path = f"events[{index}]"
        if stream_id is None:
            if event.sequence is not None:
                found.append(
                    Violation(f"{path}.sequence", "Sequence needs the batch's streamId", event.sequence)
                )
            continue
        if event.event_id is None or event.sequence is None or event.stamp is None:
            found.append(Violation(path, "Event of a stream must carry eventId, sequence and stamp"))
            continue
        if event.sequence <= last:
            found.append(Violation(f"{path}.sequence", "Sequence must rise within a batch", event.sequence))
        last = event.sequence


def _check_declared_hash(declared: Any, events: Sequence[PosEvent], found: list[Violation]) -> None:
    """A declared hash guards against damage on the way and against two readings of the same fields."""
    if declared is not None and declared != batch_hash(events).hex():
        constraint = "Content hash must be the SHA-256 over the events' ids and content hashes"
        found.append(Violation("contentHash", constraint, declared))
