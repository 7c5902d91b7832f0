"""Reconciliations as they go over the wire."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.clock import read_instant
from shared.event_fields import MAX_TENDERS
from shared.problems import Violation
from sync_server.errors import Invalid
from sync_server.reconciliation.documents import COUNT, Document, Proposal, ProposedLine
from sync_server.reconciliation.reason_codes import SHRINKAGE
from sync_server.reconciliation.reconciliations import Counts, ItemCount
from sync_server.wire_models import CalendarDate, ExactNumber, Identifier, WireModel

MAX_LINES = 20_000


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        return read_instant(value)
    raise ValueError("must be a date-time with an offset, such as 2026-02-10T23:00:00Z")


Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A date-time with an offset."""
Sentence = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class CountedItem(WireModel):
    """How many of an item lay there."""

    item_id: Identifier
    counted: ExactNumber
    reason: Identifier | None = Field(
        default=None, description="Why it may differ; else the document's reason."
    )


class CountedTender(WireModel):
    """What lay in the drawers of one tender."""

    type: Identifier
    counted: ExactNumber


class ReconcileRequest(WireModel):
    """A store's close of day: a variance in money (`varianceAmount`, `reason`), or counts (`countedAt` and
    `lines`, `tenders` or both), whose variance is worked out from the ledger."""

    date: CalendarDate
    variance_amount: ExactNumber | None = Field(
        default=None, description="Counted − system, in the store's currency."
    )
    reason: Identifier | None = Field(default=None, description="A reason code such as SHRINKAGE.")
    counted_at: Instant | None = Field(default=None, description="The instant as of which was counted.")
    lines: list[CountedItem] | None = Field(default=None, max_length=MAX_LINES)
    tenders: list[CountedTender] | None = Field(default=None, max_length=MAX_TENDERS)

    def counts(self) -> Counts | None:
        """What was counted; None when the request states an amount of money. Raises Invalid for neither and both."""
        counted = self.lines is not None or self.tenders is not None or self.counted_at is not None
        found: list[Violation] = []
        if counted:
            if self.counted_at is None:
                found.append(Violation("countedAt", "The instant of a count is required"))
            if self.variance_amount is not None:
                found.append(Violation("varianceAmount", "The variance of a count is worked out, not stated"))
        else:
            if self.variance_amount is None:
                found.append(
                    Violation("varianceAmount", "Variance amount is required where nothing is counted")
                )
            if self.reason is None:
                found.append(Violation("reason", "Reason is required where nothing is counted"))
        if found:
            raise Invalid("The request body is not valid", violations=found)
        if self.counted_at is None:
            return None
        reason = self.reason or SHRINKAGE
        return Counts(
            date=self.date,
            counted_at=self.counted_at,
            lines=[ItemCount(each.item_id, each.counted, each.reason or reason) for each in self.lines or ()],
            tenders=[(each.type, each.counted) for each in self.tenders or ()],
        )


class ApprovalRequest(WireModel):
    """Approving what was seen."""

    reason: Sentence | None = Field(default=None, description="Required while events are missing.")
    content_hash: str | None = Field(
        default=None,
        max_length=66,
        description="The `contentHash` that was seen, here or in `If-Match`; without one, what the maker handed in.",
    )


class ReasonedRequest(WireModel):
    """Something that is done for a reason."""

    reason: Sentence


class PlainRequest(WireModel):
    """Something that may be done with a reason."""

    reason: Sentence | None = None


class ReasonCodeRow(WireModel):
    """A reason of adjustments."""

    reason_code: str
    description: str
    loss_purpose: str = Field(description="The purpose in the chart of accounts that takes a loss.")
    gain_purpose: str


class Reconciliation(WireModel):
    """A reconciliation as it stands."""

    reconciliation_id: str
    store_id: str
    date: date
    variance_amount: ExactNumber
    reason: str
    status: str
    complete: bool = Field(description="Whether every event up to it has arrived.")


class ReconciliationRow(Reconciliation):
    """A reconciliation in a list."""

    kind: str
    currency: str
    made_by: str
    made_at: datetime
    approved_by: str | None
    posted_at: datetime | None


class LateEventRow(WireModel):
    """A movement that came after the count was settled and is dated before it, and its correction."""

    store_sequence: int
    cause_sequence: int
    event_id: str | None
    type: str
    quantity: ExactNumber = Field(description="Of the correction; the event moved the opposite.")
    value: ExactNumber
    posted_at: datetime
    acknowledged: bool


class ReconciliationLineRow(WireModel):
    """An item: counted, as of the count in the books, and what differs."""

    line_number: int
    item_id: str
    counted: ExactNumber | None
    counted_at: datetime
    system: ExactNumber | None
    variance: ExactNumber
    value: ExactNumber = Field(description="Of the variance: as posted, or at today's cost.")
    reason: str
    uncertain: ExactNumber = Field(
        description="Moved so near to the count at other workstations that its order is not certain."
    )
    corrected_variance: ExactNumber = Field(description="The variance with what came late taken out of it.")
    late_events: list[LateEventRow]


class ReconciliationTenderRow(WireModel):
    """A tender: counted, in the books for that business date, and what differs."""

    type: str
    counted: ExactNumber
    expected: ExactNumber
    variance: ExactNumber


class ReconciliationDetails(ReconciliationRow):
    """A reconciliation with everything that its approver decides on."""

    content_hash: str
    missing: list[str] = Field(description="Why it is not complete.")
    makers: list[str]
    lines: list[ReconciliationLineRow]
    tenders: list[ReconciliationTenderRow]
    approval_reason: str | None
    approved_at: datetime | None
    rejected_by: str | None
    reject_reason: str | None
    posted_by: str | None
    journal_id: str | None
    cleared_by: str | None
    to_acknowledge: int = Field(description="Corrections that its approver has not looked at yet.")


def shown(proposal: Proposal) -> Reconciliation:
    """The short form, as the specification's request is answered."""
    document = proposal.document
    return Reconciliation(
        reconciliation_id=document.reconciliation_id,
        store_id=document.store_id,
        date=document.date,
        variance_amount=proposal.variance_amount,
        reason=document.reason,
        status=document.status,
        complete=proposal.complete,
    )


def row_of(document: Document) -> ReconciliationRow:
    """A row of the list; what an open count would post stands in its details."""
    return ReconciliationRow(**_row(document, document.variance_amount, document.complete))


def details(
    proposal: Proposal, makers: list[str], late: dict[int, list[LateEventRow]], journal_id: str | None
) -> ReconciliationDetails:
    """Everything of it; `late`: what came late by line number."""
    document = proposal.document
    rows = [row for rows in late.values() for row in rows]
    return ReconciliationDetails(
        **_row(document, proposal.variance_amount, proposal.complete),
        content_hash=proposal.content_hash.hex(),
        missing=list(proposal.missing),
        makers=makers,
        lines=[_line(line, document.kind, late.get(line.line_number, [])) for line in proposal.lines],
        tenders=[
            ReconciliationTenderRow(
                type=each.tender, counted=each.counted, expected=each.expected, variance=each.variance
            )
            for each in proposal.tenders
        ],
        approval_reason=document.approval_reason,
        approved_at=document.approved_at,
        rejected_by=document.rejected_by,
        reject_reason=document.reject_reason,
        posted_by=document.posted_by,
        journal_id=journal_id,
        cleared_by=document.cleared_by,
        to_acknowledge=sum(not row.acknowledged for row in rows),
    )


def _row(document: Document, variance_amount: Decimal, complete: bool) -> dict[str, object]:
    return {
        "reconciliation_id": document.reconciliation_id,
        "store_id": document.store_id,
        "date": document.date,
        "variance_amount": variance_amount,
        "reason": document.reason,
        "status": document.status,
        "complete": complete,
        "kind": document.kind,
        "currency": document.currency,
        "made_by": document.made_by,
        "made_at": document.made_at,
        "approved_by": document.approved_by,
        "posted_at": document.posted_at,
    }


def _line(line: ProposedLine, kind: str, late: list[LateEventRow]) -> ReconciliationLineRow:
    return ReconciliationLineRow(
        line_number=line.line_number,
        item_id=line.item_id,
        counted=line.counted if kind == COUNT else None,
        counted_at=line.counted_at,
        system=line.system_quantity,
        variance=line.variance_quantity,
        value=line.value,
        reason=line.reason_code,
        uncertain=line.uncertain_quantity,
        corrected_variance=line.variance_quantity + sum((row.quantity for row in late), Decimal(0)),
        late_events=late,
    )
