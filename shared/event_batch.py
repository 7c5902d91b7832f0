"""The batch, a request's worth of till events, and the receipt that answers it."""

import hashlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from shared.clock import read_instant
from shared.identifiers import MAX_LENGTH, is_identifier
from shared.plain_event import NOT_PLAIN, is_printable, read_plain_json, spelled_number, take_plain
from shared.pos_event import PosEvent, read_carefully, read_event
from shared.problems import Violation
from shared.wire_json import JsonError, decode_json

EventReader = Callable[[Any, int], PosEvent | list[Violation]]
"""Reads one event, given its index in the batch."""
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
    raw_events: Sequence[Any]
    """The events as they came: JSON as bytes, or decoded; `wire_json.encode_json` writes either."""
    stream_id: str | None = None
    timezone_data: str | None = None


class _PlainDocument(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A batch of nothing but ordinary events, read at once."""

    events: list[PosEvent]
    batch_id: str
    posted_at: str
    stream_id: str | None = None
    content_hash: str | None = None
    timezone_data: str | None = None


class _Document(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A batch on the wire whose events are left in their bytes; one of another shape is read as any JSON is."""

    events: list[msgspec.Raw]
    batch_id: Any = None
    posted_at: Any = None
    stream_id: Any = None
    content_hash: Any = None
    timezone_data: Any = None


_PLAIN_DOCUMENT = msgspec.json.Decoder(_PlainDocument, float_hook=spelled_number)
_DOCUMENT = msgspec.json.Decoder(_Document, float_hook=Decimal)


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


def read_batch_document(document: bytes, max_events: int) -> EventBatch | list[Violation]:
    """As `read_batch`, from the bytes of the JSON; most events never become dictionaries.

    Raises JsonError for what is no JSON at all.
    """
    return _read_plain_batch(document, max_events) or _read_by_event(document, max_events)


def _read_plain_batch(document: bytes, max_events: int) -> EventBatch | None:
    """The batch when all of it is ordinary, None for any other: that is looked at event by event."""
    try:
        plain = _PLAIN_DOCUMENT.decode(document)
        if len(plain.events) > max_events or not take_plain(plain.events, printable=is_printable(document)):
            return None
    except NOT_PLAIN:
        return None
    raw = {
        "batchId": plain.batch_id,
        "postedAt": plain.posted_at,
        "streamId": plain.stream_id,
        "contentHash": plain.content_hash,
        "timezoneData": plain.timezone_data,
        "events": plain.events,
    }
    batch = _read(raw, max_events, lambda event, _: event)
    if type(batch) is not EventBatch:
        return None
    batch.raw_events = _RawEvents(document)
    return batch


class _RawEvents(Sequence[Any]):
    """A batch's events in their bytes, taken apart when somebody asks: only what is held is kept as it came."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._events: list[msgspec.Raw] | None = None

    def __getitem__(self, index: Any) -> Any:
        if self._events is None:
            self._events = _DOCUMENT.decode(self._document).events
        return self._events[index]

    def __len__(self) -> int:
        return len(self[:])


def _read_by_event(document: bytes, max_events: int) -> EventBatch | list[Violation]:
    """The batch, every event read from its own bytes, in the plain way or carefully."""
    try:
        split = _DOCUMENT.decode(document)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        return read_batch(decode_json(document, check_depth=False), max_events)
    raw = {
        "batchId": split.batch_id,
        "postedAt": split.posted_at,
        "streamId": split.stream_id,
        "contentHash": split.content_hash,
        "timezoneData": split.timezone_data,
        "events": split.events,
    }
    printable = is_printable(document)

    def read(event: msgspec.Raw, index: int) -> PosEvent | list[Violation]:
        return read_plain_json(event, printable=printable) or read_carefully(
            decode_json(event, check_depth=False), _path(index)
        )

    try:
        return _read(raw, max_events, read)
    except JsonError:
        # Said once more of the whole: what is wrong has its place in the document and not in one event.
        return read_batch(decode_json(document, check_depth=False), max_events)


def read_batch(raw: Any, max_events: int) -> EventBatch | list[Violation]:
    """The batch that `raw` (decoded JSON) states, or every violation of it and of its events."""
    if type(raw) is not dict:
        return [Violation("", "Batch must be a JSON object with batchId, postedAt and events", raw)]
    return _read(raw, max_events, lambda event, index: read_event(event, _path(index)))


def _path(index: int) -> str:
    return f"events[{index}]"


def _read(raw: dict[str, Any], max_events: int, read: EventReader) -> EventBatch | list[Violation]:
    found: list[Violation] = []
    batch_id = _text(raw, "batchId", "Batch id", found, required=True)
    stream_id = _text(raw, "streamId", "Stream id", found, required=False)
    timezone_data = _text(raw, "timezoneData", "Timezone data", found, required=False)
    posted_at = _posted_at(raw, found)
    events = _events(raw.get("events"), max_events, read, found)
    content_hash = b""
    if not found:
        _check_sequences(events, stream_id, found)
        content_hash = batch_hash(events)
        _check_declared_hash(raw.get("contentHash"), content_hash, found)
    if found or batch_id is None or posted_at is None:
        return found
    return EventBatch(
        batch_id=batch_id,
        posted_at=posted_at,
        events=events,
        content_hash=content_hash,
        raw_events=raw["events"],
        stream_id=stream_id,
        timezone_data=timezone_data,
    )


def batch_hash(events: Sequence[PosEvent]) -> bytes:
    """SHA-256 (32 bytes) over one line `eventId:contentHash` (hex, newline) per event, in the batch's order."""
    return hash_of_pairs([(event.event_id or "", event.content_hash) for event in events])


def hash_of_pairs(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    """The batch hash of (event id, content hash) pairs, for a side that keeps those and not the events."""
    lines = "".join([f"{event_id}:{content_hash.hex()}\n" for event_id, content_hash in pairs])
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


def _events(raw: Any, max_events: int, read: EventReader, found: list[Violation]) -> list[PosEvent]:
    if type(raw) is not list or not raw:
        found.append(Violation("events", "Events must be a list of at least one event", raw))
        return []
    if len(raw) > max_events:
        found.append(Violation("events", f"Events must be at most {max_events} in a batch", len(raw)))
        return []
    events: list[PosEvent] = []
    for index, item in enumerate(raw):
        event = read(item, index)
        if type(event) is PosEvent:
            events.append(event)
        else:
            found.extend(event)  # type: ignore[arg-type]
    return events


def _check_sequences(events: Sequence[PosEvent], stream_id: str | None, found: list[Violation]) -> None:
    """A stream's events carry ids and rising sequences; events without a stream carry no sequence."""
    last = 0
    for index, event in enumerate(events):
        if stream_id is None:
            if event.sequence is not None:
                found.append(
                    Violation(
                        f"{_path(index)}.sequence", "Sequence needs the batch's streamId", event.sequence
                    )
                )
            continue
        if event.event_id is None or event.sequence is None or event.stamp is None:
            found.append(Violation(_path(index), "Event of a stream must carry eventId, sequence and stamp"))
            continue
        if event.sequence <= last:
            found.append(
                Violation(f"{_path(index)}.sequence", "Sequence must rise within a batch", event.sequence)
            )
        last = event.sequence


def _check_declared_hash(declared: Any, content_hash: bytes, found: list[Violation]) -> None:
    """A declared hash guards against damage on the way and against two readings of the same fields."""
    if declared is not None and declared != content_hash.hex():
        constraint = "Content hash must be the SHA-256 over the events' ids and content hashes"
        found.append(Violation("contentHash", constraint, declared))
