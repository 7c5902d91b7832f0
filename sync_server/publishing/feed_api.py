"""`GET /events`: what is told on Kafka, over HTTP, at positions that never change."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from shared.wire_json import decode_json
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.publishing.feed import give_positions, read_feed
from sync_server.request_context import parts_of
from sync_server.wire_models import DEFAULT_PAGE, Limit, WireModel, answer


class FeedItem(WireModel):
    """One message as Kafka has it, and where it stands in the feed."""

    position: int
    topic: str
    key: str = Field(description="The store that Kafka would order it by.")
    event: dict[str, Any] = Field(description="The message's value; docs/asyncapi.yaml describes every one.")


class Feed(WireModel):
    """A page of the feed. Ask on with `after=position`, now (`next` says so) or later."""

    items: list[FeedItem]
    next: str | None = Field(description="The position, where more is there already; null at the end.")
    position: str = Field(description="How far this page reaches; ask on from it.")


def router() -> APIRouter:
    """The route of the feed."""
    routes = APIRouter(prefix=API_PREFIX, tags=["publishing"], dependencies=[authenticated(*READERS)])
    routes.get("/events", response_model=Feed)(show_events)
    return routes


def show_events(
    request: Request,
    after: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9]{1,18}$", description="A position; none begins as far back as the outbox is kept."
        ),
    ] = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """What was told behind a position, each store's in the order of posting. A page may be empty and lead on."""
    database = parts_of(request).database
    with database.unit_of_work() as work:
        give_positions(work)
    with database.reading() as work:
        page = read_feed(work, int(after or 0), limit)
    items = [
        FeedItem(
            position=position,
            topic=message.topic,
            key=message.key.decode(),
            event=decode_json(message.value),
        )
        for position, message in page.messages
    ]
    return answer(
        Feed(items=items, next=str(page.position) if page.more else None, position=str(page.position))
    )
