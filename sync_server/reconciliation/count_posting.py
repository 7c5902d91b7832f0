"""Posting what was approved: adjusting movements by reason code, one journal, a message for each reason.

| what | debit and credit |
|---|---|
| an item counted too little, too much | Dr the reason's loss / Cr 1400; Dr 1400 / Cr the reason's gain |
| a tender counted too little, too much | Dr 6570 / Cr 1000; Dr 1000 / Cr 6570 |
| an amount of money without items | as a loss or gain of its reason, against 1405 instead of inventory |
| earlier amounts of money, when items are counted | the reverse: what was unexplained is explained now |
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.exact_decimal import exact_arithmetic
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.database import Work
from sync_server.inventory.stock_findings import note_shortages
from sync_server.inventory.valuation import ZERO
from sync_server.people.callers import Caller
from sync_server.publishing.kinds import OutboxKind
from sync_server.reconciliation.documents import ADJUSTMENT, COUNT, MONEY, Document, Proposal, worth_of
from sync_server.reconciliation.late_events import correct_counts
from sync_server.reconciliation.reason_codes import SHRINKAGE, ReasonAccounts, accounts_by_reason
from sync_server.reconciliation.shortages import Shortages
from sync_server.stores.locked_store import LockedStore

RECONCILIATION = "RECONCILIATION"
"""The kind of its journal."""

_POSTED_LINE = """
UPDATE reconciliation_line SET value = %s, movement_sequence = %s
WHERE store_no = %s AND reconciliation_id = %s AND line_number = %s
"""
_POSTED = """
UPDATE reconciliation SET status = 'POSTED', posted_by = %s, posted_at = %s, journal_sequence = %s,
    variance_amount = %s
WHERE store_no = %s AND reconciliation_id = %s
"""
_UNEXPLAINED = """
SELECT reconciliation_id, reason, variance_amount FROM reconciliation
WHERE store_no = %s AND kind = 'MONEY' AND status = 'POSTED' AND cleared_by IS NULL AND date <= %s
ORDER BY reconciliation_id
"""
_CLEARED = (
    "UPDATE reconciliation SET cleared_by = %s WHERE store_no = %s AND reconciliation_id = ANY(%s::varchar[])"
)


def post_proposal(
    work: Work,
    chart: ChartOfAccounts,
    store: LockedStore,
    proposal: Proposal,
    *,
    by: Caller,
    now: datetime,
) -> Decimal:
    """Posts an approved proposal under its store's lock; returns the variance amount that was posted."""
    cursor, document = work.connection.cursor(), proposal.document
    reasons = accounts_by_reason(work.connection.cursor(), chart)
    posting = DocumentPosting(
        cursor,
        store,
        chart,
        kind=RECONCILIATION,
        document=document.reconciliation_id,
        date=document.date,
        now=now,
    )
    with exact_arithmetic():
        if document.kind == MONEY:
            by_reason = {document.reason: document.variance_amount}
            _book_money(posting, _accounts(reasons, chart, document.reason), document.variance_amount)
        else:
            by_reason = _move_items(work, posting, proposal, reasons)
            _book_tenders(posting, proposal)
        cleared = _clear_money(cursor, posting, proposal, reasons)
        amount = sum(by_reason.values(), ZERO)
        for reason, variance in sorted(by_reason.items()):
            _announce(posting, document, reason, variance, cleared)
        last = posting.write()
    reserved = [item.item_no for item in posting.items.values() if item.reserved]
    note_shortages(work, document.store_no, reserved, now=now)
    cursor.execute(
        _POSTED,
        [by.name, now, posting.journal_sequence, amount, document.store_no, document.reconciliation_id],
    )
    correct_counts(work, chart, replace(store, last_sequence=last), store.last_sequence + 1, by=by, now=now)
    return amount


def _move_items(
    work: Work, posting: DocumentPosting, proposal: Proposal, reasons: Mapping[str, ReasonAccounts]
) -> dict[str, Decimal]:
    """Moves what differs, at today's cost; the value by reason, a reason without any difference included."""
    document = proposal.document
    kind = ADJUSTMENT if document.kind == ADJUSTMENT else COUNT
    cursor = work.connection.cursor()
    posting.read({line.item_no for line in proposal.lines})
    shortages = Shortages(posting.items.values())
    by_reason = {line.reason_code: ZERO for line in proposal.lines} or {document.reason: ZERO}
    posted: list[tuple[Any, ...]] = []
    for line in proposal.lines:
        value, number = ZERO, None
        if line.variance_quantity:
            variance = line.variance_quantity
            worth = worth_of(posting.items[line.item_no], variance, posting.coin)
            value = posting.move(
                line.item_no,
                variance,
                worth,
                counter_account=_accounts(reasons, posting.chart, line.reason_code).of(variance),
                movement_type=kind,
                reason_code=line.reason_code,
                occurred_at=line.counted_at,
            ).value
            number = posting.movements[-1].store_sequence
        by_reason[line.reason_code] += value
        posted.append((value, number, document.store_no, document.reconciliation_id, line.line_number))
    cursor.executemany(_POSTED_LINE, posted)
    shortages.note(work, document.store_no, posting.items.values(), posting.now)
    return by_reason


def _book_money(posting: DocumentPosting, accounts: ReasonAccounts, variance: Decimal) -> None:
    posting.entry.debit(posting.chart.unitemised_variance, variance)
    posting.entry.credit(accounts.of(variance), variance)


def _book_tenders(posting: DocumentPosting, proposal: Proposal) -> None:
    for each in proposal.tenders:
        posting.entry.debit(posting.chart.tender_clearing, each.variance, each.tender)
        posting.entry.credit(posting.chart.cash_over_short, each.variance)


def _clear_money(
    cursor: Cursor[Any],
    posting: DocumentPosting,
    proposal: Proposal,
    reasons: Mapping[str, ReasonAccounts],
) -> list[str]:
    """Takes back the amounts that nobody could put on items, now that items were counted; returns their ids."""
    document = proposal.document
    if document.kind != COUNT or not proposal.lines:
        return []
    unexplained = cursor.execute(_UNEXPLAINED, [document.store_no, document.date]).fetchall()
    for _, reason, variance in unexplained:
        accounts = _accounts(reasons, posting.chart, reason)
        posting.entry.credit(posting.chart.unitemised_variance, variance)
        posting.entry.debit(accounts.of(variance), variance)
    cleared = [reconciliation_id for reconciliation_id, *_ in unexplained]
    if cleared:
        cursor.execute(_CLEARED, [document.reconciliation_id, document.store_no, cleared])
    return cleared


def _announce(
    posting: DocumentPosting, document: Document, reason: str, variance: Decimal, cleared: list[str]
) -> None:
    payload: dict[str, Any] = {
        "date": document.date.isoformat(),
        "varianceAmount": variance,
        "reason": reason,
        "currency": document.currency,
        "reconciliationId": document.reconciliation_id,
        "kind": document.kind,
    }
    if cleared:
        payload["clears"] = cleared
    posting.announce(OutboxKind.RECONCILED, cause=f"{document.reconciliation_id} {reason}", payload=payload)


def _accounts(reasons: Mapping[str, ReasonAccounts], chart: ChartOfAccounts, reason: str) -> ReasonAccounts:
    """A till may name a reason that nobody wrote down; it is booked as shrinkage is."""
    return (
        reasons.get(reason) or reasons.get(SHRINKAGE) or ReasonAccounts(chart.shrinkage, chart.inventory_gain)
    )
