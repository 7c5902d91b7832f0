"""A till event as its row in the ledger: columns for what is asked for, the rest kept beside them. Pure."""

from decimal import Decimal
from operator import attrgetter
from typing import Any

from shared.pos_event import PosEvent
from shared.wire_json import encode_json
from sync_server.accounting.posting_rules import TenderShares
from sync_server.ingestion.groups import Arrival

_DETAILS = {
    "barcode": "barcode",
    "unit_cost": "unitCost",
    "discount_amount": "discountAmount",
    "unit_of_measure": "unitOfMeasure",
    "voids": "voids",
    "original_sale_id": "originalSaleId",
    "disposition": "disposition",
    "reason_code": "reasonCode",
    "reservation_id": "reservationId",
    "transfer_id": "transferId",
    "business_date": "businessDate",
    "tenders": "tenders",
    "extra": "extra",
}
"""Fields that have no column of their own."""
_read_details = attrgetter(*_DETAILS)
_NO_DETAILS = (None,) * len(_DETAILS)


def event_row(
    store_sequence: int,
    arrival: Arrival,
    *,
    stream_no: int | None,
    item_no: int | None,
    cost: Decimal | None,
    currency: str | None,
    shares: TenderShares | None,
) -> tuple[Any, ...]:
    """The row of `pos_event`, in the order of `ledger_writes.EVENT_COLUMNS`, but for its journal."""
    event, time = arrival.event, arrival.time
    return (
        store_sequence,
        arrival.key,
        spelled_id(arrival),
        event.content_hash,
        stream_no if event.sequence is not None else None,
        event.sequence,
        event.type,
        item_no,
        event.quantity,
        event.amount,
        event.tax_amount,
        cost,
        currency,
        shares_text(shares),
        event.sale_id,
        event.line_number,
        event.transaction_number,
        event.workstation_id,
        event.cashier_id,
        time.occurred_at,
        time.reading,
        time.business_date,
        time.agent_business_date,
        details_text(event),
    )


def spelled_id(arrival: Arrival) -> str | None:
    """The event's id where it is not the plain spelling of its key."""
    event_id = arrival.event.event_id
    if event_id is None or (len(event_id) == 36 and event_id.replace("-", "") == arrival.key):
        return None
    return event_id


def shares_text(shares: TenderShares | None) -> str | None:
    """The line's tender shares as JSON, amounts as text; None where one unspecified tender paid all of it."""
    if not shares or (len(shares) == 1 and shares[0][0] is None):
        return None
    return encode_json([[tender, str(amount)] for tender, amount in shares]).decode()


def details_text(event: PosEvent) -> str | None:
    """Everything the till said that has no column, as JSON; None when there is nothing."""
    values = _read_details(event)
    if values == _NO_DETAILS and (event.occurred_at is None or event.occurred_at.endswith("Z")):
        return None
    details: dict[str, Any] = {
        name: value for name, value in zip(_DETAILS.values(), values, strict=True) if value is not None
    }
    if event.occurred_at is not None and not event.occurred_at.endswith("Z"):
        details["occurredAt"] = event.occurred_at
    return encode_json(details).decode()
