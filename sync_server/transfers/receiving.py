"""Receiving: goods under way come onto the destination's shelf at their legs' cost, Dr inventory / Cr in transit."""

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
from sync_server.transfers.arrivals import lock_with_legs
from sync_server.transfers.known_transits import read_transits
from sync_server.transfers.overview import TransferOverview, TransferStatus, find_transfer
from sync_server.transfers.transfer_posting import (
    IN,
    announce,
    note_difference,
    open_posting,
)
from sync_server.transfers.transit import Transit
from sync_server.transfers.transit_ledger import Step, write_receipts

_HOLD = "SELECT FROM transfer WHERE transfer_id = %s FOR SHARE"
"""Whoever cancels waits until the receipt is committed, and sees it then."""


def receive(
    work: Work,
    chart: ChartOfAccounts,
    transfer_id: str,
    lines: Mapping[int, Decimal] | None,
    *,
    by: Caller,
    now: datetime,
) -> TransferOverview:
    """Posts a receipt in the destination alone; `lines`: quantity (> 0) by item, None for all that is under way.

    Less than was shipped leaves the rest under way, more is posted at the store's average; either is a finding
    until it is even. Raises NotFound; Conflict when the transfer is cancelled or received already.
    """
    cursor = work.connection.cursor()
    destination_no = find_transfer(cursor, transfer_id).to_store_no
    store = lock_with_legs(work, chart, destination_no, transfer_id, now)
    cursor.execute(_HOLD, [transfer_id])
    lines = _expected(find_transfer(cursor, transfer_id), lines)
    posting = open_posting(cursor, store, chart, transfer_id, lines, now)
    transits = read_transits(cursor, destination_no, [transfer_id])
    receipts = []
    for item_no, quantity in sorted(lines.items()):
        transit = transits.setdefault((transfer_id, item_no), Transit())
        receipts.append(_put_on_shelf(posting, transit, item_no, quantity, by))
    write_receipts(cursor, destination_no, receipts, now)
    announce(cursor, posting, transits, "RECEIVED")
    posting.write()
    note_stock(work, store.store_no, posting.items.values(), now=now)
    note_difference(cursor, destination_no, transfer_id, now)
    _audit(work, posting, receipts, by)
    return find_transfer(cursor, transfer_id)


def _expected(overview: TransferOverview, lines: Mapping[int, Decimal] | None) -> Mapping[int, Decimal]:
    transfer_id = overview.transfer_id
    if overview.is_cancelled:
        raise Conflict(f"Transfer {transfer_id} is cancelled; request a new one for what arrived.")
    if overview.status is TransferStatus.RECEIVED:
        raise Conflict(
            f"Everything of transfer {transfer_id} is received already; settle what differs with a reason."
        )
    if lines is not None:
        return lines
    under_way = {line.item_no: line.discrepancy for line in overview.lines if line.discrepancy > 0}
    if not under_way:
        raise Conflict(
            f"Nothing of transfer {transfer_id} is under way yet; name the lines to receive it before it is shipped."
        )
    return under_way


def _put_on_shelf(
    posting: DocumentPosting, transit: Transit, item_no: int, quantity: Decimal, by: Caller
) -> Step:
    position = posting.items[item_no].position
    worth = transit.receive(
        quantity, lambda beyond: current_cost(position, beyond, posting.coin), posting.coin
    )
    posting.move(
        item_no,
        quantity,
        worth,
        counter_account=posting.chart.in_transit,
        movement_type=IN,
        in_transit=-quantity,
        in_transit_value=-worth,
    )
    return Step(
        number=posting.movements[-1].store_sequence,
        transfer_id=posting.document,
        item_no=item_no,
        quantity=quantity,
        value=worth,
        made_by=by.name,
    )


def _audit(work: Work, posting: DocumentPosting, receipts: list[Step], by: Caller) -> None:
    after = {
        "lines": [
            {"itemId": posting.items[step.item_no].item_id, "quantity": step.quantity, "value": step.value}
            for step in receipts
        ]
    }
    facts = facts_by(by, at=posting.now, action="transfer.received", subject=posting.document, after=after)
    append_entry(work, posting.store.store_no, facts)
