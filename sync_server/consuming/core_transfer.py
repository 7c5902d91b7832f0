"""What the inventory core says of a transfer as a whole: `StoreTransferEvent` with both stores and several lines. Pure.

    {"eventType": "StoreTransferEvent", "eventId": "…", "payload":
        {"transferId", "fromStoreId", "toStoreId", "status": "SHIPPED", "lines": [{"itemId", "quantity"}]}}

A shipment or a receipt becomes events of the one store that it concerns, each with an id made of the message's and
its place: posted once, as a till's scans are. A single scan, with `storeId`, is `inbound.py`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from shared.exact_decimal import exact_arithmetic, parse
from shared.identifiers import is_identifier, is_store_id
from shared.pos_event import EventType, read_event
from shared.problems import Violation
from shared.wire_json import JsonError, decode_json
from sync_server.consuming.inbound import DeadLetterReason, Inbound, Unusable, read_message

EVENT_TYPE = "StoreTransferEvent"
MAX_LINES = 1000
_MARK = b'"fromStoreId"'


class Action(StrEnum):
    """What is said to have happened."""

    REQUESTED = "REQUESTED"
    SHIPPED = "SHIPPED"
    RECEIVED = "RECEIVED"
    CANCELLED = "CANCELLED"


_SCANS = {Action.SHIPPED: EventType.TRANSFER_OUT, Action.RECEIVED: EventType.TRANSFER_IN}


@dataclass(frozen=True, slots=True)
class CoreTransfer:
    """One word of the inventory core."""

    transfer_id: str
    from_store_id: str
    to_store_id: str
    action: Action
    requested: Mapping[str, Decimal]
    """Quantity (> 0) by item id; of a request alone."""
    scans: tuple[Inbound, ...]
    """The events of the store that ships or receives."""

    @property
    def store_id(self) -> str:
        """The store whose row the posting locks."""
        return self.to_store_id if self.action is Action.RECEIVED else self.from_store_id


def read_word(value: bytes | None) -> Inbound | CoreTransfer | Unusable:
    """What a message says, be it of one event or of a whole transfer."""
    if value is not None and _MARK in value:
        try:
            document = decode_json(value)
        except JsonError:
            return read_message(value)
        if type(document) is dict and document.get("eventType") == EVENT_TYPE:
            payload = document.get("payload")
            if type(payload) is dict and payload.get("storeId") is None:
                return _read(payload, document.get("eventId", payload.get("eventId")))
    return read_message(value)


def _read(payload: Mapping[str, Any], event_id: Any) -> CoreTransfer | Unusable:
    said = payload.get("status") or payload.get("action")
    if type(event_id) is int:
        event_id = str(event_id)
    violations = _violations(payload, said, event_id)
    if violations:
        sentence = "; ".join(f"{violation.field}: {violation.constraint}" for violation in violations)
        return Unusable(DeadLetterReason.STRUCTURE_INVALID, sentence, tuple(violations))
    action, transfer_id = Action(str(said)), str(payload["transferId"])
    scans: list[Inbound] = []
    requested: dict[str, Decimal] = {}
    if action in _SCANS:
        if event_id is None:
            sentence = "a shipment or receipt takes an eventId: the same again must not count twice"
            return Unusable(DeadLetterReason.NO_IDENTITY, sentence)
        store_id = payload["toStoreId" if action is Action.RECEIVED else "fromStoreId"]
        for number, line in enumerate(payload["lines"]):
            raw = _scan(payload, line, _SCANS[action], f"{event_id}/{number}")
            event = read_event(raw, f"payload.lines[{number}]")
            if isinstance(event, list):
                sentence = "; ".join(f"{violation.field}: {violation.constraint}" for violation in event)
                return Unusable(DeadLetterReason.STRUCTURE_INVALID, sentence, tuple(event))
            scans.append(Inbound(store_id, event, raw, from_till=False))
    elif action is Action.REQUESTED:
        with exact_arithmetic():
            for line in payload["lines"]:
                item_id = line["itemId"]
                requested[item_id] = requested.get(item_id, Decimal(0)) + parse(line["quantity"])
    return CoreTransfer(
        transfer_id, payload["fromStoreId"], payload["toStoreId"], action, requested, tuple(scans)
    )


def _scan(
    payload: Mapping[str, Any], line: Mapping[str, Any], kind: EventType, event_id: str
) -> dict[str, Any]:
    scan = {
        "type": kind.value,
        "eventId": event_id,
        "transferId": payload["transferId"],
        "itemId": line["itemId"],
        "quantity": line["quantity"],
        "occurredAt": payload.get("occurredAt"),
    }
    return {name: value for name, value in scan.items() if value is not None}


def _violations(payload: Mapping[str, Any], said: Any, event_id: Any) -> list[Violation]:
    found: list[Violation] = []
    for field in ("fromStoreId", "toStoreId"):
        name = payload.get(field)
        if type(name) is not str or not is_store_id(name):
            found.append(Violation(f"payload.{field}", "must name a store", name))
    transfer_id = payload.get("transferId")
    if type(transfer_id) is not str or not is_identifier(transfer_id):
        found.append(Violation("payload.transferId", "must be 1 to 128 characters", transfer_id))
    if type(said) is not str or said not in set(Action):
        found.append(Violation("payload.status", f"must be one of {', '.join(Action)}", said))
    if event_id is not None and (type(event_id) is not str or not is_identifier(event_id)):
        found.append(Violation("eventId", "must be 1 to 128 characters", event_id))
    lines = payload.get("lines")
    if said == Action.CANCELLED and lines is None:
        return found
    if type(lines) is not list or not 0 < len(lines) <= MAX_LINES:
        found.append(Violation("payload.lines", f"must be a list of 1 to {MAX_LINES} lines"))
        return found
    for number, line in enumerate(lines):
        found += _line_violations(line, f"payload.lines[{number}]")
    return found


def _line_violations(line: Any, path: str) -> list[Violation]:
    if type(line) is not dict:
        return [Violation(path, "must be an object with itemId and quantity", line)]
    found: list[Violation] = []
    item_id = line.get("itemId")
    if type(item_id) is not str or not is_identifier(item_id):
        found.append(Violation(f"{path}.itemId", "must be 1 to 128 characters", item_id))
    try:
        if parse(line.get("quantity")) <= 0:
            raise ValueError("must be greater than zero")
    except ValueError as error:
        found.append(Violation(f"{path}.quantity", str(error), line.get("quantity")))
    return found
