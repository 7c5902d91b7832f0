"""Reconciliations at store close: one is made here, OPEN; another person will approve it.

The spec's own request gives a day's variance in money and its reason. Nothing is posted before approval.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from shared.identifiers import new_event_id
from sync_server.database import Work
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.stream_gaps import stream_progress

OPEN = "OPEN"

_SAME = """
SELECT reconciliation_id, complete FROM reconciliation
WHERE store_no = %(store_no)s AND date = %(date)s AND reason = %(reason)s
  AND variance_amount = %(variance_amount)s AND made_by = %(made_by)s AND status = 'OPEN'
"""
_ADD = """
INSERT INTO reconciliation (store_no, reconciliation_id, date, variance_amount, reason, status, complete,
                            made_by, made_at)
VALUES (%(store_no)s, %(reconciliation_id)s, %(date)s, %(variance_amount)s, %(reason)s, 'OPEN', %(complete)s,
        %(made_by)s, %(made_at)s)
"""
_STREAMS = "SELECT received FROM stream WHERE store_no = %s"


@dataclass(frozen=True, slots=True)
class MadeReconciliation:
    """A reconciliation as it was made; `created` is False when the same one was open already."""

    reconciliation_id: str
    complete: bool
    created: bool


def make_reconciliation(
    work: Work,
    store_no: int,
    *,
    day: date,
    variance_amount: Decimal,
    reason: str,
    by: Caller,
    now: datetime,
) -> MadeReconciliation:
    """Opens a reconciliation, or finds the identical open one of the same person.

    It is complete when no stream of the store has a gap: every event that was numbered has arrived.
    """
    work.connection.execute("SELECT 1 FROM store WHERE store_no = %s FOR NO KEY UPDATE", [store_no])
    facts = {
        "store_no": store_no,
        "date": day,
        "variance_amount": variance_amount,
        "reason": reason,
        "made_by": by.name,
    }
    same = work.connection.execute(_SAME, facts).fetchone()
    if same is not None:
        return MadeReconciliation(same[0], same[1], created=False)
    streams = work.connection.execute(_STREAMS, [store_no]).fetchall()
    complete = all(not stream_progress(received).gaps for (received,) in streams)
    reconciliation_id = new_event_id(now)
    added = {"reconciliation_id": reconciliation_id, "complete": complete, "made_at": now}
    work.connection.execute(_ADD, facts | added)
    after = {"date": day.isoformat(), "varianceAmount": variance_amount, "reason": reason, "status": OPEN}
    append_entry(
        work,
        store_no,
        facts_by(by, at=now, action="reconciliation.made", subject=reconciliation_id, after=after),
    )
    return MadeReconciliation(reconciliation_id, complete, created=True)
