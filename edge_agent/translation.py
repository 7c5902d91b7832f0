"""Pure: one raw record of a till + the store's day rule + its arrival -> a stamped event, or why not.

The till's own fields go through untouched; beside them come an identity, where the till gave none, and the
stamp: the business date, the instant, how that was found out, and the arrival. Stamped once, never rewritten.
"""

from datetime import UTC, date, datetime, timedelta
from struct import Struct
from typing import Any

import msgspec

from edge_agent.packed_event import pack_stamp
from edge_agent.plain_record import PlainRecord
from edge_agent.stamped_event import StampedEvent, UnreadableLine
from shared.business_date import (
    DayRule,
    TimeReading,
    believed_business_date,
    business_date,
    day_begins,
    read_local_time,
)
from shared.identifiers import derived_key_hex, event_key_hex, new_event_id, uuid_text
from shared.pos_event import PosEvent, read_event
from shared.problems import Violation
from shared.wire_json import encode_json

ENVELOPE = frozenset({"streamId", "sequence", "stamp"})
"""Fields that the agent alone writes."""
_unpack_halves = Struct(">qq").unpack
"""A 16-byte key as two signed numbers, which is what SQLite keeps."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class StoreRule:
    """What translation must know of the store; remembers the day that the last event fell into."""

    __slots__ = ("_window", "day_rule", "store_id")

    def __init__(self, store_id: str, day_rule: DayRule) -> None:
        self.store_id = store_id
        self.day_rule = day_rule
        self._window = (_NEVER, _NEVER, date.min)

    def business_date(self, instant: datetime) -> date:
        """The business date of an aware instant; nearly every event falls into the same one as its forerunner."""
        begins, ends, day = self._window
        if begins <= instant < ends:
            return day
        day = business_date(instant, self.day_rule)
        tomorrow = day + timedelta(days=1)
        self._window = (day_begins(day, self.day_rule), day_begins(tomorrow, self.day_rule), day)
        return day


class Arrival(msgspec.Struct, frozen=True):
    """When a record came, and its last-resort identity when it came by a way that can be walked twice."""

    received_at: datetime
    fallback_id: str | None = None
    """The id of a record that has none and yields none: its place in a file of this very content."""


def translate(
    raw: Any,
    path: str,
    store: StoreRule,
    arrival: Arrival,
    previous: datetime | None,
) -> tuple[StampedEvent, datetime] | list[Violation]:
    """The stamped event and its instant, or every violation, fields named below `path`.

    `previous` is the last instant of the same workstation: it decides in the hour that happens twice.
    """
    if type(raw) is UnreadableLine:
        return [
            Violation(path, f"Line is unreadable: {raw.reason}", raw.raw.decode("utf-8", "backslashreplace"))
        ]
    if type(raw) is PlainRecord:
        event = raw.event
    else:
        if type(raw) is dict and not ENVELOPE.isdisjoint(raw):
            if foreign := _foreign_envelope(raw, path):
                return foreign
            raw = {name: value for name, value in raw.items() if name not in ENVELOPE}
        read = read_event(raw, path)
        if isinstance(read, list):
            return read
        event = read
    instant, reading = _instant(event, store.day_rule, arrival.received_at, previous)
    day = store.business_date(instant)
    if event.business_date is not None:
        # A declared date that is not believed stays among the till's own fields, where HQ sees and reports it.
        day, _ = believed_business_date(date.fromisoformat(event.business_date), day)
    event_id, key = _identity(event, raw, store.store_id, arrival)
    key_high, key_low = _unpack_halves(bytes.fromhex(key))
    return StampedEvent(
        event_id=event_id,
        key_high=key_high,
        key_low=key_low,
        content_hash=event.content_hash,
        business_day=day.toordinal(),
        own_fields=_own_fields(raw, event_id),
        stamp=pack_stamp(instant, arrival.received_at, reading),
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


def _identity(event: PosEvent, raw: Any, store_id: str, arrival: Arrival) -> tuple[str, str]:
    """The event's id and key; where its till gave none: from the till's own words, from its file, or fresh ones."""
    event_id = event.event_id
    if event_id is None:
        workstation, transaction, line = event.workstation_id, event.transaction_number, event.line_number
        if workstation and transaction and line is not None and (date_text := _date_text(raw)):
            key = derived_key_hex(store_id, workstation, date_text, transaction, str(line))
            return uuid_text(key), key
        event_id = arrival.fallback_id or new_event_id(arrival.received_at)
    return event_id, event_key_hex(event_id)


def _date_text(raw: Any) -> str:
    """The date in the till's own words; empty when it said none."""
    if type(raw) is PlainRecord:
        return raw.date_text
    text: str = raw.get("businessDate") or (raw.get("occurredAt") or "")[:10]
    return text


def _foreign_envelope(raw: dict[str, Any], path: str) -> list[Violation]:
    """A till that numbers or stamps by itself would be taken for an agent; nulls are nothing."""
    return [
        Violation(f"{path}.{name}", f"{name} is given by the agent and must not be sent by a till", raw[name])
        for name in sorted(ENVELOPE)
        if raw.get(name) is not None
    ]


def _own_fields(raw: Any, event_id: str) -> bytes:
    """The till's fields as they came; only the id is spelled as text, or added."""
    if type(raw) is PlainRecord:
        if raw.event.event_id is not None:
            return raw.document[:-1]
        return b'%b,"eventId":"%b"' % (raw.document[:-1], event_id.encode("ascii"))
    if "eventId" not in raw:  # then it was made here, and needs no escaping
        return b'%b,"eventId":"%b"' % (encode_json(raw)[:-1], event_id.encode("ascii"))
    return encode_json(raw if raw["eventId"] == event_id else {**raw, "eventId": event_id})[:-1]


def workstation_of(raw: Any) -> str:
    """Whose clock a record was stamped by; records of tills without a name share one."""
    if type(raw) is PlainRecord:
        return str(raw.event.workstation_id)
    return str(raw.get("workstationId")) if type(raw) is dict else ""


def group_key(raw: Any) -> tuple[str, ...] | None:
    """What says that a record and its neighbour are lines of one transaction; None: it is a group of its own."""
    if type(raw) is PlainRecord:
        event = raw.event
        workstation, transaction, sale = event.workstation_id, event.transaction_number, event.sale_id
        business_date = event.business_date
    elif type(raw) is dict:
        workstation, transaction = raw.get("workstationId"), raw.get("transactionNumber")
        sale, business_date = raw.get("saleId"), raw.get("businessDate")
    else:
        return None
    if transaction is not None:
        # Some tills count from 1 again every day: one number on two declared dates is two transactions.
        return ("transaction", str(workstation), str(transaction), str(business_date))
    if sale is not None:
        return ("sale", str(workstation), str(sale))
    return None
