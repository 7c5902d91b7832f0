"""Reason codes: why stock is adjusted, and which purposes' accounts take the loss or the gain. Data, like the chart."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor
from sqlmodel import col, select

from shared.identifiers import is_identifier
from shared.money import round_to
from shared.problems import Violation
from sync_server.accounting.chart_of_accounts import ACCOUNT_NAMES, ChartOfAccounts
from sync_server.accounting.tables import ReasonCode
from sync_server.database import Work
from sync_server.errors import Invalid
from sync_server.people.audit_log import append_entry, facts_by, lock_headquarters
from sync_server.people.callers import Caller
from sync_server.schema import HEADQUARTERS

SHRINKAGE = "SHRINKAGE"
LATE_EVENT = "LATE_EVENT"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code as it is written down; the purposes name accounts of the chart."""

    reason_code: str
    description: str
    loss_purpose: str = "shrinkage"
    gain_purpose: str = "inventory_gain"


@dataclass(frozen=True, slots=True)
class ReasonAccounts:
    """The accounts of one reason code."""

    loss: str
    gain: str

    def of(self, variance: Decimal) -> str:
        """The account that takes a variance of that sign."""
        return self.loss if variance < ZERO else self.gain

    def split(
        self, before: Decimal, after: Decimal, worth: Decimal, coin: Decimal
    ) -> tuple[Decimal, Decimal]:
        """How much of `worth` (signed like after − before) changes the loss and how much the gain.

        What moves a variance below zero is a loss, what moves it above is a gain: the books end as if the variance
        had been `after` from the start.
        """
        loss = min(after, ZERO) - min(before, ZERO)
        part = round_to(worth * loss / (after - before), coin) if after != before else worth
        return part, worth - part


def list_reasons(work: Work) -> Sequence[ReasonCode]:
    """Every reason code, by code."""
    return work.session.exec(select(ReasonCode).order_by(col(ReasonCode.reason_code))).all()


def accounts_by_reason(cursor: Cursor[Any], chart: ChartOfAccounts) -> Mapping[str, ReasonAccounts]:
    """The accounts of every reason code."""
    rows = cursor.execute("SELECT reason_code, loss_purpose, gain_purpose FROM reason_code")
    codes = asdict(chart)
    return {code: ReasonAccounts(codes[loss], codes[gain]) for code, loss, gain in rows.fetchall()}


def unknown_reason(code: str, known: Mapping[str, object], field: str) -> list[Violation]:
    """The violation of naming a reason that is not in the table."""
    if code in known:
        return []
    return [Violation(field, f"Reason must be one of {', '.join(sorted(known))}", code)]


def put_reason(work: Work, reason: Reason, *, by: Caller, now: datetime) -> bool:
    """Adds or changes a reason code; false when it is there just like this. Audited. Raises Invalid.

    What was posted keeps its accounts: the ledger is not rewritten.
    """
    rule = "must be 1 to 128 characters without control characters"
    violations = [
        Violation(field, rule, value)
        for field, value in (("reasonCode", reason.reason_code), ("description", reason.description))
        if not is_identifier(value)
    ]
    violations += [
        Violation(field, f"must be one of {', '.join(sorted(ACCOUNT_NAMES))}", value)
        for field, value in (("lossPurpose", reason.loss_purpose), ("gainPurpose", reason.gain_purpose))
        if value not in ACCOUNT_NAMES
    ]
    if violations:
        raise Invalid("The reason code cannot be written down", violations=violations)
    lock_headquarters(work)
    there = work.session.get(ReasonCode, reason.reason_code)
    before = None if there is None else there.model_dump()
    if before == asdict(reason):
        return False
    work.session.merge(ReasonCode(**asdict(reason)))
    facts = facts_by(
        by, at=now, action="reason.put", subject=reason.reason_code, before=before, after=asdict(reason)
    )
    append_entry(work, HEADQUARTERS, facts)
    return True
