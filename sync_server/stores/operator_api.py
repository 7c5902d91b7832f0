"""What operators ask about stores: the fleet, one store, the findings; and closing a finding."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.database import Work
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.agent_documents import AlarmOfAgent
from sync_server.stores.finding_closing import close_finding
from sync_server.stores.findings import FindingCode, FindingStatus, list_findings
from sync_server.stores.fleet import StreamState, agents_of, overview_of, overviews, streams_of
from sync_server.stores.registry import find_store, no_such_store
from sync_server.stores.tables import Finding
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    Limit,
    Page,
    Reason,
    SequenceRange,
    StoreIdPath,
    WireModel,
    answer,
    cursor_position,
    page_of,
)


class StoreRow(WireModel):
    """A store in a list; what its agents say is null until one was heard of."""

    store_id: str
    location_id: str
    timezone: str
    day_start: str
    currency: str
    intake: str | None
    last_contact: datetime | None
    backlog_events: int | None
    oldest_unsent_at: datetime | None
    open_findings: int


class AgentRow(WireModel):
    """An agent of a store and its last word."""

    device_id: str
    device_name: str
    agent_version: str
    enrolled_at: datetime
    last_contact: datetime | None
    stream_id: str | None
    backlog_events: int | None
    clock_offset_ms: int | None
    undeliverable: int | None
    disk_free_bytes: int | None
    timezone_data: str | None
    alarms: list[AlarmOfAgent]
    """Everything that its last heartbeat said is wrong."""


class StreamRow(WireModel):
    """A stream: everything up to `acknowledgedSequence` has arrived; `gaps` are missing above it."""

    stream_id: str
    device_id: str | None
    acknowledged_sequence: int
    gaps: list[SequenceRange]


class StoreDetails(StoreRow):
    """One store with its agents and streams."""

    agents: list[AgentRow]
    streams: list[StreamRow]


class FindingRow(WireModel):
    """Something posted that somebody should look at."""

    finding_id: int
    code: FindingCode
    meaning: str
    store_id: str
    subject: str
    count: int
    status: FindingStatus
    first_seen: datetime
    last_seen: datetime
    closed_by: str | None
    close_reason: str | None


class FindingDecision(WireModel):
    """Why a finding is closed."""

    reason: Reason


Closer = Annotated[Caller, authenticated(Role.SUPPORT, Role.STOCK_CONTROLLER, Role.APPROVER)]
FindingId = Annotated[int, Path(alias="findingId", ge=1, lt=2**63)]


def router() -> APIRouter:
    """The routes of stores and findings."""
    routes = APIRouter(prefix=API_PREFIX, tags=["stores"])
    readers = [authenticated(*READERS)]
    routes.get("/stores", response_model=Page[StoreRow], dependencies=readers)(show_stores)
    routes.get("/stores/{storeId}", response_model=StoreDetails, dependencies=readers)(show_store)
    routes.get("/findings", response_model=Page[FindingRow], dependencies=readers)(show_findings)
    routes.post("/findings/{findingId}/resolve", response_model=FindingRow)(post_resolve)
    routes.post("/findings/{findingId}/dismiss", response_model=FindingRow)(post_dismiss)
    return routes


def show_stores(request: Request, after: After = None, limit: Limit = DEFAULT_PAGE) -> Response:
    """Every store by id, with its last contact, its backlog and how many findings are open."""
    position = cursor_position(after, str) or ""
    with parts_of(request).database.reading() as work:
        found = overviews(work, after=position, limit=limit + 1)
    return page_of(
        found, limit, lambda each: StoreRow.model_validate(asdict(each)), lambda each: each.store_id
    )


def show_store(request: Request, store_id: StoreIdPath) -> Response:
    """One store: its agents with their last word, its streams with their gaps."""
    with parts_of(request).database.reading() as work:
        store = overview_of(work, store_id)
        if store is None:
            raise no_such_store(store_id)
        agents = [AgentRow.model_validate(asdict(agent)) for agent in agents_of(work, store.store_no)]
        streams = [_stream_row(stream) for stream in streams_of(work, store.store_no)]
    return answer(StoreDetails.model_validate({**asdict(store), "agents": agents, "streams": streams}))


def show_findings(
    request: Request,
    store_id: Annotated[str | None, Query(alias="storeId")] = None,
    code: FindingCode | None = None,
    status: FindingStatus | None = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """Findings, oldest first, of all stores or one, of all codes or one, in any state or one."""
    position = cursor_position(after, int) or 0
    with parts_of(request).database.reading() as work:
        store_no = find_store(work, store_id).store_no if store_id else None
        found = list_findings(
            work, store_no=store_no, code=code, status=status, after=position, limit=limit + 1
        )
    rows = [_finding_row(finding, of_store) for finding, of_store in found]
    return page_of(rows, limit, lambda row: row, lambda row: row.finding_id)


def post_resolve(
    request: Request,
    finding_id: FindingId,
    caller: Closer,
    body: Annotated[FindingDecision, Depends(JsonBody(FindingDecision))],
    key: RequiredKey,
) -> Response:
    """Closes a finding whose cause is dealt with. If it goes on, the next posting opens another."""
    return _close(request, finding_id, FindingStatus.RESOLVED, caller, body.reason, key)


def post_dismiss(
    request: Request,
    finding_id: FindingId,
    caller: Closer,
    body: Annotated[FindingDecision, Depends(JsonBody(FindingDecision))],
    key: RequiredKey,
) -> Response:
    """Closes a finding that needs nothing. If it goes on, the next posting opens another."""
    return _close(request, finding_id, FindingStatus.DISMISSED, caller, body.reason, key)


def _close(
    request: Request, finding_no: int, status: FindingStatus, caller: Caller, reason: str, key: str
) -> Response:
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        return answer(
            _finding_row(*close_finding(work, finding_no, status, reason=reason, by=caller, now=now))
        )

    return once(request, caller, key, act)


def _finding_row(finding: Finding, store_id: str) -> FindingRow:
    return FindingRow(
        finding_id=finding.finding_no or 0,
        code=FindingCode(finding.code),
        meaning=FindingCode(finding.code).meaning,
        store_id=store_id,
        subject=finding.subject,
        count=finding.count,
        status=FindingStatus(finding.status),
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        closed_by=finding.closed_by,
        close_reason=finding.close_reason,
    )


def _stream_row(stream: StreamState) -> StreamRow:
    return StreamRow(
        stream_id=stream.stream_id,
        device_id=stream.device_id,
        acknowledged_sequence=stream.progress.acknowledged_sequence,
        gaps=stream.progress.gaps,
    )
