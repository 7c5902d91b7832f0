"""`/transfers`: goods from one store to another, requested, shipped, received, cancelled, settled by people.

Each request touches one store. Settling takes an approver who took no other part.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from shared.clock import instant_text, read_instant
from shared.problems import Violation
from shared.protocol import API_PREFIX
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.errors import Invalid
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.registry import find_store
from sync_server.transfers.documents import (
    CancellationBody,
    QuantityLine,
    ReceiptBody,
    SettlementBody,
    ShipmentBody,
    TransferDocument,
    TransferRequestBody,
    shown,
)
from sync_server.transfers.overview import TransferOverview, TransferStatus, find_transfer, list_transfers
from sync_server.transfers.receiving import receive
from sync_server.transfers.requests import TransferRequest, cancel_transfer, known_items, request_transfer
from sync_server.transfers.settling import Settlement, settle
from sync_server.transfers.shipping import ship
from sync_server.wire_models import DEFAULT_PAGE, After, Limit, Page, answer, cursor_position, page_of

Controller = Annotated[Caller, authenticated(Role.STOCK_CONTROLLER)]
Approver = Annotated[Caller, authenticated(Role.APPROVER)]
TransferId = Annotated[str, Path(alias="transferId", description="The transfer's id.")]
Act = Callable[[Work, ChartOfAccounts, datetime], TransferOverview]


def router() -> APIRouter:
    """The routes of transfers."""
    routes = APIRouter(prefix=API_PREFIX, tags=["transfers"])
    of_one = "/transfers/{transferId}"
    routes.post("/transfers", status_code=201, response_model=TransferDocument)(request_one)
    routes.post(f"{of_one}/ship", response_model=TransferDocument)(ship_one)
    routes.post(f"{of_one}/receive", response_model=TransferDocument)(receive_one)
    routes.post(f"{of_one}/cancel", response_model=TransferDocument)(cancel_one)
    routes.post(f"{of_one}/settle", response_model=TransferDocument)(settle_one)
    readers = [authenticated(*READERS)]
    routes.get("/transfers", response_model=Page[TransferDocument], dependencies=readers)(show_transfers)
    routes.get(of_one, response_model=TransferDocument, dependencies=readers)(show_transfer)
    return routes


def request_one(
    request: Request,
    caller: Controller,
    key: RequiredKey,
    body: Annotated[TransferRequestBody, Depends(JsonBody(TransferRequestBody))],
) -> Response:
    """Requests a transfer; nothing moves yet. Goods that were scanned under its id belong to it from now on."""

    def do(work: Work, _: ChartOfAccounts, now: datetime) -> TransferOverview:
        asked = TransferRequest(
            from_store_id=body.from_store_id,
            to_store_id=body.to_store_id,
            lines=_numbers(work, body.lines) or {},
            transfer_id=body.transfer_id,
        )
        return request_transfer(work, asked, by=caller, now=now)

    return _act(request, caller, key, do, 201)


def ship_one(
    request: Request,
    transfer_id: TransferId,
    caller: Controller,
    key: RequiredKey,
    body: Annotated[ShipmentBody, Depends(JsonBody(ShipmentBody, may_be_empty=True))],
) -> Response:
    """Posts a shipment at the source: on hand −, and the goods are under way."""

    def do(work: Work, chart: ChartOfAccounts, now: datetime) -> TransferOverview:
        return ship(work, chart, transfer_id, _numbers(work, body.lines), by=caller, now=now)

    return _act(request, caller, key, do)


def receive_one(
    request: Request,
    transfer_id: TransferId,
    caller: Controller,
    key: RequiredKey,
    body: Annotated[ReceiptBody, Depends(JsonBody(ReceiptBody, may_be_empty=True))],
) -> Response:
    """Posts a receipt at the destination: in transit −, on hand +. Partial, several, short, over or early."""

    def do(work: Work, chart: ChartOfAccounts, now: datetime) -> TransferOverview:
        return receive(work, chart, transfer_id, _numbers(work, body.lines), by=caller, now=now)

    return _act(request, caller, key, do)


def cancel_one(
    request: Request,
    transfer_id: TransferId,
    caller: Controller,
    key: RequiredKey,
    body: Annotated[CancellationBody, Depends(JsonBody(CancellationBody, may_be_empty=True))],
) -> Response:
    """Cancels a transfer of which nothing was shipped or received."""

    def do(work: Work, _: ChartOfAccounts, now: datetime) -> TransferOverview:
        return cancel_transfer(work, transfer_id, reason=body.reason, by=caller, now=now)

    return _act(request, caller, key, do)


def settle_one(
    request: Request,
    transfer_id: TransferId,
    caller: Approver,
    key: RequiredKey,
    body: Annotated[SettlementBody, Depends(JsonBody(SettlementBody))],
) -> Response:
    """Closes what differs for a reason: a loss or a gain. Nobody settles what they shipped or received."""

    def do(work: Work, chart: ChartOfAccounts, now: datetime) -> TransferOverview:
        at = None if body.store_id is None else find_store(work, body.store_id).store_no
        wanted = Settlement(reason_code=body.why, lines=_numbers(work, body.lines), store_no=at)
        return settle(work, chart, transfer_id, wanted, by=caller, now=now)

    return _act(request, caller, key, do)


def show_transfers(
    request: Request,
    store_id: Annotated[str | None, Query(alias="storeId", description="From or to this store.")] = None,
    status: TransferStatus | None = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """Transfers, oldest first, of all stores or one, in any status or one."""
    position = _position(after)
    with parts_of(request).database.reading() as work:
        store_no = find_store(work, store_id).store_no if store_id else None
        found = list_transfers(
            work.connection.cursor(), store_no=store_no, status=status, after=position, limit=limit + 1
        )
    return page_of(found, limit, shown, lambda each: [instant_text(each.made_at), each.transfer_id])


def show_transfer(request: Request, transfer_id: TransferId) -> Response:
    """One transfer as it stands."""
    with parts_of(request).database.reading() as work:
        return answer(shown(find_transfer(work.connection.cursor(), transfer_id)))


def _position(after: str | None) -> tuple[datetime, str] | None:
    """When the last transfer of the page before was made, and its id."""
    position = cursor_position(after, list)
    if position is None:
        return None
    try:
        made_at, transfer_id = position
        return read_instant(made_at), str(transfer_id)
    except (TypeError, ValueError, AttributeError):
        violation = Violation("after", "must be the `next` of a page of this list", after)
        raise Invalid("The request's parameters are not valid", violations=[violation]) from None


def _numbers(work: Work, lines: list[QuantityLine] | None) -> dict[int, Decimal] | None:
    if lines is None:
        return None
    return known_items(work.connection.cursor(), [(line.item_id, line.quantity) for line in lines])


def _act(request: Request, caller: Caller, key: str, do: Act, status: int = 200) -> Response:
    """Does it once under the caller's key, and shows the transfer afterwards."""

    def acted(work: Work) -> Response:
        return answer(shown(do(work, read_chart(work), parts_of(request).clock.now())), status)

    return once(request, caller, key, acted)
