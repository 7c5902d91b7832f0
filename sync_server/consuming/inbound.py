"""What a message says: an event of a store, or why it cannot be understood. Pure.

The value is `{eventType, eventId?, payload: a till's event + storeId}`. The event goes on as if its till had posted
it: without `storeId`, under the message's `eventId`, or under the id that a file would give it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from shared.identifiers import is_store_id, uuid_text
from shared.pos_event import EventType, PosEvent, read_event
from shared.problems import Violation
from shared.wire_json import JsonError, decode_json
from sync_server.ingestion.natural_key import natural_key


@dataclass(frozen=True, slots=True)
class InboundKind:
    """What the messages of one `eventType` are."""

    types: tuple[EventType, ...]
    """The types that their events may have; with one alone the payload need not name it."""
    from_till: bool
    """Whether they are a till's words, which reach headquarters by the store's one intake."""


INBOUND_KINDS: Final[Mapping[str, InboundKind]] = {
    "POSSaleEvent": InboundKind((EventType.SALE,), from_till=True),
    "POSReturnEvent": InboundKind((EventType.RETURN,), from_till=True),
    "StoreTransferEvent": InboundKind((EventType.TRANSFER_OUT, EventType.TRANSFER_IN), from_till=False),
}
"""By `eventType`. How each type of event is posted is ingestion's business."""


class DeadLetterReason(StrEnum):
    """Why a message was laid aside; the header `reason` of its dead letter."""

    NOT_JSON = "NOT_JSON"
    NOT_AN_EVENT = "NOT_AN_EVENT"
    UNKNOWN_EVENT_TYPE = "UNKNOWN_EVENT_TYPE"
    UNKNOWN_STORE = "UNKNOWN_STORE"
    STRUCTURE_INVALID = "STRUCTURE_INVALID"
    NO_IDENTITY = "NO_IDENTITY"
    NOT_POSTABLE = "NOT_POSTABLE"


@dataclass(frozen=True, slots=True)
class Inbound:
    """An event of a store, ready to be posted; it has its id."""

    store_id: str
    event: PosEvent
    raw: dict[str, Any]
    from_till: bool


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a message cannot be posted: the reason, a sentence, every violation of the event."""

    reason: DeadLetterReason
    sentence: str
    violations: tuple[Violation, ...] = ()


def read_message(value: bytes | None) -> Inbound | Unusable:
    """What the message with this value says."""
    try:
        document = decode_json(value or b"")
    except JsonError as error:
        return Unusable(DeadLetterReason.NOT_JSON, str(error))
    if type(document) is not dict or type(document.get("payload")) is not dict:
        sentence = "the value must be an object with eventType and payload"
        return Unusable(DeadLetterReason.NOT_AN_EVENT, sentence)
    event_type = document.get("eventType")
    kind = INBOUND_KINDS.get(event_type) if type(event_type) is str else None
    if kind is None:
        sentence = f"eventType must be one of {', '.join(INBOUND_KINDS)}"
        return Unusable(DeadLetterReason.UNKNOWN_EVENT_TYPE, sentence)
    payload = dict(document["payload"])
    store_id = payload.pop("storeId", None)
    if type(store_id) is not str or not is_store_id(store_id):
        return Unusable(DeadLetterReason.UNKNOWN_STORE, "payload.storeId must name a store")
    return _read_event(kind, store_id, payload, document.get("eventId"))


def _read_event(kind: InboundKind, store_id: str, raw: dict[str, Any], event_id: Any) -> Inbound | Unusable:
    if event_id is not None:
        raw["eventId"] = event_id
    if raw.get("type") is None and len(kind.types) == 1:
        raw["type"] = kind.types[0].value
    event = read_event(raw, "payload")
    if isinstance(event, list):
        return _broken(*event)
    if event.type not in kind.types:
        wanted = " or ".join(kind.types)
        return _broken(Violation("payload.type", f"Type must be {wanted}", event.type))
    if event.sequence is not None or event.stamp is not None:
        return _broken(Violation("payload", "Sequence and stamp are an agent's; a message has none"))
    if event.event_id is None:
        key = natural_key(store_id, event, raw)
        if key is None:
            sentence = (
                "the message has no eventId, and none can be derived: that takes workstationId, "
                "transactionNumber, lineNumber and businessDate or occurredAt"
            )
            return Unusable(DeadLetterReason.NO_IDENTITY, sentence)
        event.event_id = raw["eventId"] = uuid_text(key)
    return Inbound(store_id, event, raw, kind.from_till)


def _broken(*violations: Violation) -> Unusable:
    sentence = "; ".join(f"{violation.field}: {violation.constraint}" for violation in violations)
    return Unusable(DeadLetterReason.STRUCTURE_INVALID, sentence, violations)
