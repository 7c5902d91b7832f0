"""`GET /stores/{storeId}/days`: which business dates are proven, and what is missing of the others."""

from datetime import date

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.request_context import parts_of
from sync_server.stores.registry import store_number
from sync_server.stores.store_day_lists import ListedDay, StoreDayState, list_days
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    Limit,
    Page,
    SequenceRange,
    StoreIdPath,
    WireModel,
    date_position,
    page_of,
)


class StreamOfDayRow(WireModel):
    """What one stream brought of a business date."""

    stream_id: str
    state: StoreDayState
    events: int
    gaps: list[SequenceRange] = Field(description="Sequences between the events of that day that never came.")


class StoreDayRow(WireModel):
    """A business date of a store, as the agents stamped it."""

    business_date: date
    state: StoreDayState = Field(description="PROVEN when every stream that was active that day is.")
    events: int
    direct_events: int = Field(description="Of these, events outside any stream.")
    gaps: list[SequenceRange] = Field(description="Of all its streams.")
    streams: list[StreamOfDayRow]


def router() -> APIRouter:
    """The route of store-days."""
    routes = APIRouter(prefix=API_PREFIX, tags=["stores"], dependencies=[authenticated(*READERS)])
    routes.get("/stores/{storeId}/days", response_model=Page[StoreDayRow])(show_days)
    return routes


def show_days(
    request: Request, store_id: StoreIdPath, after: After = None, limit: Limit = DEFAULT_PAGE
) -> Response:
    """The store's business dates, the latest first."""
    before = date_position(after)
    with parts_of(request).database.reading() as work:
        found = list_days(work, store_number(work, store_id), before=before, limit=limit + 1)
    return page_of(found, limit, _row, lambda day: day.business_date.isoformat())


def _row(day: ListedDay) -> StoreDayRow:
    streams = [
        StreamOfDayRow(stream_id=each.stream_id, state=each.state, events=each.events, gaps=each.gaps)
        for each in day.streams.values()
    ]
    return StoreDayRow(
        business_date=day.business_date,
        state=day.state,
        events=day.events,
        direct_events=day.direct_events,
        gaps=[gap for each in streams for gap in each.gaps],
        streams=streams,
    )
