"""Reconciliations as they are looked at: lists, and one with everything that its approver decides on. No lock."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, LiteralString

from psycopg import Cursor

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.people.callers import Caller
from sync_server.publishing.messages import journal_id
from sync_server.reconciliation.documents import DOCUMENTS, Document, Proposal, find_document, proposal_of
from sync_server.reconciliation.what_was_seen import note_shown
from sync_server.reconciliation.wire import LateEventRow, ReconciliationDetails, details

_LIST: LiteralString = f"""
{DOCUMENTS}
WHERE r.reconciliation_id > %(after)s
  AND (%(store_no)s::int IS NULL OR r.store_no = %(store_no)s)
  AND (%(status)s::varchar IS NULL OR r.status = %(status)s)
  AND (%(kind)s::varchar IS NULL OR r.kind = %(kind)s)
  AND (%(date)s::date IS NULL OR r.date = %(date)s)
ORDER BY r.reconciliation_id LIMIT %(limit)s
"""
_MAKERS = """
SELECT maker FROM reconciliation_maker WHERE store_no = %s AND reconciliation_id = %s ORDER BY maker
"""
_LATE = """
SELECT c.line_number, c.store_sequence, c.cause_sequence, coalesce(e.event_id, e.event_key::text), m.type, c.quantity,
       c.value, c.posted_at
FROM count_correction AS c
JOIN stock_movement AS m ON m.store_no = c.store_no AND m.store_sequence = c.cause_sequence
LEFT JOIN pos_event AS e ON e.store_no = m.store_no AND e.store_sequence = m.event_sequence
WHERE c.store_no = %s AND c.reconciliation_id = %s ORDER BY c.store_sequence
"""


def list_documents(
    work: Work,
    *,
    store_no: int | None = None,
    status: str | None = None,
    kind: str | None = None,
    day: date | None = None,
    after: str = "",
    limit: int = 100,
) -> Sequence[Document]:
    """Reconciliations in the order in which they were made, from the one after id `after` on."""
    facts = {
        "store_no": store_no,
        "status": status,
        "kind": kind,
        "date": day,
        "after": after,
        "limit": limit,
    }
    return [Document(*row) for row in work.connection.execute(_LIST, facts)]


def details_of(work: Work, chart: ChartOfAccounts, reconciliation_id: str) -> ReconciliationDetails:
    """One reconciliation with its lines, worked out anew while it is open. Raises NotFound."""
    return _details(work, _proposal(work, chart, reconciliation_id))


def show(
    work: Work, chart: ChartOfAccounts, reconciliation_id: str, *, to: Caller, now: datetime
) -> ReconciliationDetails:
    """The same for somebody who may approve it: what they are shown is kept. Raises NotFound."""
    proposal = _proposal(work, chart, reconciliation_id)
    note_shown(work, proposal, to, now)
    return _details(work, proposal)


def _proposal(work: Work, chart: ChartOfAccounts, reconciliation_id: str) -> Proposal:
    cursor = work.connection.cursor()
    return proposal_of(cursor, chart, find_document(cursor, reconciliation_id))


def _details(work: Work, proposal: Proposal) -> ReconciliationDetails:
    cursor, document = work.connection.cursor(), proposal.document
    reconciliation_id = document.reconciliation_id
    key = [document.store_no, reconciliation_id]
    makers = [maker for (maker,) in cursor.execute(_MAKERS, key).fetchall()]
    journal = document.journal_sequence
    named = None if journal is None else journal_id(document.store_id, journal)
    return details(proposal, makers, _late_events(cursor, document), named)


def _late_events(cursor: Cursor[Any], document: Document) -> dict[int, list[LateEventRow]]:
    found: dict[int, list[LateEventRow]] = {}
    acknowledged = document.acknowledged_sequence or 0
    rows = cursor.execute(_LATE, [document.store_no, document.reconciliation_id]).fetchall()
    for line_number, sequence, cause, event_id, kind, quantity, value, posted_at in rows:
        row = LateEventRow(
            store_sequence=sequence,
            cause_sequence=cause,
            event_id=event_id,
            type=kind,
            quantity=quantity,
            value=value,
            posted_at=posted_at,
            acknowledged=sequence <= acknowledged,
        )
        found.setdefault(line_number, []).append(row)
    return found
