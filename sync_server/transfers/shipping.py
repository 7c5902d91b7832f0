"""Shipping: goods leave the source at its cost, on hand − and Dr in transit / Cr inventory, and become legs."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.database import Work
from sync_server.errors import Conflict
from sync_server.inventory.stock_findings import note_stock
from sync_server.inventory.valuation import current_cost
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import lock_store
from sync_server.transfers.overview import TransferOverview, find_transfer
from sync_server.transfers.transfer_posting import OUT, open_posting
from sync_server.transfers.transit_ledger import Step, write_legs


def ship(
    work: Work,
    chart: ChartOfAccounts,
    transfer_id: str,
    lines: Mapping[int, Decimal] | None,
    *,
    by: Caller,
    now: datetime,
) -> TransferOverview:
    """Posts a shipment in the source alone; `lines`: quantity (> 0) by item, None for all that is not shipped yet.

    More than was requested, or another item, is posted: it is what was put on the lorry. Raises NotFound;
    Conflict when the transfer is cancelled or everything requested is shipped.
    """
    cursor = work.connection.cursor()
    source_no = find_transfer(cursor, transfer_id).from_store_no
    store = lock_store(cursor, source_no)
    overview = find_transfer(cursor, transfer_id)
    open_lines = _not_shipped(overview)
    lines = open_lines if lines is None else lines
    posting = open_posting(cursor, store, chart, transfer_id, lines, now)
    legs = [_leave(posting, item_no, quantity, by) for item_no, quantity in sorted(lines.items())]
    write_legs(cursor, store.store_no, store.currency, legs, now)
    posting.write()
    note_stock(work, store.store_no, posting.items.values(), now=now)
    shipped = find_transfer(cursor, transfer_id)
    after = {
        "lines": [
            {"itemId": posting.items[leg.item_no].item_id, "quantity": leg.quantity, "value": leg.value}
            for leg in legs
        ]
    }
    append_entry(
        work, source_no, facts_by(by, at=now, action="transfer.shipped", subject=transfer_id, after=after)
    )
    return shipped


def _not_shipped(overview: TransferOverview) -> dict[int, Decimal]:
    if overview.is_cancelled:
        raise Conflict(f"Transfer {overview.transfer_id} is cancelled; request a new one.")
    open_lines = {
        line.item_no: line.requested - line.shipped
        for line in overview.lines
        if line.requested > line.shipped
    }
    if not open_lines:
        raise Conflict(
            f"Everything of transfer {overview.transfer_id} is shipped; request a new one for what is to follow."
        )
    return open_lines


def _leave(posting: DocumentPosting, item_no: int, quantity: Decimal, by: Caller) -> Step:
    item = posting.items[item_no]
    cost = current_cost(item.position, quantity, posting.coin)
    posting.move(item_no, -quantity, -cost, counter_account=posting.chart.in_transit, movement_type=OUT)
    return Step(
        number=posting.movements[-1].store_sequence,
        transfer_id=posting.document,
        item_no=item_no,
        quantity=quantity,
        value=cost,
        made_by=by.name,
    )
