"""`GET /audit`: who did what to which document, when, from where."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from psycopg.rows import namedtuple_row
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.problems import ErrorCode
from shared.protocol import API_PREFIX
from shared.wire_json import decode_json
from sync_server.database import Work
from sync_server.errors import NotFound
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.request_context import parts_of
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    FromDate,
    Limit,
    Page,
    ToDate,
    WireModel,
    cursor_position,
    instant_position,
    page_of,
)

_ENTRIES = """
SELECT s.store_id, a.audit_sequence, a.at, a.actor_kind, a.actor, a.action, a.subject, a.before::text AS before,
       a.after::text AS after, a.request_id, a.origin, encode(a.hash, 'hex') AS hash, a.store_no
FROM audit_entry a JOIN store s USING (store_no)
WHERE (%(actor)s::varchar IS NULL OR a.actor = %(actor)s::varchar)
  AND (%(action)s::varchar IS NULL OR a.action = %(action)s::varchar)
  AND (%(subject)s::varchar IS NULL OR a.subject = %(subject)s::varchar)
  AND (%(first)s::timestamptz IS NULL OR a.at >= %(first)s::timestamptz)
  AND (%(end)s::timestamptz IS NULL OR a.at < %(end)s::timestamptz)
"""
_OF_STORE = f"""{_ENTRIES}
  AND a.store_no = %(store_no)s AND a.audit_sequence < %(sequence)s
ORDER BY a.audit_sequence DESC LIMIT %(limit)s
"""
_OF_ALL = f"""{_ENTRIES}
  AND (%(at)s::timestamptz IS NULL
       OR (a.at, a.store_no, a.audit_sequence) < (%(at)s::timestamptz, %(of_store)s::int, %(sequence)s))
ORDER BY a.at DESC, a.store_no DESC, a.audit_sequence DESC LIMIT %(limit)s
"""
_LARGEST = 2**63 - 1
_MOST, _NO_NUL = 300, r"^[^\x00]*$"
Actor = Annotated[str | None, Query(max_length=_MOST, pattern=_NO_NUL, description="Who did it, by name.")]
Action = Annotated[
    str | None, Query(max_length=_MOST, pattern=_NO_NUL, description="Such as `finding.resolved`.")
]
Subject = Annotated[
    str | None,
    Query(max_length=_MOST, pattern=_NO_NUL, description="The document: a batch, a finding, a transfer…"),
]
Chain = Annotated[
    str | None,
    Query(
        alias="storeId",
        max_length=_MOST,
        pattern=_NO_NUL,
        description="One chain alone; HEADQUARTERS for what concerns no store.",
    ),
]


class AuditEntryRow(WireModel):
    """One link of a store's chain; `hash` covers it and the link before it."""

    store_id: str = Field(description="HEADQUARTERS for what concerns no store.")
    audit_sequence: int
    at: datetime
    actor_kind: str
    actor: str
    action: str
    subject: str
    before: Any = Field(description="The document as it was.")
    after: Any = Field(description="The document as it is.")
    request_id: str
    origin: str
    hash: str


def router() -> APIRouter:
    """The route of the audit trail."""
    routes = APIRouter(prefix=API_PREFIX, tags=["people"], dependencies=[authenticated(*READERS)])
    routes.get("/audit", response_model=Page[AuditEntryRow])(show_audit)
    return routes


def show_audit(
    request: Request,
    store_id: Chain = None,
    actor: Actor = None,
    action: Action = None,
    subject: Subject = None,
    first: FromDate = None,
    last: ToDate = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """The audit trail, newest first; `from` and `to` are days in UTC."""
    position = cursor_position(after, list, [str, int, int])
    at, of_store, sequence = position or (None, None, _LARGEST)
    parameters: dict[str, Any] = {
        "actor": actor,
        "action": action,
        "subject": subject,
        "first": _midnight(first),
        "end": _midnight(None if last is None else _day_after(last)),
        "at": None if at is None else instant_position(at, after),
        "of_store": of_store,
        "sequence": sequence,
        "limit": limit + 1,
    }
    with parts_of(request).database.reading() as work:
        if store_id is not None:
            parameters["store_no"] = _chain_of(work, store_id)
        with work.connection.cursor(row_factory=namedtuple_row) as cursor:
            query = _OF_ALL if store_id is None else _OF_STORE
            found: list[Any] = list(cursor.execute(query.encode(), parameters))
    return page_of(found, limit, _row, lambda each: [each.at.isoformat(), each.store_no, each.audit_sequence])


def _row(row: Any) -> AuditEntryRow:
    fields = row._asdict()
    fields.pop("store_no")
    for document in ("before", "after"):
        text = fields[document]
        fields[document] = None if text is None else decode_json(text.encode())
    return AuditEntryRow(**fields)


def _chain_of(work: Work, store_id: str) -> int:
    row = work.connection.execute("SELECT store_no FROM store WHERE store_id = %s", [store_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no store {store_id!r}", code=ErrorCode.STORE_NOT_FOUND)
    return int(row[0])


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _day_after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)
