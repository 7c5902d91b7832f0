"""An event as a line of a reconciliation's document. Pure."""

from decimal import Decimal

from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.reconciliation.till_documents import TillLine


def till_line(
    posting: OpenPosting,
    arrival: Arrival,
    number: int,
    item_no: int,
    *,
    reason: str,
    counted: Decimal | None = None,
    variance: Decimal | None = None,
    value: Decimal = Decimal(0),
) -> TillLine:
    """The line of event `number`: what was counted, or by what was adjusted."""
    event = arrival.event
    return TillLine(
        event_sequence=number,
        item_no=item_no,
        counted=counted,
        variance=variance,
        value=value,
        reason=reason,
        at=arrival.time.occurred_at,
        business_date=arrival.time.business_date,
        session=session_of(posting, arrival),
        cashier_id=event.cashier_id,
        stream_no=posting.stream_no if event.sequence is not None else None,
        sequence=event.sequence,
        workstation_id=event.workstation_id,
    )


def session_of(posting: OpenPosting, arrival: Arrival) -> str:
    """What counts belong to one document: a transaction, a group handed over together, else a workstation's day."""
    event = arrival.event
    place = f"{arrival.time.business_date.isoformat()} {event.workstation_id or '-'}"
    transaction = event.transaction_number or event.sale_id
    if transaction is not None:
        return f"{place} {transaction}"
    if event.stamp is not None and event.stamp.group_size > 1:
        return f"{place} {posting.stream_no}/{event.stamp.group_first}"
    return place
