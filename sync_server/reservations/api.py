"""Reservations over HTTP: made, released, fulfilled, listed."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.responses import Response

from shared.clock import instant_text
from shared.problems import ErrorCode
from shared.protocol import API_PREFIX
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.errors import Conflict
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.reservations.availability import availability_of
from sync_server.reservations.availability_api import LONGEST_AGE_SECONDS
from sync_server.reservations.listing import ListedReservation, list_reservations, reservation_of
from sync_server.reservations.reservation import ReservationStatus
from sync_server.reservations.reserving import Wish, fulfil, release, reserve
from sync_server.stores.registry import find_store
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    ExactNumber,
    Identifier,
    Limit,
    Page,
    WireModel,
    answer,
    cursor_position,
    page_of,
)

LAST_YEAR = datetime(2999, 1, 1, tzinfo=UTC)

PositiveNumber = Annotated[ExactNumber, Field(gt=0)]


class ReservationRequest(WireModel):
    """Goods wanted from a store."""

    store_id: Identifier
    item_id: Identifier
    quantity: PositiveNumber = Field(description="In the item's unit of measure.")
    expires_at: Annotated[AwareDatetime, Field(lt=LAST_YEAR)] = Field(
        description="An instant with an offset; from then on the goods are free again."
    )
    max_age_seconds: Annotated[int, Field(ge=0, le=LONGEST_AGE_SECONDS)] | None = Field(
        None, description="Refuses (409 AVAILABILITY_STALE) if what is known of the store is older."
    )


class ReleaseRequest(WireModel):
    """Why a reservation is given up."""

    reason: Identifier | None = None


class FulfilRequest(WireModel):
    """How much of a reservation leaves the store."""

    quantity: PositiveNumber | None = Field(None, description="None: all that remains.")


class ReservationRow(WireModel):
    """A reservation as it stands."""

    reservation_id: str
    store_id: str
    item_id: str
    quantity: ExactNumber = Field(description="What was granted.")
    remaining: ExactNumber = Field(description="What is still reserved.")
    fulfilled: ExactNumber = Field(description="What has left the store for it, shipped or sold at a till.")
    status: ReservationStatus
    expires_at: datetime
    made_by: str
    made_at: datetime
    closed_at: datetime | None


Reader = Annotated[Caller, authenticated(*READERS)]
Controller = Annotated[Caller, authenticated(Role.STOCK_CONTROLLER)]
ReservationId = Annotated[str, Path(alias="reservationId")]


def router() -> APIRouter:
    """The routes of reservations."""
    routes = APIRouter(prefix=API_PREFIX, tags=["reservations"])
    one = "/reservations/{reservationId}"

    @routes.post(
        f"{one}/fulfil",
        response_model=ReservationRow,
        responses={409: {"description": "It is not open any more"}},
    )
    def post_fulfil(
        request: Request,
        reservation_id: ReservationId,
        caller: Controller,
        key: RequiredKey,
        body: Annotated[FulfilRequest, Depends(JsonBody(FulfilRequest, may_be_empty=True))],
    ) -> Response:
        """Issues the goods at cost, all that remains or `quantity` of it; a later SALE with this id is its revenue."""
        now = parts_of(request).clock.now()

        def act(work: Work) -> Response:
            fulfil(work, read_chart(work), reservation_id, body.quantity, by=caller, now=now)
            return _shown(work, reservation_id, now)

        return once(request, caller, key, act)

    routes.post(
        "/reservations",
        status_code=201,
        response_model=ReservationRow,
        responses={
            404: {"description": "There is no such store"},
            409: {"description": "The store cannot promise so much, or is not known freshly enough"},
        },
    )(post_reservation)
    routes.post(
        f"{one}/release",
        response_model=ReservationRow,
        responses={409: {"description": "It is not open any more"}},
    )(post_release)
    routes.get(
        "/reservations",
        response_model=Page[ReservationRow],
        responses={404: {"description": "There is no such store"}},
    )(show_reservations)
    routes.get(one, response_model=ReservationRow)(show_reservation)
    return routes


def post_reservation(
    request: Request,
    caller: Controller,
    key: RequiredKey,
    body: Annotated[ReservationRequest, Depends(JsonBody(ReservationRequest))],
) -> Response:
    """Reserves goods in a store, all of the quantity or nothing: on hand − reserved − safety stock must reach."""
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        store = find_store(work, body.store_id)
        assert store.store_no is not None
        if body.max_age_seconds is not None:
            _require_fresh(work, body, timedelta(seconds=body.max_age_seconds), now)
        wish = Wish(body.item_id, body.quantity, body.expires_at)
        made = reserve(work, store.store_no, wish, by=caller, now=now)
        return _shown(work, made.reservation_id, now, status=201)

    return once(request, caller, key, act)


def post_release(
    request: Request,
    reservation_id: ReservationId,
    caller: Controller,
    key: RequiredKey,
    body: Annotated[ReleaseRequest, Depends(JsonBody(ReleaseRequest, may_be_empty=True))],
) -> Response:
    """Gives back what remains reserved."""
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        release(work, reservation_id, by=caller, reason=body.reason, now=now)
        return _shown(work, reservation_id, now)

    return once(request, caller, key, act)


def show_reservations(
    request: Request,
    caller: Reader,
    store_id: Annotated[str | None, Query(alias="storeId")] = None,
    item_id: Annotated[str | None, Query(alias="itemId")] = None,
    status: ReservationStatus | None = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """Reservations in the order in which they were made, of all stores or one, in any state or one."""
    del caller
    parts = parts_of(request)
    with parts.database.reading() as work:
        if store_id is not None:
            find_store(work, store_id)
        found = list_reservations(
            work,
            now=parts.clock.now(),
            store_id=store_id,
            item_id=item_id,
            status=status,
            after=cursor_position(after, str) or "",
            limit=limit + 1,
        )
    return page_of(found, limit, _row, lambda each: each.reservation_id)


def show_reservation(request: Request, reservation_id: ReservationId, caller: Reader) -> Response:
    """One reservation."""
    del caller
    parts = parts_of(request)
    with parts.database.reading() as work:
        return _shown(work, reservation_id, parts.clock.now())


def _require_fresh(work: Work, body: ReservationRequest, max_age: timedelta, now: datetime) -> None:
    (row,) = availability_of(work, body.item_id, now=now, store_id=body.store_id)
    if row.as_of is None or now - row.as_of > max_age:
        as_of = None if row.as_of is None else instant_text(row.as_of)
        raise Conflict(
            f"What is known of {row.store_id} is of {as_of or 'no known instant'}; ask without maxAgeSeconds, "
            "or another store.",
            code=ErrorCode.AVAILABILITY_STALE,
            details={"storeId": row.store_id, "asOf": as_of, "backlog": row.backlog},
        )


def _shown(work: Work, reservation_id: str, now: datetime, *, status: int = 200) -> Response:
    return answer(_row(reservation_of(work, reservation_id, now=now)), status)


def _row(listed: ListedReservation) -> ReservationRow:
    return ReservationRow.model_validate(asdict(listed))
