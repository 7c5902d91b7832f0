"""What operators ask about batches: which came, and what one of them brought."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.ingestion.batch_lists import find_batch, list_batches
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.request_context import parts_of
from sync_server.stores.registry import store_number
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    ExactNumber,
    Limit,
    Page,
    StoreIdPath,
    WireModel,
    answer,
    cursor_position,
    instant_position,
    page_of,
)


class BatchFinding(WireModel):
    """Something that the batch's posting found."""

    code: str
    subject: str


class BatchRow(WireModel):
    """A batch as it was answered."""

    batch_id: str
    store_id: str
    channel: str = Field(description="`agent` or `direct`.")
    caller: str
    stream_id: str | None
    posted_at: datetime = Field(description="As the sender wrote it.")
    received_at: datetime
    accepted: int
    duplicates: int
    held: int
    findings: list[BatchFinding]
    first_sequence: int | None = Field(description="The store's numbers that its posting took.")
    last_sequence: int | None
    content_hash: str
    request_id: str


class BatchEventRow(WireModel):
    """An event that the batch posted."""

    store_sequence: int
    event_id: str
    sequence: int | None = Field(description="Its number in the stream.")
    type: str
    item_id: str | None
    quantity: ExactNumber | None
    amount: ExactNumber | None
    tax_amount: ExactNumber | None
    cost: ExactNumber | None
    currency: str | None
    sale_id: str | None
    line_number: int | None
    business_date: date
    occurred_at: datetime
    journal_id: str | None


class BatchHeldRow(WireModel):
    """An event of the batch that was held."""

    held_event_id: int
    reason: str
    status: str


class BatchDetails(BatchRow):
    """A batch with what it posted and what of it was held."""

    events: list[BatchEventRow]
    held_events: list[BatchHeldRow]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How rows of one store are shown."""

    store_id: str

    def batch(self, row: Any) -> dict[str, Any]:
        return {"store_id": self.store_id, **row._asdict()}

    def event(self, row: Any) -> BatchEventRow:
        fields = row._asdict()
        journal = fields.pop("journal_sequence")
        return BatchEventRow(journal_id=None if journal is None else f"{self.store_id}-{journal}", **fields)


def router() -> APIRouter:
    """The routes of batches as they are read."""
    routes = APIRouter(prefix=API_PREFIX, tags=["ingestion"], dependencies=[authenticated(*READERS)])
    routes.get("/stores/{storeId}/batches", response_model=Page[BatchRow])(show_batches)
    routes.get("/stores/{storeId}/batches/{batchId:path}", response_model=BatchDetails)(show_batch)
    return routes


def show_batches(
    request: Request, store_id: StoreIdPath, after: After = None, limit: Limit = DEFAULT_PAGE
) -> Response:
    """The store's batches, those received last first."""
    position = cursor_position(after, list, [str, str])
    start = None if position is None else (instant_position(position[0], after), position[1])
    with parts_of(request).database.reading() as work:
        found = list_batches(work, store_number(work, store_id), after=start, limit=limit + 1)
    shape = _Shape(store_id)
    return page_of(
        found,
        limit,
        lambda each: BatchRow(**shape.batch(each)),
        lambda each: [each.received_at.isoformat(), each.batch_id],
    )


def show_batch(
    request: Request,
    store_id: StoreIdPath,
    batch_id: Annotated[str, Path(alias="batchId", description="The batch's id, whatever stands in it.")],
) -> Response:
    """One batch with every event that it posted, and those of it that were held."""
    with parts_of(request).database.reading() as work:
        batch, events, held = find_batch(work, store_number(work, store_id), batch_id.replace("\x00", ""))
    shape = _Shape(store_id)
    shown = BatchDetails(
        **shape.batch(batch),
        events=[shape.event(each) for each in events],
        held_events=[BatchHeldRow(**each._asdict()) for each in held],
    )
    return answer(shown)
