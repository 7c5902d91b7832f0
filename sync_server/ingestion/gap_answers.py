"""What people found out about missing transaction numbers: sent again by the store, or never given to a sale."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from shared.problems import Violation
from sync_server.database import Work
from sync_server.errors import Invalid, NotFound
from sync_server.ingestion.till_proof import compare_days
from sync_server.ingestion.workstation_counting import counted_through
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import lock_store


class GapAnswer(StrEnum):
    """What became of missing transactions."""

    RESENT = "RESENT"
    """The store sends them again; the finding closes when they come."""
    NEVER_EXISTED = "NEVER_EXISTED"
    """Nothing was sold under these numbers: a drawer opened, a receipt cancelled, a till set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerWish:
    """The numbers from `first` to `last` of a workstation's day, and what became of them."""

    workstation_id: str
    business_date: date
    first: int
    last: int
    answer: GapAnswer
    reason: str


_DAY = """
SELECT 1 FROM workstation_day
WHERE store_no = %(store_no)s AND workstation_id = %(workstation)s AND business_date = %(day)s
"""
_ADD = """
INSERT INTO transaction_gap_answer (store_no, workstation_id, business_date, first_number, last_number, answer,
                                    reason, answered_by, answered_at)
VALUES (%(store_no)s, %(workstation)s, %(day)s, %(first)s, %(last)s, %(answer)s, %(reason)s, %(by)s, %(now)s)
"""
_AGAIN = """
UPDATE workstation_day SET dirty = true
WHERE store_no = %(store_no)s AND workstation_id = %(workstation)s AND closes > 0
  AND (business_date = %(day)s OR missing && int8range(%(first)s, %(last)s, '[]'))
"""


def answer_gap(work: Work, store_no: int, wish: AnswerWish, *, by: Caller, now: datetime) -> None:
    """Records the answer and compares the days that it concerns. Raises NotFound, Invalid."""
    if wish.first > wish.last:
        rule = "must not lie below `from`"
        raise Invalid("The numbers are no range", violations=[Violation("to", rule, wish.last)])
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    facts: dict[str, Any] = {
        "store_no": store_no,
        "workstation": wish.workstation_id,
        "day": wish.business_date,
        "first": wish.first,
        "last": wish.last,
        "answer": wish.answer.value,
        "reason": wish.reason,
        "by": by.name,
        "now": now,
    }
    if cursor.execute(_DAY, facts).fetchone() is None:
        raise NotFound(
            f"Nothing is known of workstation {wish.workstation_id!r} on {wish.business_date}; "
            f"GET /stores/{store.store_id}/workstation-days lists what is"
        )
    cursor.execute(_ADD, facts)
    cursor.execute(_AGAIN, facts)
    if counted_through(cursor, store_no) == store.last_sequence:
        compare_days(cursor, store_no, now)
    after = {"from": wish.first, "to": wish.last, "answer": wish.answer.value, "reason": wish.reason}
    subject = f"{wish.workstation_id} {wish.business_date.isoformat()}"
    append_entry(
        work, store_no, facts_by(by, at=now, action="transaction_gap.answered", subject=subject, after=after)
    )
