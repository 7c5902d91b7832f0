"""What comes after a count was settled and is dated before it: the count stays the truth of the shelf.

The movement stands as it is, with its revenue and its cost; on the earliest settled count after it an equal and
opposite correction is posted, which takes it out of that count's variance. So on hand stays as counted, and sales,
cost of goods and shrinkage come out as if it had been in time. A void of such a line stands where the line stands,
and is corrected likewise: that takes the correction back.

A store without settled counts pays nothing: `LockedStore.counted_until` is empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, LiteralString

from shared.exact_decimal import exact_arithmetic
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.database import Work
from sync_server.inventory.stock_findings import note_shortages
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.reconciliation.ledger_order import CAME_BEFORE, MOVED
from sync_server.reconciliation.reason_codes import LATE_EVENT, ReasonAccounts, accounts_by_reason
from sync_server.reconciliation.shortages import Shortages
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings
from sync_server.stores.locked_store import LockedStore

# A document's own movements stand at the instant of its count: another count of the same instant is not after them.
_LATE: LiteralString = f"""
WITH moved AS MATERIALIZED ({MOVED} AND m.store_no = %(store_no)s AND m.store_sequence BETWEEN %(first)s AND %(last)s)
SELECT DISTINCT ON (moved.store_sequence)
       line.reconciliation_id, moved.business_date, moved.store_sequence, line.line_number, moved.item_no,
       moved.quantity, moved.value, line.counted_at, line.reason_code,
       line.variance_quantity + coalesce((
           SELECT sum(c.quantity) FROM count_correction AS c
           WHERE c.store_no = line.store_no AND c.reconciliation_id = line.reconciliation_id
             AND c.line_number = line.line_number), 0) AS variance
FROM moved
JOIN reconciliation_line AS line ON line.store_no = moved.store_no AND line.item_no = moved.item_no
    AND NOT line.withdrawn AND line.counted IS NOT NULL
JOIN reconciliation AS r ON r.store_no = line.store_no AND r.reconciliation_id = line.reconciliation_id
    AND r.status IN ('APPROVED', 'POSTED')
WHERE r.reconciliation_id IS DISTINCT FROM moved.document AND {CAME_BEFORE}
  AND (moved.event IS NOT NULL OR moved.at < line.counted_at)
ORDER BY moved.store_sequence, line.counted_at, line.reconciliation_id
"""  # noqa: S608  # built from constants
_KEEP = """
INSERT INTO count_correction (store_no, store_sequence, reconciliation_id, line_number, cause_sequence, quantity, value,
                              posted_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class LateMovement:
    """A movement that came late, and the line of the count that it is taken out of."""

    reconciliation_id: str
    business_date: date
    store_sequence: int
    line_number: int
    item_no: int
    quantity: Decimal
    value: Decimal
    counted_at: datetime
    reason_code: str
    variance: Decimal
    """The line's variance before, with the corrections of it that were posted before."""


def correct_counts(
    work: Work, chart: ChartOfAccounts, store: LockedStore, first: int, *, by: Caller, now: datetime
) -> int:
    """Corrects settled counts by the movements from number `first` to the store's last; returns how many.

    Call it under the store's lock, when these movements are written; `store.last_sequence` is the last of them.
    """
    facts = {"store_no": store.store_no, "first": first, "last": store.last_sequence}
    rows = work.connection.execute(_LATE, facts).fetchall()
    late = sorted((LateMovement(*row) for row in rows), key=_document_and_day)
    if not late:
        return 0
    reasons = accounts_by_reason(work.connection.cursor(), chart)
    variances: dict[tuple[str, int], Decimal] = {}
    for (document, day), movements in groupby(late, _document_and_day):
        posting = DocumentPosting(
            work.connection.cursor(), store, chart, kind=LATE_EVENT, document=document, date=day, now=now
        )
        store = replace(store, last_sequence=_post(work, posting, list(movements), reasons, variances))
    documents = sorted({each.reconciliation_id for each in late})
    raise_findings(
        work, store.store_no, [(FindingCode.COUNT_CORRECTED, document) for document in documents], now=now
    )
    for document in documents:
        after = {"corrections": sum(each.reconciliation_id == document for each in late)}
        entry = facts_by(by, at=now, action="reconciliation.corrected", subject=document, after=after)
        append_entry(work, store.store_no, entry)
    return len(late)


def _post(
    work: Work,
    posting: DocumentPosting,
    late: Sequence[LateMovement],
    reasons: Mapping[str, ReasonAccounts],
    variances: dict[tuple[str, int], Decimal],
) -> int:
    """Posts the corrections of one document and day; returns the store's last number."""
    chart, store_no = posting.chart, posting.store.store_no
    posting.read({each.item_no for each in late})
    shortages = Shortages(posting.items.values())
    kept: list[tuple[Any, ...]] = []
    with exact_arithmetic():
        for each in late:
            line = (each.reconciliation_id, each.line_number)
            before = variances.get(line, each.variance)
            after = variances[line] = before - each.quantity
            accounts = reasons.get(each.reason_code) or ReasonAccounts(chart.shrinkage, chart.inventory_gain)
            loss, gain = accounts.split(before, after, -each.value, posting.coin)
            value = posting.move(
                each.item_no,
                -each.quantity,
                -each.value,
                counter_account=accounts.loss if loss else accounts.gain,
                movement_type=LATE_EVENT,
                reason_code=LATE_EVENT,
                occurred_at=each.counted_at,
            ).value
            if loss and gain:
                posting.entry.debit(accounts.loss, gain)
                posting.entry.credit(accounts.gain, gain)
            number = posting.movements[-1].store_sequence
            kept.append((store_no, number, *line, each.store_sequence, -each.quantity, value, posting.now))
        last = posting.write()
    work.connection.cursor().executemany(_KEEP, kept)
    shortages.note(work, store_no, posting.items.values(), posting.now)
    reserved = [item.item_no for item in posting.items.values() if item.reserved]
    note_shortages(work, store_no, reserved, now=posting.now)
    return last


def _document_and_day(late: LateMovement) -> tuple[str, date]:
    return late.reconciliation_id, late.business_date
