"""Periods over the API: how far a store's books are closed, closing them, opening them again."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.accounting.periods import Period, close_period, period_of, reopen_period
from sync_server.database import Work
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.registry import store_number
from sync_server.wire_models import CalendarDate, Reason, StoreIdPath, WireModel, answer


class PeriodState(WireModel):
    """How far the books are closed, and what is still loose at the store."""

    store_id: str
    closed_through: date | None
    first_open_date: date | None = Field(description="Null while nothing is closed.")
    unproven_days: int = Field(
        description="Closed business dates whose events are not proven to be all here."
    )
    open_findings: int
    held_events: int


class PeriodClosing(WireModel):
    """Through which day the books are to be closed."""

    through: CalendarDate
    reason: Reason = "Period closed"


class PeriodReopening(WireModel):
    """From which day on the books are to be open again."""

    from_date: CalendarDate = Field(alias="from")
    reason: Reason


Approver = Annotated[Caller, authenticated(Role.APPROVER)]


def router() -> APIRouter:
    """The routes of periods."""
    routes = APIRouter(prefix=API_PREFIX, tags=["books"])
    path = "/stores/{storeId}/period"
    routes.get(path, response_model=PeriodState)(show_period)
    routes.post(f"{path}/close", response_model=PeriodState)(post_close)
    routes.post(f"{path}/reopen", response_model=PeriodState)(post_reopen)
    return routes


def show_period(
    request: Request, store_id: StoreIdPath, caller: Annotated[Caller, authenticated(*READERS)]
) -> Response:
    """How far the books of a store are closed."""
    del caller
    with parts_of(request).database.reading() as work:
        return _answer(store_id, period_of(work, store_number(work, store_id)))


def post_close(
    request: Request,
    store_id: StoreIdPath,
    caller: Approver,
    body: Annotated[PeriodClosing, Depends(JsonBody(PeriodClosing))],
    key: RequiredKey,
) -> Response:
    """Closes the books through a day that is over. What arrives for it later is booked on the first open day."""
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        store_no = store_number(work, store_id)
        period, _ = close_period(work, store_no, body.through, reason=body.reason, by=caller, now=now)
        return _answer(store_id, period)

    return once(request, caller, key, act)


def post_reopen(
    request: Request,
    store_id: StoreIdPath,
    caller: Approver,
    body: Annotated[PeriodReopening, Depends(JsonBody(PeriodReopening))],
    key: RequiredKey,
) -> Response:
    """Opens the books again from a day on. What was booked meanwhile stays where it was booked."""
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        store_no = store_number(work, store_id)
        period, _ = reopen_period(work, store_no, body.from_date, reason=body.reason, by=caller, now=now)
        return _answer(store_id, period)

    return once(request, caller, key, act)


def _answer(store_id: str, period: Period) -> Response:
    shown = PeriodState(
        store_id=store_id,
        closed_through=period.closed_through,
        first_open_date=period.first_open_date,
        unproven_days=period.unproven_days,
        open_findings=period.open_findings,
        held_events=period.held_events,
    )
    return answer(shown)
