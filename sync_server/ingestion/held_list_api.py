"""What operators ask about held events: which lie here, and what one of them says, raw."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from psycopg.rows import namedtuple_row
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from shared.wire_json import JsonError, decode_json
from sync_server.database import Work
from sync_server.errors import NotFound
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.request_context import parts_of
from sync_server.stores.registry import store_number
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    Limit,
    Page,
    WireModel,
    answer,
    cursor_position,
    page_of,
)

_HELD = """
SELECT h.held_event_no AS held_event_id, s.store_id, h.reason, h.status, coalesce(h.event_id, h.event_key::text) AS event_id,
       st.stream_id, h.sequence, h.batch_id, h.received_at, h.raw::text AS raw
FROM held_event h JOIN store s USING (store_no) LEFT JOIN stream st USING (stream_no)
"""  # noqa: E501
_PAGE = f"""{_HELD}
WHERE h.held_event_no > %(after)s AND (%(store_no)s::int IS NULL OR h.store_no = %(store_no)s::int)
  AND (%(reason)s::varchar IS NULL OR h.reason = %(reason)s::varchar)
  AND (%(status)s::varchar IS NULL OR h.status = %(status)s::varchar)
ORDER BY h.held_event_no LIMIT %(limit)s
"""
_ONE = f"{_HELD} WHERE h.held_event_no = %s"


class HeldEventRow(WireModel):
    """An event that was received and may not be posted as it is."""

    held_event_id: int
    store_id: str
    reason: str
    status: str = Field(description="HELD until a person has decided.")
    event_id: str
    stream_id: str | None
    sequence: int | None
    batch_id: str
    received_at: datetime
    raw: Any = Field(description="What the till said, to the letter; what was no JSON as text.")


def router() -> APIRouter:
    """The routes of held events as they are read."""
    routes = APIRouter(prefix=API_PREFIX, tags=["held events"], dependencies=[authenticated(*READERS)])
    routes.get("/held-events", response_model=Page[HeldEventRow])(show_held_events)
    routes.get("/held-events/{heldEventId}", response_model=HeldEventRow)(show_held_event)
    return routes


def show_held_events(
    request: Request,
    store_id: Annotated[str | None, Query(alias="storeId")] = None,
    reason: HeldReason | None = None,
    status: Annotated[str | None, Query(pattern=r"^[A-Z_]{1,40}$", description="Such as HELD.")] = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """Held events, oldest first, of all stores or one, for all reasons or one, in any state or one."""
    parameters: dict[str, Any] = {
        "after": cursor_position(after, int) or 0,
        "reason": None if reason is None else reason.value,
        "status": status,
        "limit": limit + 1,
    }
    with parts_of(request).database.reading() as work:
        parameters["store_no"] = None if store_id is None else store_number(work, store_id)
        found = _rows(work, _PAGE, parameters)
    return page_of(found, limit, _shown, lambda each: each.held_event_id)


def show_held_event(
    request: Request, held_event_id: Annotated[int, Path(alias="heldEventId", ge=1, lt=2**63)]
) -> Response:
    """One held event, raw."""
    with parts_of(request).database.reading() as work:
        found = _rows(work, _ONE, [held_event_id])
    if not found:
        raise NotFound(f"There is no held event {held_event_id}")
    return answer(_shown(found[0]))


def _rows(work: Work, query: str, parameters: Any) -> list[Any]:
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        return list(cursor.execute(query.encode(), parameters))


def _shown(row: Any) -> HeldEventRow:
    try:
        raw = decode_json(row.raw.encode())
    except JsonError:
        raw = row.raw
    return HeldEventRow(**{**row._asdict(), "raw": raw})
