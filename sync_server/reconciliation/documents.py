"""Reconciliations as they stand: the document, and what it proposes, worked out anew while it is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import Cursor

from shared.business_date import DayRule
from shared.canonical_json import canonical_hash
from shared.clock import instant_text
from shared.money import minor_unit
from shared.problems import ErrorCode
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.errors import NotFound
from sync_server.inventory.item_stock import ItemStock, read_item_stock
from sync_server.inventory.valuation import ZERO, current_cost, unit_cost_of, worth_at
from sync_server.reconciliation.completeness import what_is_missing
from sync_server.reconciliation.system_stock import (
    CountedLine,
    SystemStock,
    base_of,
    stock_as_of,
    tenders_of,
)

OPEN, APPROVED, POSTED, REJECTED = "OPEN", "APPROVED", "POSTED", "REJECTED"
MONEY, COUNT, ADJUSTMENT = "MONEY", "COUNT", "ADJUSTMENT"

DOCUMENTS: LiteralString = """
SELECT r.store_no, s.store_id, s.currency, s.timezone, s.day_start, r.reconciliation_id, r.kind, r.date,
       r.variance_amount, r.reason, r.status, r.complete, r.made_by, r.made_at, r.counted_hash, r.base_sequence,
       p.name, r.approved_at, r.approved_hash, r.approval_reason, r.rejected_by, r.reject_reason, r.posted_by,
       r.posted_at, r.journal_sequence, r.cleared_by, r.acknowledged_sequence
FROM reconciliation AS r JOIN store AS s USING (store_no) LEFT JOIN person AS p ON p.person_no = r.approved_by
"""
"""Rows of `Document`; a condition follows."""
_LINES = """
SELECT line_number, item_no, item_id, counted, counted_at, reason_code, event_sequence, stream_no, sequence,
       workstation_id, system_quantity, variance_quantity, uncertain_quantity, value, movement_sequence
FROM reconciliation_line JOIN item USING (item_no)
WHERE store_no = %s AND reconciliation_id = %s AND NOT withdrawn ORDER BY line_number
"""
_TENDERS = """
SELECT tender, counted, expected FROM reconciliation_tender
WHERE store_no = %s AND reconciliation_id = %s ORDER BY tender
"""


@dataclass(frozen=True, slots=True)
class Document:
    """A reconciliation's row, with its store's and its approver's names."""

    store_no: int
    store_id: str
    currency: str
    timezone: str
    day_start: time
    reconciliation_id: str
    kind: str
    date: date
    variance_amount: Decimal
    reason: str
    status: str
    complete: bool
    made_by: str
    made_at: datetime
    counted_hash: bytes | None
    """What its maker has handed in: the proposal's own, until somebody counts again."""
    base_sequence: int | None
    approved_by: str | None
    approved_at: datetime | None
    approved_hash: bytes | None
    approval_reason: str | None
    rejected_by: str | None
    reject_reason: str | None
    posted_by: str | None
    posted_at: datetime | None
    journal_sequence: int | None
    cleared_by: str | None
    acknowledged_sequence: int | None

    @property
    def rule(self) -> DayRule:
        """How the store dates what happens."""
        return DayRule(self.timezone, self.day_start)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedLine(CountedLine):
    """An item and its variance; `counted` is 0 and means nothing in an adjustment."""

    item_id: str
    system_quantity: Decimal | None
    variance_quantity: Decimal
    uncertain_quantity: Decimal
    value: Decimal
    """What the variance is worth, signed: as posted, or at today's cost while it is not."""
    movement_sequence: int | None = None


@dataclass(frozen=True, slots=True)
class ProposedTender:
    """What lay in the drawer against what the books have."""

    tender: str
    counted: Decimal
    expected: Decimal

    @property
    def variance(self) -> Decimal:
        """Counted − expected."""
        return self.counted - self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a reconciliation would post, or has posted, and how complete the events behind it are."""

    document: Document
    base_sequence: int
    lines: Sequence[ProposedLine] = ()
    tenders: Sequence[ProposedTender] = ()
    missing: Sequence[str] = ()
    content_hash: bytes = field(default=b"")
    counted_hash: bytes = field(default=b"")
    """The content without what the books had: what people stated, which late events do not change."""

    @property
    def variance_amount(self) -> Decimal:
        """Of money as it was stated; else the value of what was counted too little or too much."""
        if self.document.kind == MONEY:
            return self.document.variance_amount
        return sum((line.value for line in self.lines), ZERO)

    @property
    def complete(self) -> bool:
        """Whether every event up to the count had arrived: now while it is open, at approval afterwards."""
        return not self.missing if self.document.status == OPEN else self.document.complete


def find_document(cursor: Cursor[Any], reconciliation_id: str) -> Document:
    """The reconciliation of that id; raises NotFound."""
    known = "\x00" not in reconciliation_id
    row = (
        cursor.execute(f"{DOCUMENTS} WHERE r.reconciliation_id = %s", [reconciliation_id]).fetchone()
        if known
        else None
    )
    if row is None:
        raise NotFound(f"There is no reconciliation {reconciliation_id!r}", code=ErrorCode.NOT_FOUND)
    return Document(*row)


def proposal_of(cursor: Cursor[Any], chart: ChartOfAccounts, document: Document) -> Proposal:
    """What the document proposes: worked out from the ledger while it is open, as it was settled afterwards."""
    key = [document.store_no, document.reconciliation_id]
    rows = cursor.execute(_LINES, key).fetchall()
    counted = [CountedLine(**_counted(row)) for row in rows if row[3] is not None]
    base, system = document.base_sequence or 0, dict[int, SystemStock]()
    if document.status == OPEN and counted:
        base = base_of(cursor, document.store_no, min(line.counted_at for line in counted))
        system = dict(stock_as_of(cursor, document.store_no, base, counted))
    stock = read_item_stock(cursor, document.store_no, {row[1] for row in rows})
    coin = minor_unit(document.currency)
    lines = [_line(row, system, stock, coin) for row in rows]
    tenders = _tenders(cursor, chart, document)
    missing: Sequence[str] = ()
    if document.status == OPEN and document.kind != ADJUSTMENT:
        latest = max((line.counted_at for line in lines), default=None)
        missing = what_is_missing(cursor, document.store_no, document.date, latest)
    return Proposal(
        document=document,
        base_sequence=base,
        lines=lines,
        tenders=tenders,
        missing=missing,
        content_hash=content_hash_of(document, lines, tenders),
        counted_hash=content_hash_of(document, lines, tenders, counted_only=True),
    )


def content_hash_of(
    document: Document,
    lines: Sequence[ProposedLine],
    tenders: Sequence[ProposedTender],
    *,
    counted_only: bool = False,
) -> bytes:
    """What an approver decides on: everything that is proposed but its value, which moves with every sale's cost.

    `counted_only` leaves out what the books had, too.
    """
    content: dict[str, Any] = {
        "kind": document.kind,
        "date": document.date.isoformat(),
        "reason": document.reason,
        "varianceAmount": document.variance_amount if document.kind == MONEY else None,
        "lines": [
            {
                "itemId": line.item_id,
                "counted": line.counted,
                "countedAt": instant_text(line.counted_at),
                "system": None if counted_only else line.system_quantity,
                "variance": None if counted_only else line.variance_quantity,
                "reason": line.reason_code,
            }
            for line in lines
        ],
        "tenders": [
            {
                "type": each.tender,
                "counted": each.counted,
                "expected": None if counted_only else each.expected,
            }
            for each in tenders
        ],
    }
    return canonical_hash(content)


def worth_of(item: ItemStock, variance: Decimal, coin: Decimal) -> Decimal:
    """What a variance is worth at today's cost of the item in the store, signed alike."""
    if variance < ZERO:
        return -current_cost(item.position, -variance, coin)
    return worth_at(unit_cost_of(item.position), variance, coin)


def _counted(row: tuple[Any, ...]) -> dict[str, Any]:
    number, item_no, _, counted, counted_at, reason, event, stream, sequence, workstation, *_ = row
    return {
        "line_number": number,
        "item_no": item_no,
        "counted": counted or ZERO,
        "counted_at": counted_at,
        "reason_code": reason,
        "event_sequence": event,
        "stream_no": stream,
        "sequence": sequence,
        "workstation_id": workstation,
    }


def _line(
    row: tuple[Any, ...], system: Mapping[int, SystemStock], stock: Mapping[int, ItemStock], coin: Decimal
) -> ProposedLine:
    facts = _counted(row)
    in_books, variance, uncertain, value, movement = row[10:]
    now = system.get(facts["line_number"])
    if now is not None:
        in_books, uncertain = now.quantity, now.uncertain
        variance = facts["counted"] - now.quantity
    variance = variance or ZERO
    if value is None:
        value = worth_of(stock[facts["item_no"]], variance, coin) if variance else ZERO
    return ProposedLine(
        **facts,
        item_id=row[2],
        system_quantity=in_books,
        variance_quantity=variance,
        uncertain_quantity=uncertain or ZERO,
        value=value,
        movement_sequence=movement,
    )


def _tenders(cursor: Cursor[Any], chart: ChartOfAccounts, document: Document) -> list[ProposedTender]:
    key = [document.store_no, document.reconciliation_id]
    rows = cursor.execute(_TENDERS, key).fetchall()
    booked: Mapping[str, Decimal] = {}
    if document.status == OPEN:
        booked = tenders_of(
            cursor,
            document.store_no,
            document.date,
            [row[0] for row in rows],
            rule=document.rule,
            currency=document.currency,
            clearing=chart.tender_clearing,
        )
    return [
        ProposedTender(tender, counted, booked.get(tender, expected or ZERO))
        for tender, counted, expected in rows
    ]
