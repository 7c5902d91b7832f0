"""Making reconciliations at store close: OPEN, by one person; another will approve. Nothing is posted before that.

Two ways in: the specification's own request, a day's variance in money and its reason; and counts of items and
tenders, whose variance is worked out from the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.identifiers import new_event_id
from shared.problems import Violation
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.errors import Invalid
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.reconciliation.documents import COUNT, MONEY, Proposal, find_document, proposal_of
from sync_server.reconciliation.makers import Maker, add_makers, maker_of
from sync_server.reconciliation.reason_codes import SHRINKAGE, accounts_by_reason, unknown_reason
from sync_server.stores.locked_store import lock_store

CLOCK_TOLERANCE = timedelta(minutes=5)

_SAME = """
SELECT reconciliation_id FROM reconciliation
WHERE store_no = %(store_no)s AND date = %(date)s AND reason = %(reason)s AND kind = 'MONEY'
  AND variance_amount = %(variance_amount)s AND made_by = %(made_by)s AND status = 'OPEN'
"""
_ADD = """
INSERT INTO reconciliation (store_no, reconciliation_id, kind, date, variance_amount, reason, status, complete,
                            made_by, made_at, session)
VALUES (%(store_no)s, %(reconciliation_id)s, %(kind)s, %(date)s, %(variance_amount)s, %(reason)s, 'OPEN', false,
        %(made_by)s, %(made_at)s, %(session)s)
"""
_SEEN = """
UPDATE reconciliation SET complete = %s, content_hash = %s, counted_hash = %s
WHERE store_no = %s AND reconciliation_id = %s
"""
_ADD_LINE = """
INSERT INTO reconciliation_line (store_no, reconciliation_id, line_number, item_no, counted, counted_at, reason_code)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_ADD_TENDER = """
INSERT INTO reconciliation_tender (store_no, reconciliation_id, tender, counted) VALUES (%s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class MadeReconciliation:
    """A reconciliation as it was made; `created` is False when the same one was open already."""

    proposal: Proposal
    created: bool


@dataclass(frozen=True, slots=True)
class ItemCount:
    """An item and how many of it lay there; `reason` says why they differ, if somebody knows."""

    item_id: str
    counted: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was counted at a store close: items at one instant, and drawers by tender."""

    date: date
    counted_at: datetime
    lines: Sequence[ItemCount]
    tenders: Sequence[tuple[str, Decimal]]


def make_reconciliation(
    work: Work,
    chart: ChartOfAccounts,
    store_no: int,
    *,
    day: date,
    variance_amount: Decimal,
    reason: str,
    by: Caller,
    now: datetime,
) -> MadeReconciliation:
    """Opens a reconciliation of money, or finds the identical open one of the same person."""
    known = accounts_by_reason(work.connection.cursor(), chart)
    _refuse(unknown_reason(reason, known, "reason"))
    cursor = work.connection.cursor()
    lock_store(cursor, store_no)
    facts = {
        "store_no": store_no,
        "date": day,
        "variance_amount": variance_amount,
        "reason": reason,
        "made_by": by.name,
    }
    same = cursor.execute(_SAME, facts).fetchone()
    if same is not None:
        return MadeReconciliation(proposal_of(cursor, chart, find_document(cursor, same[0])), created=False)
    made = add_document(cursor, facts | {"kind": MONEY}, [maker_of(cursor, by)], now)
    return _made(work, chart, made, by, now)


def make_count(
    work: Work, chart: ChartOfAccounts, store_no: int, counts: Counts, *, by: Caller, now: datetime
) -> MadeReconciliation:
    """Opens a reconciliation of counted items and tenders. Raises Invalid with every violation."""
    cursor = work.connection.cursor()
    items = _items(cursor, [line.item_id for line in counts.lines])
    _refuse(_violations(counts, items, accounts_by_reason(work.connection.cursor(), chart), now))
    lock_store(cursor, store_no)
    facts = {
        "store_no": store_no,
        "date": counts.date,
        "variance_amount": Decimal(0),
        "reason": counts.lines[0].reason if counts.lines else SHRINKAGE,
        "made_by": by.name,
        "kind": COUNT,
    }
    made = add_document(cursor, facts, [maker_of(cursor, by)], now)
    counted_at = min(counts.counted_at, now)
    cursor.executemany(
        _ADD_LINE,
        [
            (store_no, made, number, items[line.item_id], line.counted, counted_at, line.reason)
            for number, line in enumerate(counts.lines, 1)
        ],
    )
    cursor.executemany(_ADD_TENDER, [(store_no, made, tender, counted) for tender, counted in counts.tenders])
    return _made(work, chart, made, by, now)


def add_document(cursor: Cursor[Any], facts: dict[str, Any], makers: Sequence[Maker], now: datetime) -> str:
    """Adds an open document without content; returns its id. `facts`: store_no, kind, date, reason, made_by…"""
    reconciliation_id = new_event_id(now)
    added = {"reconciliation_id": reconciliation_id, "made_at": now, "session": None}
    cursor.execute(_ADD, added | facts)
    add_makers(cursor, facts["store_no"], reconciliation_id, makers)
    return reconciliation_id


def note_content(cursor: Cursor[Any], chart: ChartOfAccounts, reconciliation_id: str) -> Proposal:
    """Works out what an open document proposes, and keeps its hash as what its maker has handed in."""
    proposal = proposal_of(cursor, chart, find_document(cursor, reconciliation_id))
    hashes = [proposal.content_hash, proposal.counted_hash]
    cursor.execute(_SEEN, [proposal.complete, *hashes, proposal.document.store_no, reconciliation_id])
    return proposal


def _made(
    work: Work, chart: ChartOfAccounts, reconciliation_id: str, by: Caller, now: datetime
) -> MadeReconciliation:
    proposal = note_content(work.connection.cursor(), chart, reconciliation_id)
    document = proposal.document
    after = {
        "date": document.date.isoformat(),
        "kind": document.kind,
        "varianceAmount": proposal.variance_amount,
        "reason": document.reason,
        "status": document.status,
        "contentHash": proposal.content_hash.hex(),
    }
    facts = facts_by(by, at=now, action="reconciliation.made", subject=reconciliation_id, after=after)
    append_entry(work, document.store_no, facts)
    return MadeReconciliation(proposal, created=True)


def _items(cursor: Cursor[Any], item_ids: Sequence[str]) -> dict[str, int]:
    query = "SELECT item_id, item_no FROM item WHERE item_id = ANY(%s::varchar[])"
    return dict(cursor.execute(query, [list(item_ids)]).fetchall())


def _violations(
    counts: Counts, items: dict[str, int], reasons: dict[str, Any] | Any, now: datetime
) -> list[Violation]:
    found: list[Violation] = []
    if not counts.lines and not counts.tenders:
        found.append(Violation("lines", "At least one item or tender must be counted"))
    if counts.counted_at > now + CLOCK_TOLERANCE:
        found.append(
            Violation("countedAt", "A count must not lie in the future", counts.counted_at.isoformat())
        )
    seen: set[str] = set()
    for index, line in enumerate(counts.lines):
        path = f"lines[{index}]"
        if line.item_id not in items:
            found.append(Violation(f"{path}.itemId", "Headquarters has no such item", line.item_id))
        if line.item_id in seen:
            found.append(Violation(f"{path}.itemId", "An item is counted once", line.item_id))
        if line.counted < 0:
            found.append(Violation(f"{path}.counted", "Counted must not be less than zero", line.counted))
        found += unknown_reason(line.reason, reasons, f"{path}.reason")
        seen.add(line.item_id)
    tenders = [tender for tender, _ in counts.tenders]
    for index, tender in enumerate(tenders):
        if tender in tenders[:index]:
            found.append(Violation(f"tenders[{index}].type", "A tender is counted once", tender))
    return found


def _refuse(violations: Sequence[Violation]) -> None:
    if violations:
        raise Invalid("The reconciliation is not valid", violations=violations)
