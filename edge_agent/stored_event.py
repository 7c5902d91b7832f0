"""An event that was stored already, taken apart again, so that it can be stored once more in another stream."""

import re
from collections.abc import Iterable, Iterator
from struct import Struct

import msgspec

from edge_agent.packed_event import is_packed, stamp_of, unpack_event, wire_form
from edge_agent.spool_pages import StoredRow
from edge_agent.stamped_event import StampedEvent
from shared.identifiers import event_key_hex
from shared.pos_event import read_event
from shared.wire_json import JsonError, decode_json

_STREAMS_PART = re.compile(rb',"sequence":\d+,"stamp":(\{[^{}]*\})\}$', re.DOTALL)
"""What belongs to the stream that an event was in, where it lies in its wire form; everything before it is its own."""
_unpack_halves = Struct(">qq").unpack


class _EventId(msgspec.Struct):
    eventId: str  # noqa: N815  # the wire's spelling; only this one field is read


_read_event_id = msgspec.json.Decoder(_EventId).decode


def without_stream(row: StoredRow) -> StampedEvent | None:
    """The event as it was before it got a sequence; None when the bytes cannot be an event's."""
    try:
        own_fields, stamp = _parts(row)
        event_id = _read_event_id(own_fields + b"}").eventId
    except (msgspec.DecodeError, JsonError, KeyError, TypeError, ValueError, OverflowError):
        return None
    return StampedEvent(
        event_id=event_id,
        key_high=row.key_high,
        key_low=row.key_low,
        content_hash=row.content_hash,
        business_day=row.business_day,
        own_fields=own_fields,
        stamp=stamp,
    )


def _parts(row: StoredRow) -> tuple[bytes, bytes]:
    """The till's own fields, and the packed stamp; raises ValueError and what comes of nonsense."""
    if is_packed(row.body):
        return unpack_event(row.body, row.business_day, row.lines_after)[:2]
    part = _STREAMS_PART.search(row.body)
    if part is None:
        raise ValueError("there is no stamp")
    return row.body[: part.start()], stamp_of(decode_json(part[1]))


def verified(row: StoredRow) -> StampedEvent | None:
    """The same for a row that nobody vouches for: None when its key, hash or date do not fit its content."""
    event = without_stream(row)
    if event is None:
        return None
    try:
        whole = wire_form(row.body, row.position, row.business_day, row.lines_after)
        read = read_event(decode_json(whole), "event")
        key = _unpack_halves(bytes.fromhex(event_key_hex(event.event_id)))
    except (JsonError, ValueError, IndexError, OverflowError):
        return None
    if isinstance(read, list) or read.stamp is None or read.event_id != event.event_id:
        return None
    fits = (
        read.content_hash == row.content_hash
        and key == (row.key_high, row.key_low)
        and read.stamp.business_date.toordinal() == row.business_day
    )
    return event if fits else None


def regrouped(rows: Iterable[tuple[int, int, StampedEvent]]) -> Iterator[list[StampedEvent]]:
    """Groups again, from (position, lines that follow in the group, event) in rising position."""
    group: list[StampedEvent] = []
    expected = 0
    for position, lines_after, event in rows:
        if group and position != expected:  # a line between them is missing
            yield group
            group = []
        group.append(event)
        expected = position + 1
        if lines_after == 0:
            yield group
            group = []
    if group:
        yield group
