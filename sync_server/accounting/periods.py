"""Periods of a store's books: closed through a day, and opened again from one, by a person and audited.

Both happen under the store's lock, so that every posting sees the books either open or closed. What arrives for
a closed day is posted all the same: it keeps its business date and is booked on the first open day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.business_date import business_date
from shared.problems import Violation
from sync_server.database import Work
from sync_server.errors import Invalid, NotFound
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import LockedStore, lock_store

_UNPROVEN = """
SELECT count(DISTINCT business_date) FROM store_day
WHERE store_no = %(store_no)s AND business_date <= %(through)s AND state <> 'PROVEN'
"""
_OPEN_FINDINGS = "SELECT count(*) FROM finding WHERE store_no = %(store_no)s AND status = 'OPEN'"
_HELD = "SELECT count(*) FROM held_event WHERE store_no = %(store_no)s AND status = 'HELD'"
_CHANGE = """
WITH change AS (
    INSERT INTO period_change (store_no, change_number, closed_through, after_sequence, reason, changed_by, changed_at)
    SELECT %(store_no)s, coalesce(max(change_number), 0) + 1, %(closed_through)s, %(after)s, %(reason)s, %(by)s, %(now)s
    FROM period_change WHERE store_no = %(store_no)s
)
UPDATE store SET closed_through = %(closed_through)s WHERE store_no = %(store_no)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """How far a store's books are closed, and what is still loose in the closed days."""

    closed_through: date | None
    unproven_days: int
    """Business dates up to the closed one whose events are not proven to be all here."""
    open_findings: int
    held_events: int

    @property
    def first_open_date(self) -> date | None:
        """The first day that can be booked on; None while nothing is closed."""
        return None if self.closed_through is None else self.closed_through + timedelta(days=1)


def period_of(work: Work, store_no: int) -> Period:
    """How far the books of a store are closed."""
    row = work.connection.execute(
        "SELECT closed_through FROM store WHERE store_no = %s", [store_no]
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no store number {store_no}")
    return _period(work, store_no, row[0])


def close_period(
    work: Work, store_no: int, through: date, *, reason: str, by: Caller, now: datetime
) -> tuple[Period, bool]:
    """Closes the books through that day; whether anything changed (False: they were closed that far already).

    Raises Invalid for a day that is not over yet in the store.
    """
    store = lock_store(work.connection.cursor(), store_no)
    today = business_date(now, store.day_rule)
    if through >= today:
        rule = f"must lie before the store's business date, {today}: its day is not over"
        raise Invalid(
            "The period cannot be closed", violations=[Violation("through", rule, through.isoformat())]
        )
    if store.closed_through is not None and through <= store.closed_through:
        return _period(work, store_no, store.closed_through), False
    return _change(work, store, through, "period.closed", reason=reason, by=by, now=now), True


def reopen_period(
    work: Work, store_no: int, first_day: date, *, reason: str, by: Caller, now: datetime
) -> tuple[Period, bool]:
    """Opens the books again from `first_day` on; whether anything changed (False: that day was open)."""
    store = lock_store(work.connection.cursor(), store_no)
    if store.closed_through is None or first_day > store.closed_through:
        return _period(work, store_no, store.closed_through), False
    until = first_day - timedelta(days=1) if first_day > date.min else None
    return _change(work, store, until, "period.reopened", reason=reason, by=by, now=now), True


def _change(
    work: Work,
    store: LockedStore,
    closed_through: date | None,
    action: str,
    *,
    reason: str,
    by: Caller,
    now: datetime,
) -> Period:
    facts = {
        "store_no": store.store_no,
        "closed_through": closed_through,
        "after": store.last_sequence,
        "reason": reason,
        "by": by.name,
        "now": now,
    }
    work.connection.execute(_CHANGE, facts)
    before, after = _told(store.closed_through), {**_told(closed_through), "reason": reason}
    entry = facts_by(by, at=now, action=action, subject=store.store_id, before=before, after=after)
    append_entry(work, store.store_no, entry)
    return _period(work, store.store_no, closed_through)


def _told(closed_through: date | None) -> dict[str, str | None]:
    return {"closedThrough": None if closed_through is None else closed_through.isoformat()}


def _period(work: Work, store_no: int, closed_through: date | None) -> Period:
    facts = {"store_no": store_no, "through": closed_through or date.min}
    counts = []
    for query in (_UNPROVEN, _OPEN_FINDINGS, _HELD):
        row = work.connection.execute(query, facts).fetchone()
        assert row is not None
        counts.append(int(row[0]))
    unproven, findings, held = counts
    return Period(
        closed_through=closed_through, unproven_days=unproven, open_findings=findings, held_events=held
    )
