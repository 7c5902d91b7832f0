"""`POST /stores/{storeId}/reconcile`: the spec's request at store close."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.database import Work
from sync_server.idempotent_calls import OptionalKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import Role
from sync_server.reconciliation.reconciliations import OPEN, make_reconciliation
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.registry import find_store
from sync_server.wire_models import CalendarDate, ExactNumber, Identifier, StoreIdPath, WireModel, answer


class ReconcileRequest(WireModel):
    """A day's variance as the store closed with it."""

    date: CalendarDate
    variance_amount: ExactNumber = Field(description="Counted − system, in the store's currency.")
    reason: Identifier = Field(description="A reason code such as SHRINKAGE.")


class Reconciliation(WireModel):
    """A reconciliation as it stands."""

    reconciliation_id: str
    store_id: str
    date: date
    variance_amount: ExactNumber
    reason: str
    status: str
    complete: bool = Field(description="Whether every event that the store's agents numbered has arrived.")


def router() -> APIRouter:
    """The routes of reconciliation."""
    routes = APIRouter(prefix=API_PREFIX, tags=["reconciliation"])

    @routes.post(
        "/stores/{storeId}/reconcile",
        status_code=201,
        response_model=Reconciliation,
        responses={200: {"model": Reconciliation, "description": "The identical one is open already"}},
    )
    def reconcile(
        request: Request,
        store_id: StoreIdPath,
        caller: Annotated[Caller, authenticated(Role.STOCK_CONTROLLER)],
        body: Annotated[ReconcileRequest, Depends(JsonBody(ReconcileRequest))],
        key: OptionalKey = None,
    ) -> Response:
        """Opens a reconciliation. Without a key: 200 when the same person has the identical one open already."""

        def act(work: Work) -> Response:
            store = find_store(work, store_id)
            assert store.store_no is not None
            made = make_reconciliation(
                work,
                store.store_no,
                day=body.date,
                variance_amount=body.variance_amount,
                reason=body.reason,
                by=caller,
                now=parts_of(request).clock.now(),
            )
            shown = Reconciliation(
                reconciliation_id=made.reconciliation_id,
                store_id=store_id,
                date=body.date,
                variance_amount=body.variance_amount,
                reason=body.reason,
                status=OPEN,
                complete=made.complete,
            )
            return answer(shown, 201 if made.created else 200)

        return once(request, caller, key, act)

    return routes
