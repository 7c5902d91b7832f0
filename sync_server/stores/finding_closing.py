"""Closing a finding by hand: resolved (its cause is dealt with) or dismissed (there is nothing to deal with)."""

from datetime import datetime

from sync_server.database import Work
from sync_server.errors import Conflict, NotFound
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.findings import FindingStatus
from sync_server.stores.locked_store import lock_store
from sync_server.stores.tables import Finding, Store

_CLOSE = """
UPDATE finding SET status = %(status)s, closed_by = %(by)s, close_reason = %(reason)s
WHERE finding_no = %(finding_no)s AND status = 'OPEN'
"""


def close_finding(
    work: Work, finding_no: int, status: FindingStatus, *, reason: str, by: Caller, now: datetime
) -> tuple[Finding, str]:
    """Closes an open finding, audited in its store's chain; the finding and its store's id.

    If what it is about goes on, the next posting that sees it opens another. Raises NotFound, and Conflict for
    one that is closed already.
    """
    row = work.connection.execute(
        "SELECT store_no FROM finding WHERE finding_no = %s", [finding_no]
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no finding {finding_no}")
    # Posting takes the store before it touches findings; whoever does it the other way round may deadlock.
    lock_store(work.connection.cursor(), row[0])
    facts = {"status": status.value, "by": by.name, "reason": reason, "finding_no": finding_no}
    closed = work.connection.execute(_CLOSE, facts).rowcount
    finding = work.session.get_one(Finding, finding_no)
    store = work.session.get_one(Store, finding.store_no)
    if not closed:
        raise Conflict(f"Finding {finding_no} is {finding.status} already, by {finding.closed_by}")
    after = {"code": finding.code, "subject": finding.subject, "status": status.value, "reason": reason}
    action = f"finding.{status.value.lower()}"
    entry = facts_by(
        by, at=now, action=action, subject=str(finding_no), before={"status": "OPEN"}, after=after
    )
    append_entry(work, finding.store_no, entry)
    return finding, store.store_id
