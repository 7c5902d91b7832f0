"""What tills count and adjust, as documents: lines of a count, and adjustments that wait for somebody's approval.

Each is made by its cashier. Called in the batch's transaction, under the store's lock, behind the batch's own rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from psycopg import Cursor

from shared.exact_decimal import exact_arithmetic
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.reconciliation.documents import ADJUSTMENT, COUNT, OPEN, POSTED
from sync_server.reconciliation.makers import add_makers, maker_at_till
from sync_server.reconciliation.reason_codes import SHRINKAGE, accounts_by_reason
from sync_server.reconciliation.reconciliations import add_document, note_content
from sync_server.stores.locked_store import lock_store

_OPEN_SESSION = """
SELECT reconciliation_id FROM reconciliation WHERE store_no = %s AND session = %s AND status = 'OPEN'
"""
_REPLACE = """
UPDATE reconciliation_line SET withdrawn = true
WHERE store_no = %s AND reconciliation_id = %s AND item_no = %s AND NOT withdrawn
"""
_ADD_LINE = """
INSERT INTO reconciliation_line (store_no, reconciliation_id, line_number, item_no, counted, counted_at, reason_code,
                                 event_sequence, stream_no, sequence, workstation_id, variance_quantity)
SELECT %(store_no)s::int, %(document)s::varchar, coalesce(max(line_number), 0) + 1, %(item_no)s::int,
       %(counted)s::numeric, %(counted_at)s::timestamptz, %(reason)s::varchar, %(event)s::bigint, %(stream)s::int,
       %(sequence)s::bigint, %(workstation)s::varchar, %(variance)s::numeric
FROM reconciliation_line WHERE store_no = %(store_no)s::int AND reconciliation_id = %(document)s::varchar
"""
_OF_EVENTS = """
SELECT line.event_sequence, r.reconciliation_id, r.kind, r.status, r.date, line.line_number, line.item_no,
       line.variance_quantity, line.value, line.reason_code, line.counted_at
FROM reconciliation_line AS line JOIN reconciliation AS r USING (store_no, reconciliation_id)
WHERE line.store_no = %s AND line.event_sequence = ANY(%s::bigint[]) ORDER BY line.event_sequence
"""
_WITHDRAW = """
UPDATE reconciliation_line SET withdrawn = true WHERE store_no = %s AND reconciliation_id = %s AND line_number = %s
"""
_TAKEN_BACK = """
UPDATE reconciliation SET status = 'REJECTED', rejected_by = 'till', rejected_at = %s,
    reject_reason = 'The till took it back' WHERE store_no = %s AND reconciliation_id = %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TillLine:
    """An item that a till counted, or adjusted by `variance`; where it stands in the order of things."""

    event_sequence: int
    item_no: int
    counted: Decimal | None
    variance: Decimal | None = None
    value: Decimal = Decimal(0)
    """What an adjustment is worth at the cost of the moment; what it posts is worked out when it is approved."""
    reason: str
    at: datetime
    business_date: date
    session: str | None
    cashier_id: str | None
    stream_no: int | None
    sequence: int | None
    workstation_id: str | None


@dataclass(frozen=True, slots=True)
class LineOfEvent:
    """The line that an event became, and where its document stands."""

    event_sequence: int
    reconciliation_id: str
    kind: str
    status: str
    date: date
    line_number: int
    item_no: int
    variance: Decimal | None
    value: Decimal | None
    reason: str
    at: datetime


def lines_of_events(
    cursor: Cursor[Any], store_no: int, event_sequences: Iterable[int]
) -> Mapping[int, LineOfEvent]:
    """The lines that events of the store became, by the event's number."""
    rows = cursor.execute(_OF_EVENTS, [store_no, list(event_sequences)]).fetchall()
    return {row[0]: LineOfEvent(*row) for row in rows}


def add_counted_lines(
    cursor: Cursor[Any], chart: ChartOfAccounts, store_no: int, lines: Sequence[TillLine], now: datetime
) -> None:
    """Each line joins the open document of its session, or begins one; an item counted anew replaces its count."""
    for session, of_session in groupby(sorted(lines, key=_session), _session):
        counted = list(of_session)
        row = cursor.execute(_OPEN_SESSION, [store_no, session]).fetchone()
        document = row[0] if row else _begin(cursor, store_no, counted[0], COUNT, session, now)
        for line in counted:
            add_makers(cursor, store_no, document, [maker_at_till(line.cashier_id)])
            cursor.execute(_REPLACE, [store_no, document, line.item_no])
            # A clock that is ahead counted before it says: what happens from now on comes after the count.
            _add_line(cursor, store_no, document, replace(line, at=min(line.at, now)))
        note_content(cursor, chart, document)


def add_waiting_adjustments(
    cursor: Cursor[Any], chart: ChartOfAccounts, store_no: int, lines: Sequence[TillLine], now: datetime
) -> None:
    """A document for each; it is posted when somebody else approves it."""
    for line in lines:
        document = _begin(cursor, store_no, line, ADJUSTMENT, None, now)
        _add_line(cursor, store_no, document, line)
        note_content(cursor, chart, document)


def take_back_lines(
    cursor: Cursor[Any],
    chart: ChartOfAccounts,
    store_no: int,
    event_sequences: Sequence[int],
    now: datetime,
) -> None:
    """What a till has taken back: a count leaves its open document, an adjustment is withdrawn or posted backwards."""
    for line in lines_of_events(cursor, store_no, event_sequences).values():
        if line.kind == COUNT and line.status == OPEN:
            cursor.execute(_WITHDRAW, [store_no, line.reconciliation_id, line.line_number])
            note_content(cursor, chart, line.reconciliation_id)
        elif line.kind == ADJUSTMENT and line.status == OPEN:
            cursor.execute(_TAKEN_BACK, [now, store_no, line.reconciliation_id])
        elif line.kind == ADJUSTMENT and line.status == POSTED:
            _post_backwards(cursor, chart, store_no, line, now)


def _post_backwards(
    cursor: Cursor[Any], chart: ChartOfAccounts, store_no: int, line: LineOfEvent, now: datetime
) -> None:
    """The exact reverse of an adjustment that was approved, under the same document."""
    store, reasons = lock_store(cursor, store_no), accounts_by_reason(cursor, chart)
    assert line.variance is not None
    assert line.value is not None
    posting = DocumentPosting(
        cursor, store, chart, kind="RECONCILIATION", document=line.reconciliation_id, date=line.date, now=now
    )
    posting.read([line.item_no])
    with exact_arithmetic():
        posting.move(
            line.item_no,
            -line.variance,
            -line.value,
            counter_account=(reasons.get(line.reason) or reasons[SHRINKAGE]).of(line.variance),
            movement_type=ADJUSTMENT,
            reason_code=line.reason,
            occurred_at=line.at,
        )
    posting.write()


def _session(line: TillLine) -> str:
    return line.session or ""


def _begin(
    cursor: Cursor[Any], store_no: int, line: TillLine, kind: str, session: str | None, now: datetime
) -> str:
    facts = {
        "store_no": store_no,
        "date": line.business_date,
        "variance_amount": line.value,
        "reason": line.reason,
        "made_by": f"cashier {line.cashier_id}" if line.cashier_id else "a till",
        "kind": kind,
        "session": session,
    }
    return add_document(cursor, facts, [maker_at_till(line.cashier_id)], now)


def _add_line(cursor: Cursor[Any], store_no: int, document: str, line: TillLine) -> None:
    facts = {
        "store_no": store_no,
        "document": document,
        "item_no": line.item_no,
        "counted": line.counted,
        "counted_at": line.at,
        "reason": line.reason,
        "event": line.event_sequence,
        "stream": line.stream_no,
        "sequence": line.sequence,
        "workstation": line.workstation_id,
        "variance": line.variance,
    }
    cursor.execute(_ADD_LINE, facts)
