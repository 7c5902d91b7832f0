"""Reconciliations over HTTP: `POST /stores/{storeId}/reconcile`, the list, and the way from OPEN to POSTED."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.idempotent_calls import OptionalKey, RequiredKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.reconciliation import decisions, documents
from sync_server.reconciliation.reading import details_of, list_documents, show
from sync_server.reconciliation.reason_codes import list_reasons
from sync_server.reconciliation.reconciliations import make_count, make_reconciliation
from sync_server.reconciliation.wire import (
    ApprovalRequest,
    PlainRequest,
    ReasonCodeRow,
    ReasonedRequest,
    ReconcileRequest,
    Reconciliation,
    ReconciliationDetails,
    ReconciliationRow,
    row_of,
    shown,
)
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.registry import find_store
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    CalendarDate,
    Limit,
    Page,
    StoreIdPath,
    answer,
    cursor_position,
    page_of,
)

Controller = Annotated[Caller, authenticated(Role.STOCK_CONTROLLER)]
Approver = Annotated[Caller, authenticated(Role.APPROVER)]
Poster = Annotated[Caller, authenticated(Role.STOCK_CONTROLLER, Role.APPROVER)]
ReconciliationId = Annotated[str, Path(alias="reconciliationId")]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="The `contentHash` that was seen.")]
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such reconciliation"}}
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"description": "It has changed, or is not in the state for this"}
}


class Status(StrEnum):
    """Where a reconciliation stands."""

    OPEN = documents.OPEN
    APPROVED = documents.APPROVED
    POSTED = documents.POSTED
    REJECTED = documents.REJECTED


class Kind(StrEnum):
    """What a reconciliation is about."""

    MONEY = documents.MONEY
    COUNT = documents.COUNT
    ADJUSTMENT = documents.ADJUSTMENT


def router() -> APIRouter:
    """The routes of reconciliation."""
    routes = APIRouter(prefix=API_PREFIX, tags=["reconciliation"])
    _add_making(routes)
    _add_reading(routes)
    desk = _Desk()
    _add_approving(routes, desk)
    _add_posting(routes, desk)
    return routes


def _add_making(routes: APIRouter) -> None:
    @routes.post(
        "/stores/{storeId}/reconcile",
        status_code=201,
        response_model=Reconciliation | ReconciliationDetails,
        responses={200: {"model": Reconciliation, "description": "The identical one is open already"}},
    )
    def reconcile(
        request: Request,
        store_id: StoreIdPath,
        caller: Controller,
        body: Annotated[ReconcileRequest, Depends(JsonBody(ReconcileRequest))],
        key: OptionalKey = None,
    ) -> Response:
        """Opens a reconciliation. Without a key: 200 when the same person has the identical one open already."""
        counts, now = body.counts(), parts_of(request).clock.now()

        def act(work: Work) -> Response:
            store_no = find_store(work, store_id).store_no
            assert store_no is not None
            accounts = read_chart(work)
            if counts is not None:
                made = make_count(work, accounts, store_no, counts, by=caller, now=now)
                return answer(details_of(work, accounts, made.proposal.document.reconciliation_id), 201)
            assert body.variance_amount is not None
            assert body.reason is not None
            made = make_reconciliation(
                work,
                accounts,
                store_no,
                day=body.date,
                variance_amount=body.variance_amount,
                reason=body.reason,
                by=caller,
                now=now,
            )
            return answer(shown(made.proposal), 201 if made.created else 200)

        return once(request, caller, key, act)


def _add_reading(routes: APIRouter) -> None:
    reading = [authenticated(*READERS)]

    @routes.get("/reconciliations", response_model=Page[ReconciliationRow], dependencies=reading)
    def show_reconciliations(
        request: Request,
        store_id: Annotated[str | None, Query(alias="storeId")] = None,
        status: Status | None = None,
        kind: Kind | None = None,
        date: CalendarDate | None = None,
        after: After = None,
        limit: Limit = DEFAULT_PAGE,
    ) -> Response:
        """Reconciliations in the order in which they were made."""
        position = cursor_position(after, str) or ""
        with parts_of(request).database.reading() as work:
            found = list_documents(
                work,
                store_no=find_store(work, store_id).store_no if store_id else None,
                status=status,
                kind=kind,
                day=date,
                after=position,
                limit=limit + 1,
            )
        return page_of(found, limit, row_of, lambda document: document.reconciliation_id)

    @routes.get(
        "/reconciliations/{reconciliationId}",
        response_model=ReconciliationDetails,
        responses=_NOT_FOUND,
    )
    def show_reconciliation(
        request: Request,
        reconciliation_id: ReconciliationId,
        caller: Annotated[Caller, authenticated(*READERS)],
    ) -> Response:
        """One with its lines, worked out anew while it is open; `ETag` is the content that an approval is bound to."""
        parts = parts_of(request)
        with parts.database.unit_of_work() as work:
            found = show(work, read_chart(work), reconciliation_id, to=caller, now=parts.clock.now())
        response = answer(found)
        response.headers["ETag"] = f'"{found.content_hash}"'
        return response

    @routes.get("/reason-codes", response_model=Page[ReasonCodeRow], dependencies=reading)
    def show_reason_codes(request: Request) -> Response:
        """Why stock is adjusted, and the purposes whose accounts take losses and gains; one page, by code."""
        with parts_of(request).database.reading() as work:
            rows = [ReasonCodeRow(**reason.model_dump()) for reason in list_reasons(work)]
        return answer(Page[ReasonCodeRow](items=rows))


Deciding = Callable[[Work, ChartOfAccounts], documents.Document]


_PATH = "/reconciliations/{reconciliationId}"
_DESCRIBED: dict[str, Any] = {
    "response_model": ReconciliationDetails,
    "responses": {**_NOT_FOUND, **_CONFLICT},
}


class _Desk:
    """Where decisions are made: once under their key, answered with the document as it stands then."""

    def decide(self, request: Request, caller: Caller, key: str, decision: Deciding) -> Response:
        """What `decision` made of the document."""

        def act(work: Work) -> Response:
            accounts = read_chart(work)
            document = decision(work, accounts)
            return answer(details_of(work, accounts, document.reconciliation_id))

        return once(request, caller, key, act)


def _add_approving(routes: APIRouter, desk: _Desk) -> None:
    @routes.post(f"{_PATH}/approve", **_DESCRIBED)
    def approve(
        request: Request,
        reconciliation_id: ReconciliationId,
        caller: Approver,
        body: Annotated[ApprovalRequest, Depends(JsonBody(ApprovalRequest))],
        key: RequiredKey,
        if_match: IfMatch = None,
    ) -> Response:
        """Approves the content that was seen: never by whoever made it, by person. An adjustment is posted at once."""
        seen, now = body.content_hash or if_match, parts_of(request).clock.now()

        def decision(work: Work, accounts: ChartOfAccounts) -> documents.Document:
            return decisions.approve(
                work, accounts, reconciliation_id, seen=seen, reason=body.reason, by=caller, now=now
            )

        return desk.decide(request, caller, key, decision)

    @routes.post(f"{_PATH}/reject", **_DESCRIBED)
    def reject(
        request: Request,
        reconciliation_id: ReconciliationId,
        caller: Approver,
        body: Annotated[ReasonedRequest, Depends(JsonBody(ReasonedRequest))],
        key: RequiredKey,
    ) -> Response:
        """Rejects an open reconciliation for a reason."""
        now = parts_of(request).clock.now()
        return desk.decide(
            request,
            caller,
            key,
            lambda work, _: decisions.reject(work, reconciliation_id, reason=body.reason, by=caller, now=now),
        )


def _add_posting(routes: APIRouter, desk: _Desk) -> None:
    @routes.post(f"{_PATH}/post", **_DESCRIBED)
    def post(
        request: Request,
        reconciliation_id: ReconciliationId,
        caller: Poster,
        body: Annotated[PlainRequest, Depends(JsonBody(PlainRequest))],  # noqa: ARG001
        key: RequiredKey,
    ) -> Response:
        """Posts what was approved: movements, journal, messages."""
        now = parts_of(request).clock.now()
        return desk.decide(
            request,
            caller,
            key,
            lambda work, accounts: decisions.post(work, accounts, reconciliation_id, by=caller, now=now),
        )

    @routes.post(f"{_PATH}/acknowledge", **_DESCRIBED)
    def acknowledge(
        request: Request,
        reconciliation_id: ReconciliationId,
        caller: Approver,
        body: Annotated[PlainRequest, Depends(JsonBody(PlainRequest))],
        key: RequiredKey,
    ) -> Response:
        """The approver has looked at the corrections that late events made since."""
        now = parts_of(request).clock.now()
        return desk.decide(
            request,
            caller,
            key,
            lambda work, _: decisions.acknowledge(
                work, reconciliation_id, reason=body.reason, by=caller, now=now
            ),
        )
