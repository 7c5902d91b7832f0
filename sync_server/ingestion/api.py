"""`POST /stores/{storeId}/pos-batches`: authenticate, read, admit, post in a worker thread, answer.

The commit has happened when the answer is made; an answer that is lost is asked for again with the same batch.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from shared.clock import Clock
from shared.event_batch import BATCH_FAILED, BatchReceipt, EventBatch, read_batch_document
from shared.protocol import API_PREFIX, BACKLOG_HEADER
from shared.wire_json import JsonError, encode_json
from sync_server.accounting.remembered_chart import RememberedChart
from sync_server.errors import Invalid
from sync_server.ingestion.acceptance import accept_batch
from sync_server.ingestion.agents_decisions import release_retried
from sync_server.ingestion.batch_documents import POS_BATCH_OPENAPI, PosBatchReceipt
from sync_server.ingestion.posting_turns import PostingTurns, backlog_of
from sync_server.ingestion.recent_batches import RecentBatches, digest_of, receipt_again
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import Role
from sync_server.request_body import read_body, unreadable
from sync_server.request_context import ServerParts, parts_of
from sync_server.stores.registry import find_store
from sync_server.wire_models import StoreIdPath


class BatchDesk:
    """What one application remembers from batch to batch: whose turn it is, the chart, what it has just posted."""

    def __init__(self, clock: Clock) -> None:
        self.turns = PostingTurns()
        self.chart = RememberedChart(clock)
        self.recent = RecentBatches()


def router() -> APIRouter:
    """The route of batches; the application's state has its `BatchDesk`."""
    routes = APIRouter(prefix=API_PREFIX, tags=["ingestion"])

    @routes.post(
        "/stores/{storeId}/pos-batches",
        status_code=201,
        response_model=PosBatchReceipt,
        responses={
            200: {"model": PosBatchReceipt, "description": "The same batch was posted already"},
            429: {"description": "Many stores catch up; the same batch again after Retry-After"},
        },
        openapi_extra=POS_BATCH_OPENAPI,
    )
    async def post_batch(
        request: Request,
        store_id: StoreIdPath,
        caller: Annotated[Caller, authenticated(Role.TILL, agents=True)],
        body: Annotated[bytes, Depends(read_body)],
    ) -> Response:
        """Posts a batch of POS events, once. 201 when it is posted, 200 when the same batch was before."""
        desk: BatchDesk = request.app.state.batch_desk
        backlog = backlog_of(request.headers.get(BACKLOG_HEADER))
        post = partial(_answer, parts_of(request), desk, caller, store_id, body)
        receipt = await desk.turns.take(backlog, post)
        return Response(
            encode_json(receipt), 200 if receipt.duplicate else 201, media_type="application/json"
        )

    return routes


def _answer(parts: ServerParts, desk: BatchDesk, caller: Caller, store_id: str, body: bytes) -> BatchReceipt:
    """Everything between the body and the receipt; raises Refused."""
    chart, recent = desk.chart, desk.recent
    if caller.store_no is None:
        return _post(parts, chart, caller, store_id, _read(body, parts.limits.max_events))
    digest = digest_of(body)
    before = recent.find(caller.store_no, digest)
    if before is not None:
        with parts.database.reading() as work:
            receipt = receipt_again(work, caller, caller.store_no, store_id, before, parts.clock.now())
        if receipt is not None:
            return receipt
    batch = _read(body, parts.limits.max_events)
    receipt = _post(parts, chart, caller, store_id, batch)
    recent.note(caller.store_no, digest, batch)
    return receipt


def _read(body: bytes, max_events: int) -> EventBatch:
    try:
        batch = read_batch_document(body, max_events)
    except JsonError as error:
        raise unreadable(error) from error
    if not isinstance(batch, EventBatch):
        raise Invalid(BATCH_FAILED, violations=batch)
    return batch


def _post(
    parts: ServerParts, chart: RememberedChart, caller: Caller, store_id: str, batch: EventBatch
) -> BatchReceipt:
    with parts.database.unit_of_work() as work:
        store_no = caller.store_no
        if store_no is None:
            store_no = find_store(work, store_id).store_no
        assert store_no is not None
        now = parts.clock.now()
        receipt = accept_batch(work, chart.read(work), caller, store_no, batch, now)
        if receipt.duplicates:
            release_retried(work, chart.read(work), caller, store_no, batch, receipt, now)
        return receipt
