"""Findings: what was posted although somebody should look at it, raised in sets, listed, and closed.

One finding is open per store, code and subject; raised again, it counts. Who closes one by hand is audited.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from psycopg import Connection, Cursor
from sqlmodel import select

from sync_server.database import Work
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.tables import Finding, Store

__all__ = [
    "FindingCode",
    "FindingStatus",
    "keep_finding",
    "list_findings",
    "raise_findings",
    "resolve_findings",
]

MAX_SUBJECT_CHARACTERS = 300


class Connected(Protocol):
    """A transaction that findings are written in: a `Work`, or a cursor of its connection."""

    @property
    def connection(self) -> Connection[Any]:
        """The psycopg connection of the transaction."""


class FindingStatus(StrEnum):
    """Where a finding stands."""

    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    DISMISSED = "DISMISSED"


_RAISE = """
INSERT INTO finding (store_no, code, subject, count, status, first_seen, last_seen)
SELECT %(store_no)s, code, subject, count(*), 'OPEN', %(now)s, %(now)s
FROM unnest(%(codes)s::varchar[], %(subjects)s::varchar[]) AS raised (code, subject)
GROUP BY code, subject ORDER BY code, subject
ON CONFLICT (store_no, code, subject) WHERE status = 'OPEN'
DO UPDATE SET count = finding.count + excluded.count, last_seen = excluded.last_seen
"""
_RESOLVE = """
UPDATE finding SET status = 'RESOLVED', closed_by = %(by)s, close_reason = %(reason)s, last_seen = %(now)s
WHERE store_no = %(store_no)s AND code = %(code)s AND status = 'OPEN'
  AND subject = ANY(%(subjects)s::varchar[])
"""

_CLOSE = _RESOLVE.encode()
_KEEP_OPEN = """
INSERT INTO finding (store_no, code, subject, count, status, first_seen, last_seen, detail)
VALUES (%(store_no)s, %(code)s, %(subject)s, 1, 'OPEN', %(now)s, %(now)s, %(detail)s)
ON CONFLICT (store_no, code, subject) WHERE status = 'OPEN'
DO UPDATE SET count = finding.count + 1, last_seen = excluded.last_seen, detail = excluded.detail
WHERE finding.detail IS DISTINCT FROM excluded.detail
"""


def raise_findings(
    work: Connected, store_no: int, found: Sequence[tuple[FindingCode, str]], *, now: datetime
) -> None:
    """Opens a finding for each (code, subject), or counts the open one up; any number in one statement."""
    if not found:
        return
    parameters = {
        "store_no": store_no,
        "now": now,
        "codes": [code.value for code, _ in found],
        "subjects": [subject[:MAX_SUBJECT_CHARACTERS] for _, subject in found],
    }
    work.connection.execute(_RAISE, parameters)


def resolve_findings(
    work: Connected, store_no: int, code: FindingCode, subjects: Sequence[str], *, reason: str, now: datetime
) -> int:
    """Closes the open findings of `code` about `subjects`, since their cause is gone; returns how many."""
    if not subjects:
        return 0
    parameters = {
        "store_no": store_no,
        "code": code.value,
        "subjects": [subject[:MAX_SUBJECT_CHARACTERS] for subject in subjects],
        "by": "tillsync",
        "reason": reason,
        "now": now,
    }
    return work.connection.execute(_RESOLVE, parameters).rowcount


def keep_finding(
    cursor: Cursor[Any],
    store_no: int,
    code: FindingCode,
    subject: str,
    detail: str,
    *,
    fits: str,
    now: datetime,
) -> None:
    """Keeps one finding in step with its cause: open with these figures, or, without any, closed because it `fits`.

    Looked at again and again it counts once for each time that its figures change.
    """
    named = {"store_no": store_no, "code": code.value, "subject": subject[:MAX_SUBJECT_CHARACTERS]}
    if not detail:
        cursor.execute(
            _CLOSE, {**named, "subjects": [named["subject"]], "by": "tillsync", "reason": fits, "now": now}
        )
        return
    cursor.execute(_KEEP_OPEN, {**named, "detail": detail, "now": now})


def list_findings(
    work: Work,
    *,
    store_no: int | None = None,
    code: FindingCode | None = None,
    status: FindingStatus | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[tuple[Finding, str]]:
    """Findings with their store's id, oldest first, from the one after number `after` on."""
    query = select(Finding, Store.store_id).join(Store).where(Finding.finding_no > after)  # type: ignore[operator]
    if store_no is not None:
        query = query.where(Finding.store_no == store_no)
    if code is not None:
        query = query.where(Finding.code == code.value)
    if status is not None:
        query = query.where(Finding.status == status.value)
    return list(work.session.exec(query.order_by(Finding.finding_no).limit(limit)))  # type: ignore[arg-type]
