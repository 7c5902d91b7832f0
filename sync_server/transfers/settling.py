"""Settling a discrepancy: what never arrived becomes a loss, what arrived beyond the shipment a gain, for a reason.

Nobody settles a transfer that they requested, shipped or received; PostgreSQL refuses it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.problems import Violation
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.database import Work
from sync_server.errors import Conflict, Forbidden, Invalid
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import lock_store
from sync_server.transfers.arrivals import lock_with_legs
from sync_server.transfers.known_transits import read_transits
from sync_server.transfers.overview import TransferOverview, find_transfer
from sync_server.transfers.transfer_posting import SETTLED, announce, note_difference, open_posting
from sync_server.transfers.transit import Transit
from sync_server.transfers.transit_ledger import write_settlement

_REASON = """
SELECT loss.account, gain.account FROM reason_code r
JOIN account loss ON loss.purpose = r.loss_purpose JOIN account gain ON gain.purpose = r.gain_purpose
WHERE r.reason_code = %s
"""
_REASONS = "SELECT string_agg(reason_code, ', ' ORDER BY reason_code) FROM reason_code"
_TOOK_PART = "SELECT transfer_made_by(%s, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What is to be closed: quantity (> 0) by item, None for all that differs, and why."""

    reason_code: str
    lines: Mapping[int, Decimal] | None = None
    store_no: int | None = None
    """Where goods of the transfer turned up; none: its destination."""


@dataclass(frozen=True, slots=True)
class _Reason:
    code: str
    loss_account: str
    gain_account: str


def settle(
    work: Work,
    chart: ChartOfAccounts,
    transfer_id: str,
    settlement: Settlement,
    *,
    by: Caller,
    now: datetime,
) -> TransferOverview:
    """Closes what differs, in one store alone, once everything that was shipped is taken into account there.

    Raises NotFound; Invalid for an unknown reason or more than differs; Conflict when nothing differs; Forbidden
    for somebody who took part in the transfer.
    """
    cursor = work.connection.cursor()
    reason = _read_reason(cursor, settlement.reason_code)
    overview = find_transfer(cursor, transfer_id)
    at_destination = settlement.store_no in (None, overview.to_store_no)
    if at_destination:
        store = lock_with_legs(work, chart, overview.to_store_no, transfer_id, now)
    else:
        assert settlement.store_no is not None
        store = lock_store(cursor, settlement.store_no)
    _refuse_who_took_part(cursor, transfer_id, by)
    transits = read_transits(cursor, store.store_no, [transfer_id])
    chosen = _chosen(overview, transits, settlement.lines)
    posting = open_posting(cursor, store, chart, transfer_id, chosen, now)
    closed = [
        _close(cursor, posting, transits[transfer_id, item_no], item_no, quantity, reason, by)
        for item_no, quantity in sorted(chosen.items())
    ]
    if at_destination:
        announce(cursor, posting, transits, "SETTLED")
    posting.write()
    note_difference(cursor, store.store_no, transfer_id, now)
    after = {"reasonCode": reason.code, "lines": closed}
    facts = facts_by(by, at=now, action="transfer.settled", subject=transfer_id, after=after)
    append_entry(work, store.store_no, facts)
    return find_transfer(cursor, transfer_id)


def _read_reason(cursor: Cursor[Any], code: str) -> _Reason:
    row = None if "\x00" in code else cursor.execute(_REASON, [code]).fetchone()
    if row is None:
        known = cursor.execute(_REASONS).fetchone()
        rule = f"must be one of {known[0] if known else ''}"
        raise Invalid("The transfer cannot be settled so", violations=[Violation("reasonCode", rule, code)])
    return _Reason(code, *row)


def _refuse_who_took_part(cursor: Cursor[Any], transfer_id: str, by: Caller) -> None:
    row = cursor.execute(_TOOK_PART, [transfer_id, by.name]).fetchone()
    if row and row[0]:
        raise Forbidden(
            f"{by.name} took part in transfer {transfer_id}; somebody else has to settle what differs."
        )


def _chosen(
    overview: TransferOverview,
    transits: Mapping[tuple[str, int], Transit],
    lines: Mapping[int, Decimal] | None,
) -> dict[int, Decimal]:
    """The quantity to close by item; zero closes a value that is left alone."""
    open_items = {
        item_no: abs(transit.quantity) for (_, item_no), transit in transits.items() if not transit.is_even
    }
    if not open_items:
        raise Conflict(
            f"Nothing of transfer {overview.transfer_id} differs there; there is nothing to settle."
        )
    if lines is None:
        return open_items
    names = {line.item_no: line.item_id for line in overview.lines}
    violations = [
        Violation(
            "lines",
            f"{names.get(item_no, 'an item that is not on the transfer')}: at most "
            f"{open_items.get(item_no, Decimal(0))} differ",
            quantity,
        )
        for item_no, quantity in lines.items()
        if quantity > open_items.get(item_no, Decimal(0))
    ]
    if violations:
        raise Invalid("No more can be settled than differs", violations=violations)
    return dict(lines)


def _close(
    cursor: Cursor[Any],
    posting: DocumentPosting,
    transit: Transit,
    item_no: int,
    quantity: Decimal,
    reason: _Reason,
    by: Caller,
) -> dict[str, Any]:
    missing = transit.quantity > 0 or (not transit.quantity and transit.value > 0)
    change = -quantity if transit.quantity > 0 else quantity
    value = transit.settle(quantity, posting.coin)
    posting.allocate(
        item_no, movement_type=SETTLED, in_transit=change, in_transit_value=value, reason_code=reason.code
    )
    posting.entry.debit(posting.chart.in_transit, value)
    posting.entry.credit(reason.loss_account if missing else reason.gain_account, value)
    write_settlement(
        cursor,
        store_no=posting.store.store_no,
        number=posting.movements[-1].store_sequence,
        transfer_id=posting.document,
        item_no=item_no,
        quantity=change,
        value=value,
        reason_code=reason.code,
        by=by.name,
        now=posting.now,
    )
    return {"itemId": posting.items[item_no].item_id, "quantity": change, "value": value}
