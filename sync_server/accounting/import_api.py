"""Imports over the API: stores, items and opening stock as CSV, with what became of every row."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.accounting.stock_import import import_stock_of_store
from sync_server.csv_import import CsvText, ImportReport
from sync_server.database import Work
from sync_server.errors import CannotRun, Invalid
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.inventory.item_import import import_items
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.store_import import import_stores
from sync_server.wire_models import StoreIdPath, WireModel, answer


class ImportRequest(WireModel):
    """A CSV file with its header, as it would be imported at the server."""

    csv: str = Field(min_length=1, pattern=r"^[^\x00]*$")


class ImportedRow(WireModel):
    """What became of one row."""

    line: int = Field(description="In the file; the header is line 1.")
    id: str
    outcome: str = Field(description="ADDED, CHANGED, UNCHANGED or REFUSED.")
    reason: str | None


class ImportAnswer(WireModel):
    """What became of a file: how many rows of each outcome, and each row. Refused rows hold up no other."""

    added: int
    changed: int
    unchanged: int
    refused: int
    rows: list[ImportedRow]


Admin = Annotated[Caller, authenticated(Role.ADMIN)]
Controller = Annotated[Caller, authenticated(Role.STOCK_CONTROLLER, Role.ADMIN)]
Body = Annotated[ImportRequest, Depends(JsonBody(ImportRequest))]


def router() -> APIRouter:
    """The routes of imports."""
    routes = APIRouter(prefix=API_PREFIX, tags=["imports"])
    routes.post("/imports/stores", response_model=ImportAnswer)(post_stores)
    routes.post("/imports/items", response_model=ImportAnswer)(post_items)
    routes.post("/stores/{storeId}/imports/stock", response_model=ImportAnswer)(post_stock)
    return routes


def post_stores(request: Request, caller: Admin, body: Body, key: RequiredKey) -> Response:
    """Adds stores: `storeId,locationId,timezone,currency,dayStart`."""
    now, source = parts_of(request).clock.now(), CsvText("stores.csv", body.csv)
    return _import(request, caller, key, lambda work: import_stores(work, source, by=caller, now=now))


def post_items(request: Request, caller: Controller, body: Body, key: RequiredKey) -> Response:
    """Brings the item master in line: `itemId,description,barcodes,unitOfMeasure,unitCost,price,safetyStock`."""
    now, source = parts_of(request).clock.now(), CsvText("items.csv", body.csv)
    return _import(request, caller, key, lambda work: import_items(work, source, by=caller, now=now))


def post_stock(
    request: Request, store_id: StoreIdPath, caller: Controller, body: Body, key: RequiredKey
) -> Response:
    """Posts the store's opening stock: `storeId,itemId,quantity,unitCost`; what has moved already stays."""
    now, source = parts_of(request).clock.now(), CsvText("stock.csv", body.csv)
    return _import(
        request,
        caller,
        key,
        lambda work: import_stock_of_store(work, store_id, source, by=caller, now=now),
    )


def _import(request: Request, caller: Caller, key: str, bring_in: Callable[[Work], ImportReport]) -> Response:
    def act(work: Work) -> Response:
        try:
            report = bring_in(work)
        except CannotRun as error:
            raise Invalid(str(error)) from error
        rows = [
            ImportedRow(line=row.line, id=row.subject, outcome=row.outcome.value, reason=row.reason or None)
            for row in sorted(report.rows, key=lambda row: row.line)
        ]
        return answer(ImportAnswer(rows=rows, **report.counts))

    return once(request, caller, key, act)
