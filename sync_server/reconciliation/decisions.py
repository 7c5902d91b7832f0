"""Approving and rejecting: another person's decision, bound to the content that they saw.

At approval the variance is settled: the stock of the count's instant, and what differed from it. What comes later and
is dated before the count is undone on it (`late_events`), whether it is posted by then or not.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, NoReturn

from psycopg import Cursor

from shared.problems import Violation
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.errors import Conflict, Forbidden, Invalid
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.reconciliation.count_posting import post_proposal
from sync_server.reconciliation.documents import (
    ADJUSTMENT,
    APPROVED,
    COUNT,
    MONEY,
    OPEN,
    POSTED,
    REJECTED,
    Document,
    Proposal,
    find_document,
    proposal_of,
)
from sync_server.reconciliation.makers import person_no_of, refuse_maker
from sync_server.reconciliation.what_was_seen import refuse_unseen
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import resolve_findings
from sync_server.stores.locked_store import LockedStore, lock_store

_SETTLE_LINE = """
UPDATE reconciliation_line SET system_quantity = %s, variance_quantity = %s, uncertain_quantity = %s
WHERE store_no = %s AND reconciliation_id = %s AND line_number = %s
"""
_SETTLE_TENDER = """
UPDATE reconciliation_tender SET expected = %s WHERE store_no = %s AND reconciliation_id = %s AND tender = %s
"""
_APPROVE = """
UPDATE reconciliation SET status = 'APPROVED', complete = %(complete)s, base_sequence = %(base)s,
    approved_by = %(person)s, approved_at = %(now)s, approved_hash = %(hash)s, approval_reason = %(reason)s
WHERE store_no = %(store_no)s AND reconciliation_id = %(document)s
"""
_COUNTED_UNTIL = """
UPDATE store SET counted_until = greatest(counted_until, %s::timestamptz) WHERE store_no = %s
"""
_REJECT = """
UPDATE reconciliation SET status = 'REJECTED', rejected_by = %s, rejected_at = %s, reject_reason = %s
WHERE store_no = %s AND reconciliation_id = %s
"""
_UNPOSTED = """
SELECT r.reconciliation_id FROM reconciliation AS r
WHERE r.store_no = %(store_no)s AND r.status = 'APPROVED' AND (
    EXISTS (SELECT FROM reconciliation_line AS line WHERE line.store_no = r.store_no
            AND line.reconciliation_id = r.reconciliation_id AND line.item_no = ANY(%(items)s::int[]))
    OR r.date = %(date)s AND EXISTS (
        SELECT FROM reconciliation_tender AS t WHERE t.store_no = r.store_no
        AND t.reconciliation_id = r.reconciliation_id AND t.tender = ANY(%(tenders)s::varchar[])))
LIMIT 1
"""
_ACKNOWLEDGE = """
UPDATE reconciliation SET acknowledged_sequence = (
    SELECT max(c.store_sequence) FROM count_correction AS c
    WHERE c.store_no = reconciliation.store_no AND c.reconciliation_id = reconciliation.reconciliation_id)
WHERE store_no = %s AND reconciliation_id = %s RETURNING acknowledged_sequence
"""
_STILL_HERE = "SELECT FROM person WHERE name = %s AND disabled_at IS NULL"


def approve(
    work: Work,
    chart: ChartOfAccounts,
    reconciliation_id: str,
    *,
    seen: str | None,
    reason: str | None,
    by: Caller,
    now: datetime,
) -> Document:
    """Approves what `seen` (a content hash, hex) stands for; without one, what the person was shown last.

    An adjustment is posted at once. Raises Conflict when the proposal is another by now or not open, Forbidden for
    whoever made it, Invalid when it is incomplete and no reason is given.
    """
    cursor = work.connection.cursor()
    _, document = locked_document(cursor, reconciliation_id)
    if document.status != OPEN:
        _refuse_state(document, "approved")
    person = person_no_of(cursor, by)
    refuse_maker(cursor, document.store_no, reconciliation_id, person)
    proposal = proposal_of(cursor, chart, document)
    refuse_unseen(cursor, proposal, person, seen)
    if not proposal.complete and not reason:
        sentence = f"A reason is required, since events are missing: {'; '.join(proposal.missing)}"
        raise Invalid("The approval is not valid", violations=[Violation("reason", sentence)])
    _refuse_beside_unposted(cursor, proposal)
    _settle(cursor, proposal)
    facts = {
        "store_no": document.store_no,
        "document": reconciliation_id,
        "complete": proposal.complete,
        "base": proposal.base_sequence,
        "person": person,
        "now": now,
        "hash": proposal.content_hash,
        "reason": reason,
    }
    cursor.execute(_APPROVE, facts)
    after = {"contentHash": proposal.content_hash.hex(), "complete": proposal.complete, "reason": reason}
    _audit(work, document, "reconciliation.approved", APPROVED, by, now, after)
    if document.kind == ADJUSTMENT:
        return post(work, chart, reconciliation_id, by=by, now=now)
    return replace(document, status=APPROVED)


def reject(work: Work, reconciliation_id: str, *, reason: str, by: Caller, now: datetime) -> Document:
    """Rejects an open reconciliation; nothing is posted, and what was counted may be handed in anew."""
    cursor = work.connection.cursor()
    _, document = locked_document(cursor, reconciliation_id)
    if document.status != OPEN:
        _refuse_state(document, "rejected")
    cursor.execute(_REJECT, [by.name, now, reason, document.store_no, reconciliation_id])
    _audit(work, document, "reconciliation.rejected", REJECTED, by, now, {"reason": reason})
    return replace(document, status=REJECTED)


def post(
    work: Work, chart: ChartOfAccounts, reconciliation_id: str, *, by: Caller, now: datetime
) -> Document:
    """Posts what was approved, exactly that. Raises Conflict unless it is approved and not posted."""
    cursor = work.connection.cursor()
    store, document = locked_document(cursor, reconciliation_id)
    if document.status != APPROVED:
        _refuse_state(document, "posted")
    amount = post_proposal(work, chart, store, proposal_of(cursor, chart, document), by=by, now=now)
    _audit(work, document, "reconciliation.posted", POSTED, by, now, {"varianceAmount": amount})
    return replace(document, status=POSTED)


def acknowledge(
    work: Work, reconciliation_id: str, *, reason: str | None, by: Caller, now: datetime
) -> Document:
    """The approver has seen the corrections that came since; another approver may when that person has left."""
    cursor = work.connection.cursor()
    _, document = locked_document(cursor, reconciliation_id)
    if document.approved_by is None:
        _refuse_state(document, "acknowledged")
    if by.name != document.approved_by:
        if cursor.execute(_STILL_HERE, [document.approved_by]).fetchone() is not None:
            raise Forbidden(f"{document.approved_by} approved it and has to look at what came since")
        refuse_maker(cursor, document.store_no, reconciliation_id, person_no_of(cursor, by))
    cursor.execute(_ACKNOWLEDGE, [document.store_no, reconciliation_id])
    resolve_findings(
        work,
        document.store_no,
        FindingCode.COUNT_CORRECTED,
        [reconciliation_id],
        reason=f"acknowledged by {by.name}",
        now=now,
    )
    _audit(work, document, "reconciliation.acknowledged", document.status, by, now, {"reason": reason})
    return document


def locked_document(cursor: Cursor[Any], reconciliation_id: str) -> tuple[LockedStore, Document]:
    """The document, read under its store's lock. Raises NotFound."""
    store_no = find_document(cursor, reconciliation_id).store_no
    store = lock_store(cursor, store_no)
    return store, find_document(cursor, reconciliation_id)


def _refuse_state(document: Document, wanted: str) -> NoReturn:
    raise Conflict(
        f"Reconciliation {document.reconciliation_id} is {document.status} and cannot be {wanted}.",
        details={"status": document.status},
    )


def _refuse_beside_unposted(cursor: Cursor[Any], proposal: Proposal) -> None:
    """What another approval will move and has not moved yet would be counted twice."""
    document = proposal.document
    if document.kind == MONEY:
        return
    facts = {
        "store_no": document.store_no,
        "date": document.date,
        "items": [line.item_no for line in proposal.lines] if document.kind == COUNT else [],
        "tenders": [each.tender for each in proposal.tenders],
    }
    row = cursor.execute(_UNPOSTED, facts).fetchone()
    if row is not None:
        raise Conflict(
            f"Reconciliation {row[0]} is approved for the same items or tenders; post it first.",
            details={"reconciliationId": row[0]},
        )


def _settle(cursor: Cursor[Any], proposal: Proposal) -> None:
    document = proposal.document
    key = (document.store_no, document.reconciliation_id)
    if document.kind == COUNT:
        if not proposal.lines and not proposal.tenders:
            raise Conflict("Every line of this count was taken back; reject it.")
        cursor.executemany(
            _SETTLE_LINE,
            [
                (
                    line.system_quantity,
                    line.variance_quantity,
                    line.uncertain_quantity,
                    *key,
                    line.line_number,
                )
                for line in proposal.lines
            ],
        )
        if proposal.lines:
            latest = max(line.counted_at for line in proposal.lines)
            cursor.execute(_COUNTED_UNTIL, [latest, document.store_no])
    cursor.executemany(_SETTLE_TENDER, [(each.expected, *key, each.tender) for each in proposal.tenders])


def _audit(
    work: Work, document: Document, action: str, status: str, by: Caller, now: datetime, after: dict[str, Any]
) -> None:
    facts = facts_by(
        by,
        at=now,
        action=action,
        subject=document.reconciliation_id,
        before={"status": document.status},
        after={"status": status, **after},
    )
    append_entry(work, document.store_no, facts)
