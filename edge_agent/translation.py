"""Pure: one raw record of a till + the store's day rule + its arrival -> a stamped event, or why not.

The till's own fields go through untouched; beside them come an identity, where the till gave none, and the
stamp: the business date, the instant, how that was found out, and the arrival. Stamped once, never rewritten.
"""

from datetime import date, datetime
from typing import Any

import msgspec

from edge_agent.stamped_event import StampedEvent, UnreadableLine
from shared.business_date import (
    DayRule,
    TimeReading,
    believed_business_date,
    business_date,
    read_local_time,
)
from shared.clock import instant_text
from shared.identifiers import derive_event_id, event_key, new_event_id
from shared.pos_event import PosEvent, read_event
from shared.problems import Violation
from shared.wire_json import encode_json

ENVELOPE = frozenset({"streamId", "sequence", "stamp"})
"""Fields that the agent alone writes."""


class StoreRule(msgspec.Struct, frozen=True):
    """What translation must know of the store."""

    store_id: str
    day_rule: DayRule


class Arrival(msgspec.Struct, frozen=True):
    """When a record came, and its last-resort identity when it came by a way that can be walked twice."""

    received_at: datetime
    received_text: str
    """The same as the wire spells it; one handing-over, however many records, spells it once."""
    fallback_id: str | None = None
    """The id of a record that has none and yields none: its place in a file of this very content."""


def translate(
    raw: Any, path: str, store: StoreRule, arrival: Arrival, previous: datetime | None
) -> tuple[StampedEvent, datetime] | list[Violation]:
    """The stamped event and its instant, or every violation, fields named below `path`.

    `previous` is the last instant of the same workstation: it decides in the hour that happens twice.
    """
    if type(raw) is UnreadableLine:
        return [
            Violation(path, f"Line is unreadable: {raw.reason}", raw.raw.decode("utf-8", "backslashreplace"))
        ]
    if type(raw) is dict and not ENVELOPE.isdisjoint(raw):
        if foreign := _foreign_envelope(raw, path):
            return foreign
        raw = {name: value for name, value in raw.items() if name not in ENVELOPE}
    event = read_event(raw, path)
    if isinstance(event, list):
        return event
    declared = None if event.business_date is None else date.fromisoformat(event.business_date)
    try:
        instant, reading = _instant(event, store.day_rule, arrival.received_at, previous)
        # A declared date that is not believed stays in the till's own fields, where HQ sees it and reports
        # it.
        day, _ = believed_business_date(declared, business_date(instant, store.day_rule))
    except OverflowError:
        constraint = "Time must lie within the calendar, from year 1 to year 9999 in the store's own zone"
        return [Violation(f"{path}.occurredAt", constraint, raw.get("occurredAt"))]
    event_id = event.event_id or _identity(event, raw, store.store_id, arrival)
    key = event_key(event_id).int
    return StampedEvent(
        event_id=event_id,
        key_high=_signed(key >> 64),
        key_low=_signed(key & 0xFFFF_FFFF_FFFF_FFFF),
        content_hash=event.content_hash,
        business_day=day.toordinal(),
        # The till's fields as they came; only the id is spelled as text.
        own_fields=encode_json(raw if raw.get("eventId") == event_id else {**raw, "eventId": event_id})[:-1],
        stamp=_stamp(day, instant, reading, arrival),
    ), instant


def _instant(
    event: PosEvent, rule: DayRule, received_at: datetime, previous: datetime | None
) -> tuple[datetime, TimeReading]:
    if event.occurred_at is None:
        return received_at, TimeReading.ARRIVAL
    moment = datetime.fromisoformat(event.occurred_at)
    if moment.tzinfo is not None:
        return moment, TimeReading.OFFSET
    return read_local_time(moment, rule.zone, previous)


def _identity(event: PosEvent, raw: Any, store_id: str, arrival: Arrival) -> str:
    """An id for an event that its till gave none: from the till's own words, from its file, or a fresh one."""
    date_text = raw.get("businessDate") or (raw.get("occurredAt") or "")[:10]
    if event.workstation_id and event.transaction_number and event.line_number is not None and date_text:
        return derive_event_id(
            store_id, event.workstation_id, date_text, event.transaction_number, str(event.line_number)
        )
    return arrival.fallback_id or new_event_id(arrival.received_at)


def _foreign_envelope(raw: dict[str, Any], path: str) -> list[Violation]:
    """A till that numbers or stamps by itself would be taken for an agent; nulls are nothing."""
    return [
        Violation(f"{path}.{name}", f"{name} is given by the agent and must not be sent by a till", raw[name])
        for name in sorted(ENVELOPE)
        if raw.get(name) is not None
    ]


def _stamp(day: date, instant: datetime, reading: TimeReading, arrival: Arrival) -> bytes:
    text = (
        f'"stamp":{{"businessDate":"{day.isoformat()}","occurredAt":"{instant_text(instant)}"'
        f',"timeReading":"{reading}","receivedAt":"{arrival.received_text}"'
    )
    return text.encode("ascii")


def _signed(half: int) -> int:
    """An unsigned 64-bit number as SQLite keeps it."""
    return half - (1 << 64) if half >> 63 else half


def group_key(raw: Any) -> tuple[str, ...] | None:
    """What says that a record and its neighbour are lines of one transaction; None: it is a group of its own."""
    if type(raw) is not dict:
        return None
    workstation, transaction, sale = raw.get("workstationId"), raw.get("transactionNumber"), raw.get("saleId")
    if transaction is not None:
        return ("transaction", str(workstation), str(transaction))
    if sale is not None:
        return ("sale", str(workstation), str(sale))
    return None
