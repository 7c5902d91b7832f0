"""What operators ask about a store's stock: where it stands with each item, and how it came there."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.inventory.stock_lists import DateRange, item_history, list_movements, list_stock
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.request_context import parts_of
from sync_server.stores.registry import find_store, store_number
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    ExactNumber,
    FromDate,
    Limit,
    Page,
    StoreIdPath,
    ToDate,
    WireModel,
    answer,
    cursor_position,
    cursor_text,
    page_of,
)

ItemIdQuery = Annotated[str | None, Query(alias="itemId", description="One item alone.")]
MOST_ITEMS = 100


class StockRow(WireModel):
    """Where a store stands with an item; quantities in the item's unit, money in the store's currency."""

    store_id: str
    item_id: str
    description: str
    unit_of_measure: str
    placeholder: bool = Field(description="Sold by a till and not yet described by anybody.")
    on_hand: ExactNumber
    reserved: ExactNumber
    in_transit: ExactNumber
    available: ExactNumber = Field(description="On hand − reserved − safety stock, never below zero.")
    safety_stock: ExactNumber
    average_cost: ExactNumber = Field(description="Of one unit; frozen while nothing is on hand.")
    value: ExactNumber
    currency: str
    last_sequence: int | None = Field(description="The item's latest movement.")


class MovementRow(WireModel):
    """One change of an item's stock."""

    store_sequence: int
    item_id: str
    type: str
    quantity: ExactNumber = Field(description="Change of on hand, signed.")
    value: ExactNumber = Field(description="Change of inventory value, signed.")
    on_hand_after: ExactNumber
    reserved: ExactNumber | None = Field(description="Change of what is reserved.")
    in_transit: ExactNumber | None = Field(description="Change of what is under way to the store.")
    reason_code: str | None
    event_id: str | None = Field(description="The till event that caused it.")
    document: str | None = Field(description="The document of headquarters that caused it.")
    journal_id: str | None
    business_date: date
    accounting_date: date
    occurred_at: datetime


def router() -> APIRouter:
    """The routes of stock and movements."""
    routes = APIRouter(prefix=API_PREFIX, tags=["stock"], dependencies=[authenticated(*READERS)])
    routes.get("/stores/{storeId}/stock", response_model=Page[StockRow])(show_stock)
    routes.get("/stores/{storeId}/movements", response_model=Page[MovementRow])(show_movements)
    return routes


def show_stock(
    request: Request,
    store_id: StoreIdPath,
    item_id: Annotated[
        list[str] | None,
        Query(alias="itemId", max_length=MOST_ITEMS, description="These items alone; may be repeated."),
    ] = None,
    negative: Annotated[bool, Query(description="Only what stands below zero.")] = False,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """Every item that the store has or had, by item id."""
    position = cursor_position(after, str) or ""
    with parts_of(request).database.reading() as work:
        store = find_store(work, store_id)
        assert store.store_no is not None
        items = None if item_id is None else [each.replace("\x00", "") for each in item_id]
        found = list_stock(
            work, store.store_no, after=position, limit=limit + 1, items=items, negative=negative
        )

    def row(each: Any) -> StockRow:
        return StockRow(store_id=store_id, currency=store.currency, **each._asdict())

    return page_of(found, limit, row, lambda each: each.item_id)


def show_movements(
    request: Request,
    store_id: StoreIdPath,
    item_id: ItemIdQuery = None,
    first: FromDate = None,
    last: ToDate = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """The store's movements, or those of one item, newest first. A page may hold few rows and lead on all the same."""
    start, dates = cursor_position(after, int), DateRange(first, last)
    with parts_of(request).database.reading() as work:
        store_no = store_number(work, store_id)
        if item_id is None:
            found, rest = list_movements(work, store_no, highest=start, limit=limit, dates=dates)
        else:
            wanted = item_id.replace("\x00", "")
            found, rest = item_history(work, store_no, wanted, start=start, limit=limit, dates=dates)
    rows = [_movement(store_id, each) for each in found]
    return answer(Page[Any](items=rows, next=None if rest is None else cursor_text(rest)))


def _movement(store_id: str, row: Any) -> MovementRow:
    journal = row.journal_sequence
    return MovementRow(
        journal_id=None if journal is None else f"{store_id}-{journal}",
        **{name: getattr(row, name) for name in MovementRow.model_fields if name != "journal_id"},
    )
