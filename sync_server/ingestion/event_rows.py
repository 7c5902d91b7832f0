"""A till event as its row in the ledger: columns for what is asked for, the rest kept beside them. Pure."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from shared.pos_event import PosEvent
from shared.wire_json import encode_json
from sync_server.accounting.posting_rules import TenderShares
from sync_server.ingestion.event_time import EventTime
from sync_server.ingestion.groups import Arrival


class _Details(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """Fields that have no column of their own, as the ledger keeps them."""

    barcode: str | None = None
    unit_cost: Decimal | None = None
    discount_amount: Decimal | None = None
    unit_of_measure: str | None = None
    voids: dict[str, Any] | None = None
    original_sale_id: str | None = None
    disposition: str | None = None
    reason_code: str | None = None
    reservation_id: str | None = None
    transfer_id: str | None = None
    business_date: str | None = None
    tenders: list[dict[str, Any]] | None = None
    extra: dict[str, Any] | None = None
    occurred_at: str | None = None
    """Only where it is bare local time: an instant has its column."""
    agent_occurred_at: datetime | None = None
    """The agent's instant, where HQ reads that local time as another."""


_NOTHING = encode_json(_Details())


Movement = tuple[Decimal, Decimal, Decimal, int | None]
"""What goods did: signed quantity and value, on hand afterwards, the item's movement before."""
_NO_MOVEMENT = (None, None, None, None)


def line_row(
    store_sequence: int,
    arrival: Arrival,
    stream_no: int | None,
    item_no: int | None = None,
    cost: Decimal | None = None,
    currency: str | None = None,
    shares: TenderShares | None = None,
    movement: Movement | None = None,
    accounting_date: date | None = None,
    outbox_kind: int | None = None,
) -> tuple[Any, ...]:
    """An event with its own movement and kind of outbox row, in the order of `ledger_writes`, but for its journals."""
    moved, value, on_hand, previous = movement or _NO_MOVEMENT
    event, time, sequence = arrival.event, arrival.time, arrival.event.sequence
    return (
        store_sequence,
        arrival.key,
        arrival.spelled,
        event.content_hash,
        stream_no if sequence is not None else None,
        sequence,
        event.type,
        item_no,
        event.quantity,
        event.amount,
        event.tax_amount,
        cost,
        currency,
        None if shares is None else shares_text(shares),
        event.sale_id,
        event.line_number,
        event.transaction_number,
        event.workstation_id,
        event.cashier_id,
        time.occurred_at,
        time.reading,
        time.business_date,
        time.agent_business_date,
        details_text(event, time.agent_occurred_at),
        moved,
        value,
        on_hand,
        previous,
        accounting_date,
        outbox_kind,
    )


def movement_row(
    store_sequence: int,
    item_no: int,
    kind: str,
    movement: Movement,
    event_sequence: int,
    time: EventTime,
    accounting_date: date,
    *,
    reason_code: str | None = None,
    reserved: Decimal | None = None,
    in_transit: Decimal | None = None,
    in_transit_value: Decimal | None = None,
    document: str | None = None,
) -> tuple[Any, ...]:
    """A movement apart from a line's own, in the order of `ledger_writes`, but for its journal."""
    return (
        store_sequence,
        item_no,
        kind,
        *movement,
        event_sequence,
        time.business_date,
        accounting_date,
        time.occurred_at,
        reason_code,
        reserved,
        in_transit,
        in_transit_value,
        document,
    )


def shares_text(shares: TenderShares) -> str | None:
    """The line's tender shares as JSON, amounts as text; None where one unspecified tender paid all of it."""
    if not shares or (len(shares) == 1 and shares[0][0] is None):
        return None
    return encode_json([[tender, str(amount)] for tender, amount in shares]).decode()


def details_text(event: PosEvent, agent_occurred_at: datetime | None = None) -> str | None:
    """Everything the till said that has no column, as JSON; None when there is nothing."""
    occurred_at = event.occurred_at
    details = _Details(
        event.barcode,
        event.unit_cost,
        event.discount_amount,
        event.unit_of_measure,
        event.voids,
        event.original_sale_id,
        event.disposition,
        event.reason_code,
        event.reservation_id,
        event.transfer_id,
        event.business_date,
        event.tenders,
        event.extra,
        None if occurred_at is None or occurred_at[-1:] == "Z" else occurred_at,
        agent_occurred_at,
    )
    text = encode_json(details)
    return None if text == _NOTHING else text.decode()
