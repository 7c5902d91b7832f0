"""What the OpenAPI document says of batches: the request as `shared` reads it, the receipt as it is written.

Batches do not pass through pydantic, which is too slow for the hot path; a test holds these shapes to the code.
"""

from typing import Any

from sync_server.wire_models import SequenceRange, WireModel


class FoundInBatch(WireModel):
    """A finding that the batch raised."""

    code: str
    subject: str


class PosBatchReceipt(WireModel):
    """What became of a batch, and how far its stream has arrived."""

    batch_id: str
    store_id: str
    status: str
    duplicate: bool
    accepted: int
    duplicates: int
    held: int
    findings: list[FoundInBatch]
    acknowledged_sequence: int
    gaps: list[SequenceRange]
    commands: list[dict[str, Any]]
    server_time: str


_EXACT = {
    "oneOf": [
        {"type": "number"},
        {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"},
    ]
}
_NAME = {"type": "string", "minLength": 1, "maxLength": 128}
_NUMBER_OR_NAME = {"oneOf": [{"type": "integer"}, _NAME]}
_TIME = {"type": "string", "description": "ISO 8601, with an offset or as the till's bare local time."}
_TENDER = {
    "type": "object",
    "required": ["type", "amount"],
    "properties": {"type": _NAME, "amount": _EXACT},
}
_VOIDS = {
    "description": "An event id, or an object with eventId, or with saleId and perhaps lineNumber.",
    "oneOf": [_NAME, {"type": "object"}],
}
_EVENT: dict[str, Any] = {
    "type": "object",
    "description": "A till event. Fields not listed are kept and hashed. `sequence` and `stamp` are an agent's.",
    "required": ["type"],
    "additionalProperties": True,
    "properties": {
        "type": {
            "enum": [
                "SALE",
                "RETURN",
                "VOID",
                "RECEIPT",
                "TRANSFER_OUT",
                "TRANSFER_IN",
                "ADJUSTMENT",
                "COUNT",
                "DAY_CLOSE",
            ]
        },
        "itemId": _NAME,
        "barcode": _NUMBER_OR_NAME,
        "quantity": _EXACT,
        "amount": {
            **_EXACT,
            "description": "Charge for the whole line after discount, tax included; at least 0.",
        },
        "eventId": _NUMBER_OR_NAME,
        "sequence": {"type": "integer", "minimum": 1},
        "saleId": _NUMBER_OR_NAME,
        "lineNumber": {"type": "integer", "minimum": 0},
        "transactionNumber": _NUMBER_OR_NAME,
        "workstationId": _NUMBER_OR_NAME,
        "cashierId": _NUMBER_OR_NAME,
        "occurredAt": _TIME,
        "businessDate": {"type": "string", "format": "date"},
        "unitCost": _EXACT,
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "taxAmount": _EXACT,
        "discountAmount": _EXACT,
        "unitOfMeasure": _NAME,
        "tenders": {"type": "array", "items": _TENDER, "maxItems": 50},
        "voids": _VOIDS,
        "originalSaleId": _NUMBER_OR_NAME,
        "disposition": {"enum": ["RESTOCK", "DAMAGED"]},
        "reasonCode": _NAME,
        "reservationId": _NAME,
        "transferId": _NAME,
        "stamp": {"type": "object"},
    },
}
POS_BATCH_OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["batchId", "postedAt", "events"],
                    "properties": {
                        "batchId": _NAME,
                        "postedAt": {"type": "string", "format": "date-time"},
                        "streamId": _NAME,
                        "contentHash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                        "timezoneData": _NAME,
                        "events": {"type": "array", "minItems": 1, "items": _EVENT},
                    },
                }
            }
        },
    }
}
