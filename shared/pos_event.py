"""The till event: what happened at a till, read once, exactly, with every violation named.

Structure only: whatever depends on state (stock, items, earlier events, periods) is decided at HQ, later.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from shared import event_fields as fields
from shared.canonical_json import canonical_value, hash_of_canonical
from shared.clock import read_instant, sane_time
from shared.event_record import PosEvent, Stamp
from shared.plain_event import read_plain
from shared.problems import Violation
from shared.wire_json import MAX_DEPTH, encode_json, too_deep

__all__ = ["EventType", "PosEvent", "Stamp", "check_event", "read_carefully", "read_event", "said_instant"]

MAX_EVENT_DEPTH = MAX_DEPTH - 2
"""Levels of nesting in one event; its batch and the list it stands in are the other two."""
MAX_FIELDS = 100
"""Fields of one event, unknown ones included."""


class EventType(StrEnum):
    """Everything a till reports."""

    SALE = "SALE"
    RETURN = "RETURN"
    VOID = "VOID"
    RECEIPT = "RECEIPT"
    TRANSFER_OUT = "TRANSFER_OUT"
    TRANSFER_IN = "TRANSFER_IN"
    ADJUSTMENT = "ADJUSTMENT"
    COUNT = "COUNT"
    DAY_CLOSE = "DAY_CLOSE"


_READERS: dict[str, tuple[str, fields.Reader]] = {
    "type": ("type", fields.one_of("Type", *EventType)),
    "itemId": ("item_id", fields.identifier("Item id")),
    "barcode": ("barcode", fields.number_or_identifier("Barcode")),
    "quantity": ("quantity", fields.decimal("Quantity")),
    "amount": ("amount", fields.decimal("Amount", at_least_zero=True)),
    "saleId": ("sale_id", fields.number_or_identifier("Sale id")),
    "lineNumber": ("line_number", fields.line_number),
    "transactionNumber": ("transaction_number", fields.number_or_identifier("Transaction number")),
    "workstationId": ("workstation_id", fields.number_or_identifier("Workstation id")),
    "cashierId": ("cashier_id", fields.number_or_identifier("Cashier id")),
    "occurredAt": ("occurred_at", fields.moment),
    "businessDate": ("business_date", fields.calendar_date),
    "unitCost": ("unit_cost", fields.decimal("Unit cost", at_least_zero=True)),
    "currency": ("currency", fields.currency),
    "taxAmount": ("tax_amount", fields.decimal("Tax amount", at_least_zero=True)),
    "discountAmount": ("discount_amount", fields.decimal("Discount amount")),
    "unitOfMeasure": ("unit_of_measure", fields.identifier("Unit of measure")),
    "tenders": ("tenders", fields.tenders),
    "voids": ("voids", fields.voids),
    "originalSaleId": ("original_sale_id", fields.number_or_identifier("Original sale id")),
    "disposition": ("disposition", fields.one_of("Disposition", "RESTOCK", "DAMAGED")),
    "reasonCode": ("reason_code", fields.identifier("Reason code")),
    "reservationId": ("reservation_id", fields.identifier("Reservation id")),
    "transferId": ("transfer_id", fields.identifier("Transfer id")),
}

NOT_HASHED = frozenset({"eventId", "streamId", "sequence", "stamp"})
"""What identifies an event or was added by the agent; everything else is the till's own and is hashed."""

_read_event_id = fields.number_or_identifier("Event id")
_TIME_READING = re.compile(r"[A-Z_]{1,32}", re.ASCII)
_EMPTY: Mapping[str, Any] = {}


def read_event(raw: Any, path: str) -> PosEvent | list[Violation]:
    """The event that `raw` (a decoded JSON value) states, or every violation, fields named below `path`."""
    return read_plain(raw) or read_carefully(raw, path)


def read_carefully(raw: Any, path: str) -> PosEvent | list[Violation]:
    """As `read_event`, field by field: for what is not ordinary, and to name what is wrong."""
    if type(raw) is not dict:
        return [Violation(path, "Event must be a JSON object", raw)]
    if too_deep(raw, MAX_EVENT_DEPTH):
        return [Violation(path, f"Event must not be nested deeper than {MAX_EVENT_DEPTH} levels")]
    violations: list[Violation] = []
    known: dict[str, Any] = {}
    hashed: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in raw.items():
        if value is None or name in NOT_HASHED:
            continue
        reader = _READERS.get(name)
        try:
            if reader is None:
                extra[name] = hashed[name] = canonical_value(value)
            else:
                read = reader[1](value)
                known[reader[0]] = read
                hashed[name] = read if type(read) is str else canonical_value(read)
        except ValueError as error:
            violations.append(Violation(f"{path}.{name}", _sentence(name, str(error)), value))
    _check_rules(known, raw, path, violations)
    envelope = _read_envelope(raw, path, violations)
    if len(raw) > MAX_FIELDS:
        violations.append(Violation(path, f"Event must have at most {MAX_FIELDS} fields", len(raw)))
    if violations:
        return violations
    return PosEvent(content_hash=hash_of_canonical(hashed), extra=extra or None, **known, **envelope)


def check_event(raw: Any, path: str) -> list[Violation]:
    """Every violation of one event; an empty list when it can be understood."""
    result = read_event(raw, path)
    return result if isinstance(result, list) else []


def _sentence(name: str, constraint: str) -> str:
    """Readers of known fields name the field themselves; an unknown field is named here."""
    return constraint if constraint[:1].isupper() else f"{name} {constraint}"


_ITEM_TYPES = frozenset(EventType) - {EventType.VOID, EventType.DAY_CLOSE}
_POSITIVE_TYPES = frozenset(
    {EventType.SALE, EventType.RETURN, EventType.RECEIPT, EventType.TRANSFER_OUT, EventType.TRANSFER_IN}
)


def _check_rules(known: Mapping[str, Any], raw: Mapping[str, Any], path: str, found: list[Violation]) -> None:
    """The rules between type and fields; a field that could not be read is not complained about twice."""
    kind = known.get("type")
    if kind is None:
        if raw.get("type") is None:
            found.append(Violation(f"{path}.type", "Type is required"))
        return
    if kind in _ITEM_TYPES:
        if raw.get("itemId") is None and raw.get("barcode") is None:
            found.append(Violation(f"{path}.itemId", "Item id or barcode is required"))
        quantity = known.get("quantity")
        if quantity is None:
            if raw.get("quantity") is None:
                found.append(Violation(f"{path}.quantity", "Quantity is required"))
        elif broken := _quantity_constraint(kind, quantity):
            found.append(Violation(f"{path}.quantity", broken, raw["quantity"]))
    _check_money(kind, known, raw, path, found)
    if kind == EventType.VOID and raw.get("voids") is None:
        found.append(Violation(f"{path}.voids", "Voids is required: the event or sale that is taken back"))
    if kind == EventType.ADJUSTMENT and raw.get("reasonCode") is None:
        found.append(Violation(f"{path}.reasonCode", "Reason code is required"))


def _quantity_constraint(kind: str, quantity: Decimal) -> str | None:
    if kind in _POSITIVE_TYPES:
        return "Quantity must be greater than zero" if quantity <= 0 else None
    if kind == EventType.COUNT:
        return "Quantity must not be less than zero" if quantity < 0 else None
    return "Quantity must not be zero" if quantity == 0 else None


def _check_money(
    kind: str, known: Mapping[str, Any], raw: Mapping[str, Any], path: str, found: list[Violation]
) -> None:
    if kind not in (EventType.SALE, EventType.RETURN):
        return
    if raw.get("amount") is None:
        found.append(Violation(f"{path}.amount", "Amount is required"))
    amount, tax = known.get("amount"), known.get("tax_amount")
    if amount is not None and tax is not None and tax > amount:
        found.append(
            Violation(f"{path}.taxAmount", "Tax amount must not exceed the amount", raw["taxAmount"])
        )


def _read_envelope(raw: Mapping[str, Any], path: str, found: list[Violation]) -> Mapping[str, Any]:
    """Identity, sequence and stamp: absent for a till that speaks for itself."""
    event_id, sequence, stamp = raw.get("eventId"), raw.get("sequence"), raw.get("stamp")
    if event_id is None and sequence is None and stamp is None:
        return _EMPTY
    envelope: dict[str, Any] = {}
    if event_id is not None:
        try:
            envelope["event_id"] = _read_event_id(event_id)
        except ValueError as error:
            found.append(Violation(f"{path}.eventId", str(error), event_id))
    if sequence is not None:
        # The quick reader, like JSON, takes 1.0 for a whole number.
        if type(sequence) in (int, Decimal) and 0 < sequence < 2**53 and sequence == int(sequence):
            envelope["sequence"] = int(sequence)
        else:
            found.append(Violation(f"{path}.sequence", "Sequence must be a whole number from 1", sequence))
    if stamp is not None:
        envelope["stamp"] = _read_stamp(stamp, path, found)
    return envelope


def _read_stamp(raw: Any, path: str, found: list[Violation]) -> Stamp | None:
    try:
        stamp = msgspec.json.decode(encode_json(raw), type=Stamp)
        if stamp.occurred_at.tzinfo is None or stamp.received_at.tzinfo is None:
            raise ValueError("instants need an offset")
        if not _TIME_READING.fullmatch(stamp.time_reading):
            raise ValueError("a time reading is one word in capitals")
        sane_time(stamp.occurred_at)
        if stamp.group_first < 1 or stamp.group_size < 1:
            raise ValueError("a group starts at sequence 1 or later and has at least one event")
        return stamp
    except (msgspec.ValidationError, ValueError) as error:
        found.append(Violation(f"{path}.stamp", f"Stamp must be as the agent writes it: {error}", raw))
        return None


def said_instant(event: PosEvent) -> datetime | None:
    """The instant that the till gave with an offset; None for a bare local time or none at all."""
    if event.occurred_at is None or not event.occurred_at.endswith("Z"):
        return None
    return read_instant(event.occurred_at)
