"""What support asks of agents over the API: resyncs with their cost, and the other commands of the closed list."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.database import Work
from sync_server.errors import NotFound
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores import agent_commands as commands
from sync_server.stores.agent_commands import AgentCommandType, CommandState
from sync_server.stores.registry import find_store
from sync_server.support.resyncs import ResyncWish, order_resync, resync_cost
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    CalendarDate,
    Identifier,
    Limit,
    Page,
    StoreIdPath,
    WireModel,
    answer,
    cursor_position,
    page_of,
)

_LARGEST = 2**63 - 1
Sequence = Annotated[int, Field(ge=1, le=_LARGEST)]


class ResyncRequest(WireModel):
    """What the store's agents shall send again; with no choice, what headquarters lacks."""

    stream_id: Identifier | None = None
    from_sequence: Sequence | None = None
    to_sequence: Sequence | None = None
    business_date: CalendarDate | None = None
    all: bool = False
    reason: str = Field(min_length=1, max_length=500)
    dry_run: bool = False


class StreamCostRow(WireModel):
    """What a resync means for one stream; bytes as they go over the line."""

    stream_id: str
    events: int
    missing: int
    bytes: int


class ResyncAnswer(WireModel):
    """What it costs, and the commands that were left for the agents (none in a dry run)."""

    dry_run: bool
    events: int
    missing: int
    bytes: int
    streams: list[StreamCostRow]
    commands: list[UUID]


class CommandRequest(WireModel):
    """Something for an agent of the store to do."""

    type: AgentCommandType
    device_id: UUID | None = Field(default=None, description="One agent; without it whichever comes first.")
    reason: str = Field(min_length=1, max_length=500)


class CommandRow(WireModel):
    """A command and what came of it."""

    command_id: UUID
    device_id: UUID | None
    type: str
    arguments: dict[str, Any]
    reason: str | None
    state: str = Field(description="WAITING, DONE, FAILED or EXPIRED")
    created_at: datetime
    created_by: str
    expires_at: datetime
    finished_at: datetime | None
    result: dict[str, Any] | None
    attachment_bytes: int | None


def router() -> APIRouter:
    """The routes of resyncs and commands."""
    routes = APIRouter(prefix=API_PREFIX, tags=["support"])
    store = "/stores/{storeId}"
    routes.post(
        f"{store}/resyncs",
        response_model=ResyncAnswer,
        status_code=201,
        responses={
            200: {"model": ResyncAnswer, "description": "A dry run, or the same one is open already"},
            409: {"description": "The store has no agent"},
        },
    )(post_resync)
    routes.get(f"{store}/resyncs", response_model=Page[CommandRow])(show_resyncs)
    routes.post(
        f"{store}/commands",
        response_model=CommandRow,
        status_code=201,
        responses={200: {"model": CommandRow, "description": "The same one is open already"}},
    )(post_command)
    routes.get(f"{store}/commands", response_model=Page[CommandRow])(show_commands)
    routes.get(f"{store}/commands/{{commandId}}", response_model=CommandRow)(show_command)
    routes.get(
        f"{store}/commands/{{commandId}}/attachment",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": "The zip of a BUNDLE"}},
    )(show_attachment)
    return routes


Reader = Annotated[Caller, authenticated(*READERS)]
Support = Annotated[Caller, authenticated(Role.SUPPORT)]
CommandId = Annotated[UUID, Path(alias="commandId")]


def post_resync(
    request: Request,
    store_id: StoreIdPath,
    caller: Support,
    body: Annotated[ResyncRequest, Depends(JsonBody(ResyncRequest))],
    key: RequiredKey,
) -> Response:
    """Asks the store's agents to send again. It can never delete or double anything."""
    parts = parts_of(request)
    wish = wish_of(
        stream_id=body.stream_id,
        from_sequence=body.from_sequence,
        to_sequence=body.to_sequence,
        business_date=body.business_date,
        everything=body.all,
    )

    def act(work: Work) -> Response:
        store_no = _store_no(work, store_id)
        costs = resync_cost(work, store_no, wish)
        now = parts.clock.now()
        ordered = (
            [] if body.dry_run else order_resync(work, store_no, wish, reason=body.reason, by=caller, now=now)
        )
        shown = ResyncAnswer(
            dry_run=body.dry_run,
            events=sum(cost.events for cost in costs),
            missing=sum(cost.missing for cost in costs),
            bytes=sum(cost.bytes for cost in costs),
            streams=[StreamCostRow.model_validate(cost, from_attributes=True) for cost in costs],
            commands=[each.command_id for each in ordered],
        )
        fresh = any(not each.repeated for each in ordered)
        return answer(shown, 201 if fresh else 200)

    return once(request, caller, key, act)


def wish_of(
    *,
    stream_id: str | None,
    from_sequence: int | None,
    to_sequence: int | None,
    business_date: date | None,
    everything: bool,
) -> ResyncWish:
    """The wish that a request or a command line spells."""
    return ResyncWish(
        stream_id=stream_id,
        from_sequence=from_sequence,
        to_sequence=to_sequence,
        business_date=business_date,
        all=everything,
    )


def show_resyncs(
    request: Request, store_id: StoreIdPath, caller: Reader, after: After = None, limit: Limit = DEFAULT_PAGE
) -> Response:
    """The store's resyncs and what came of them, the newest first."""
    del caller
    return _page(request, store_id, [AgentCommandType.RESYNC], after, limit)


def show_commands(
    request: Request, store_id: StoreIdPath, caller: Reader, after: After = None, limit: Limit = DEFAULT_PAGE
) -> Response:
    """Everything that the store's agents were asked for, the newest first."""
    del caller
    return _page(request, store_id, None, after, limit)


def post_command(
    request: Request,
    store_id: StoreIdPath,
    caller: Support,
    body: Annotated[CommandRequest, Depends(JsonBody(CommandRequest))],
    key: RequiredKey,
) -> Response:
    """Asks an agent for something of the closed list; the same open command is not left twice."""
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        state, fresh = give_once(
            work, store_id, body.type, device_id=body.device_id, reason=body.reason, by=caller, now=now
        )
        return answer(_row(state, now), 201 if fresh else 200)

    return once(request, caller, key, act)


def give_once(
    work: Work,
    store_id: str,
    command: AgentCommandType,
    *,
    device_id: UUID | None,
    reason: str,
    by: Caller,
    now: datetime,
) -> tuple[CommandState, bool]:
    """The command without arguments, given now or still waiting; whether it is a fresh one."""
    store_no = _store_no(work, store_id)
    device_no = None if device_id is None else _device_no(work, store_no, device_id)
    there = commands.same_open_command(work, store_no, command, {}, device_no=device_no, now=now)
    command_id = there or commands.give_command(
        work, store_no, command, {}, by=by, now=now, device_no=device_no, reason=reason
    )
    return commands.find_command(work, store_no, command_id), there is None


def show_command(request: Request, store_id: StoreIdPath, command_id: CommandId, caller: Reader) -> Response:
    """One command with the agent's answer."""
    del caller
    parts = parts_of(request)
    with parts.database.reading() as work:
        state = commands.find_command(work, _store_no(work, store_id), command_id)
    return answer(_row(state, parts.clock.now()))


def show_attachment(
    request: Request, store_id: StoreIdPath, command_id: CommandId, caller: Support
) -> Response:
    """The file that the answer brought along."""
    del caller
    with parts_of(request).database.reading() as work:
        content = commands.attachment_of(work, _store_no(work, store_id), command_id)
    name = f"tillsync-{store_id}-{command_id}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/zip", headers=headers)


def _page(
    request: Request, store_id: str, types: list[AgentCommandType] | None, after: str | None, limit: int
) -> Response:
    parts = parts_of(request)
    before = cursor_position(after, int)
    with parts.database.reading() as work:
        store_no = _store_no(work, store_id)
        found = commands.list_commands(work, store_no, types=types, before=before, limit=limit + 1)
    now = parts.clock.now()
    return page_of(found, limit, lambda each: _row(each, now), lambda each: each.command_no)


def _row(state: CommandState, now: datetime) -> CommandRow:
    return CommandRow(
        command_id=state.command_id,
        device_id=state.device_id,
        type=state.type,
        arguments=state.arguments,
        reason=state.reason,
        state=state.state(now),
        created_at=state.created_at,
        created_by=state.created_by,
        expires_at=state.expires_at,
        finished_at=state.finished_at,
        result=state.result,
        attachment_bytes=state.attachment_bytes,
    )


def _store_no(work: Work, store_id: str) -> int:
    store_no = find_store(work, store_id).store_no
    assert store_no is not None
    return store_no


def _device_no(work: Work, store_no: int, device_id: UUID) -> int:
    row = work.connection.execute(
        "SELECT device_no FROM device WHERE store_no = %s AND device_id = %s AND revoked_at IS NULL",
        [store_no, device_id],
    ).fetchone()
    if row is None:
        raise NotFound(f"The store has no agent {device_id}")
    return int(row[0])
