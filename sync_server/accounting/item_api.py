"""The item master over the API: reading it, setting an item's cost and price, mapping placeholders."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.exact_decimal import plain
from shared.protocol import API_PREFIX
from sync_server.accounting.item_mapping import map_item
from sync_server.csv_import import CsvRow
from sync_server.database import Work
from sync_server.errors import Invalid
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.inventory.item_import import import_item_rows
from sync_server.inventory.item_lists import find_item, list_items
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    ExactNumber,
    Identifier,
    Limit,
    Page,
    Reason,
    WireModel,
    answer,
    cursor_position,
    page_of,
)


class ItemRow(WireModel):
    """An item as the master has it."""

    item_id: str
    description: str
    barcodes: list[str]
    unit_of_measure: str
    unit_cost: ExactNumber | None
    price: ExactNumber | None
    safety_stock: ExactNumber
    placeholder: bool = Field(description="Sold by a till and not yet described by anybody.")
    mapped_to: str | None = Field(description="Of a placeholder: the item that it really was.")


class ItemRequest(WireModel):
    """What an item shall be; what is left out stays as it is."""

    description: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")] | None = None
    barcodes: Annotated[list[Identifier], Field(max_length=100)] | None = None
    unit_of_measure: Identifier | None = None
    unit_cost: ExactNumber | None = None
    price: ExactNumber | None = None
    safety_stock: ExactNumber | None = None


class MappingRequest(WireModel):
    """What a placeholder really was."""

    to: Identifier = Field(description="The item id of an item of the master.")
    reason: Reason


ItemId = Annotated[str, Path(alias="itemId", max_length=200, pattern=r"^[^\x00]*$")]
Controller = Annotated[Caller, authenticated(Role.STOCK_CONTROLLER, Role.ADMIN)]
Reader = Annotated[Caller, authenticated(*READERS)]


def router() -> APIRouter:
    """The routes of items."""
    routes = APIRouter(prefix=API_PREFIX, tags=["items"])
    routes.get("/items", response_model=Page[ItemRow])(show_items)
    routes.get("/items/{itemId}", response_model=ItemRow)(show_item)
    routes.post(
        "/items/{itemId}",
        response_model=ItemRow,
        status_code=201,
        responses={200: {"model": ItemRow, "description": "It was there; it is as asked for now"}},
    )(post_item)
    routes.post("/items/{itemId}/map", response_model=ItemRow)(post_mapping)
    return routes


def show_items(
    request: Request,
    caller: Reader,
    placeholder: Annotated[bool | None, Query(description="Placeholders alone, or none of them.")] = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """The item master, by item id."""
    del caller
    position = cursor_position(after, str) or ""
    with parts_of(request).database.reading() as work:
        found = list_items(work, after=position, limit=limit + 1, placeholder=placeholder)
    return page_of(found, limit, _row, lambda each: each.item_id)


def show_item(request: Request, item_id: ItemId, caller: Reader) -> Response:
    """One item."""
    del caller
    with parts_of(request).database.reading() as work:
        return answer(_row(find_item(work, item_id)))


def post_item(
    request: Request,
    item_id: ItemId,
    caller: Controller,
    body: Annotated[ItemRequest, Depends(JsonBody(ItemRequest))],
    key: RequiredKey,
) -> Response:
    """Adds an item, completes a placeholder, or sets what changes: cost, price, barcodes.

    A cost that was unknown until now is posted for what moved without one, within seconds.
    """
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        row = CsvRow(1, {"itemId": item_id, **_cells(body)})
        (outcome,) = import_item_rows(work, [row], item_id, by=caller, now=now).rows
        if outcome.outcome == "REFUSED":
            raise Invalid(f"Item {item_id!r} cannot be set: {outcome.reason}")
        return answer(_row(find_item(work, item_id)), 201 if outcome.outcome == "ADDED" else 200)

    return once(request, caller, key, act)


def post_mapping(
    request: Request,
    item_id: ItemId,
    caller: Controller,
    body: Annotated[MappingRequest, Depends(JsonBody(MappingRequest))],
    key: RequiredKey,
) -> Response:
    """Says what a placeholder really was. Every store's stock of it moves over within seconds."""
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        map_item(work, item_id, body.to, reason=body.reason, by=caller, now=now)
        return answer(_row(find_item(work, item_id)))

    return once(request, caller, key, act)


def _cells(body: ItemRequest) -> dict[str, str]:
    """The request as the cells of a row of the item file: what is left out is a column that the file lacks."""
    numbers = {"unitCost": body.unit_cost, "price": body.price, "safetyStock": body.safety_stock}
    words = {"description": body.description, "unitOfMeasure": body.unit_of_measure}
    cells = {name: plain(number) for name, number in numbers.items() if number is not None}
    cells |= {name: word for name, word in words.items() if word is not None}
    if body.barcodes is not None:
        cells["barcodes"] = " ".join(body.barcodes)
    return cells


def _row(row: Any) -> ItemRow:
    return ItemRow(**row._asdict())
