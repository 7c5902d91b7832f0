"""`GET /availability`: what every store can promise of an item, how fresh that is, and how far to believe it."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.request_context import parts_of
from sync_server.reservations.availability import Confidence, Freshness, availability_of
from sync_server.settings import Settings
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    ExactNumber,
    Limit,
    Page,
    WireModel,
    answer,
    cursor_position,
    cursor_text,
)

LONGEST_AGE_SECONDS = 10 * 365 * 86_400

MaxAge = Annotated[
    int | None,
    Query(
        alias="maxAgeSeconds",
        ge=0,
        le=LONGEST_AGE_SECONDS,
        description="Leaves out every store of which nothing is known that is at most so many seconds old.",
    ),
]


class AvailabilityRow(WireModel):
    """What a store can promise of an item."""

    store_id: str
    item_id: str
    available: ExactNumber
    """On hand − reserved − safety stock, never below zero."""
    as_of: datetime | None
    """Everything sold in the store up to this instant is in the figure; null: nobody knows."""
    backlog: int | None
    """Events that the store's agents had not sent when they last reported."""
    confidence: Confidence


def router() -> APIRouter:
    """The route of availability."""
    routes = APIRouter(prefix=API_PREFIX, tags=["reservations"], dependencies=[authenticated(*READERS)])
    routes.get(
        "/availability",
        response_model=Page[AvailabilityRow],
        responses={404: {"description": "There is no such item or store"}},
    )(show_availability)
    return routes


def freshness_of(settings: Settings) -> Freshness:
    """The bounds of confidence that the settings state."""
    return Freshness(
        timedelta(seconds=settings.availability_live_seconds),
        timedelta(seconds=settings.availability_known_seconds),
    )


def show_availability(
    request: Request,
    item_id: Annotated[str, Query(alias="itemId")],
    store_id: Annotated[str | None, Query(alias="storeId")] = None,
    max_age_seconds: MaxAge = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """Every store that ever had the item, in the order in which the stores were added; or the one named."""
    parts = parts_of(request)
    now = parts.clock.now()
    with parts.database.reading() as work:
        found = availability_of(
            work,
            item_id,
            now=now,
            store_id=store_id,
            max_age=None if max_age_seconds is None else timedelta(seconds=max_age_seconds),
            after=cursor_position(after, int) or 0,
            limit=limit + 1,
        )
    freshness = freshness_of(parts.settings)
    rows = [
        AvailabilityRow(
            store_id=each.store_id,
            item_id=item_id,
            available=each.available,
            as_of=each.as_of,
            backlog=each.backlog,
            confidence=freshness.confidence(each.as_of, now),
        )
        for each in found[:limit]
    ]
    more = cursor_text(found[limit - 1].store_no) if len(found) > limit else None
    return answer(Page[AvailabilityRow](items=rows, next=more))
