"""`POST /stores/{storeId}/undeliverable`: an agent hands over, raw, what the server refused."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.ingestion.agents_decisions import GivenUp, discard_given_up
from sync_server.ingestion.undeliverable import MAX_REASON_CHARACTERS, RefusedEvent, hold_refused
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.wire_models import Identifier, SequenceRange, StoreIdPath, WireModel, answer

MAX_AT_ONCE = 500
MAX_RAW_CHARACTERS = 1_000_000


class UndeliverableEvent(WireModel):
    """One refused event, with its place in the stream and why it was refused."""

    sequence: int = Field(ge=1, lt=2**53)
    content_hash: str = Field(pattern="^[0-9a-f]{64}$")
    raw: str = Field(max_length=MAX_RAW_CHARACTERS, description="The event's JSON as it was sent.")
    reason: Any = Field(description="The problem that the server answered with, or the agent's words.")


class UndeliverableEvents(WireModel):
    """Refused events of one stream."""

    stream_id: Identifier
    events: list[UndeliverableEvent] = Field(min_length=1, max_length=MAX_AT_ONCE)


class GivenUpEvent(WireModel):
    """An event of a stream that somebody in the store has given up, and why."""

    sequence: int = Field(ge=1, lt=2**53)
    content_hash: str = Field(pattern="^[0-9a-f]{64}$")
    reason: str = Field(min_length=1, max_length=MAX_REASON_CHARACTERS)


class GivenUpEvents(WireModel):
    """Events of one stream that are not to be posted any more."""

    stream_id: Identifier
    events: list[GivenUpEvent] = Field(min_length=1, max_length=MAX_AT_ONCE)


class GivenUpTaken(WireModel):
    """How many held events were discarded; what a person has decided already is not among them."""

    discarded: int


class UndeliverableTaken(WireModel):
    """The events are held; how far the stream has arrived now."""

    acknowledged_sequence: int
    gaps: list[SequenceRange]


def router() -> APIRouter:
    """The route for what was refused."""
    routes = APIRouter(prefix=API_PREFIX, tags=["agents"])

    @routes.post("/stores/{storeId}/undeliverable", response_model=UndeliverableTaken)
    def take_undeliverable(
        request: Request,
        store_id: StoreIdPath,
        caller: Annotated[Caller, authenticated(agents=True)],
        body: Annotated[UndeliverableEvents, Depends(JsonBody(UndeliverableEvents))],
    ) -> Response:
        """Holds refused events, raw, until a person decides; sent again they add nothing."""
        parts = parts_of(request)
        assert caller.store_no is not None
        assert caller.store_id == store_id
        events = [
            RefusedEvent(event.sequence, bytes.fromhex(event.content_hash), event.raw, event.reason)
            for event in body.events
        ]
        with parts.database.unit_of_work() as work:
            progress = hold_refused(work, caller, caller.store_no, body.stream_id, events, parts.clock.now())
        taken = UndeliverableTaken(acknowledged_sequence=progress.acknowledged_sequence, gaps=progress.gaps)
        return answer(taken)

    @routes.post("/stores/{storeId}/undeliverable/discards", response_model=GivenUpTaken)
    def take_discards(
        request: Request,
        store_id: StoreIdPath,
        caller: Annotated[Caller, authenticated(agents=True)],
        body: Annotated[GivenUpEvents, Depends(JsonBody(GivenUpEvents))],
    ) -> Response:
        """Discards held events that the store has given up, with its reason; said again it does nothing."""
        parts = parts_of(request)
        assert caller.store_no is not None
        assert caller.store_id == store_id
        given_up = [
            GivenUp(event.sequence, bytes.fromhex(event.content_hash), event.reason) for event in body.events
        ]
        with parts.database.unit_of_work() as work:
            now = parts.clock.now()
            discarded = discard_given_up(work, caller, caller.store_no, body.stream_id, given_up, now)
        return answer(GivenUpTaken(discarded=discarded))

    return routes
