"""What agents ask of headquarters, other than taking batches: enrolment, heartbeats, day digests, results."""

import base64
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from shared.day_digest import DayDigest
from shared.problems import Violation
from shared.protocol import API_PREFIX
from sync_server.errors import Invalid
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller, CallerKind
from sync_server.request_body import JsonBody
from sync_server.request_context import origin_of, parts_of, request_id_of
from sync_server.stores import agent_documents as documents
from sync_server.stores.agent_alarms import AgentAlarm
from sync_server.stores.agent_commands import record_result
from sync_server.stores.day_lists import compare_list
from sync_server.stores.enrolment import Applicant, enrol
from sync_server.stores.heartbeats import Heartbeat, record_heartbeat
from sync_server.stores.registry import find_store
from sync_server.stores.store_days import compare_day
from sync_server.stores.store_facts import profile_of
from sync_server.wire_models import StoreIdPath, answer, cursor_text


async def agent_of_store(
    store_id: StoreIdPath, caller: Annotated[Caller, authenticated(agents=True)]
) -> Caller:
    """The agent that asks about its own store; the permission has refused every other one."""
    assert caller.store_id == store_id
    return caller


Agent = Annotated[Caller, Depends(agent_of_store)]
HASH_BYTES = 32
START_OF_ITEMS = cursor_text([0, 0])


def router() -> APIRouter:
    """The routes of agents. Enrolment alone asks for no credential: the code is one."""
    routes = APIRouter(prefix=API_PREFIX, tags=["agents"])
    routes.post(
        "/enrolments",
        response_model=documents.EnrolmentAnswer,
        status_code=201,
        responses={
            200: {"model": documents.EnrolmentAnswer, "description": "The same device again"},
            403: {"description": "The code is refused"},
        },
    )(enrol_agent)
    store = "/stores/{storeId}"
    routes.post(f"{store}/heartbeats", response_model=documents.HeartbeatAnswer)(take_heartbeat)
    routes.post(f"{store}/day-digests", response_model=documents.DayDigestAnswer)(compare_day_digest)
    routes.post(f"{store}/day-lists", response_model=documents.DayListAnswer)(compare_day_list)
    routes.post(f"{store}/commands/{{commandId}}/result", response_model=documents.CommandResultAnswer)(
        take_result
    )
    return routes


def enrol_agent(
    request: Request,
    body: Annotated[documents.EnrolmentRequest, Depends(JsonBody(documents.EnrolmentRequest))],
) -> Response:
    """Exchanges a one-time code for a device's credential; 200 when the same device asks again."""
    parts = parts_of(request)
    now = parts.clock.now()
    key = bytes.fromhex(body.signing_key) if body.signing_key else None
    applicant = Applicant(body.device_id, body.device_name, body.agent_version, key)
    whence = Caller(
        kind=CallerKind.AGENT,
        name=str(body.device_id),
        request_id=request_id_of(request),
        origin=origin_of(request),
    )
    with parts.database.unit_of_work() as work:
        enrolment = enrol(work, body.code, applicant, request=whence, now=now)
        store = find_store(work, enrolment.store_id)
    profile = profile_of(
        store, parts.limits, now, items=[], next_page=START_OF_ITEMS, position=START_OF_ITEMS
    )
    document = documents.EnrolmentAnswer(
        store_id=enrolment.store_id,
        device_id=body.device_id,
        credential=enrolment.credential,
        profile=profile,
    )
    return answer(document, 200 if enrolment.repeated else 201)


def take_heartbeat(
    request: Request,
    caller: Agent,
    body: Annotated[documents.HeartbeatRequest, Depends(JsonBody(documents.HeartbeatRequest))],
) -> Response:
    """Keeps the agent's last word; answers how far its stream has arrived and what it is asked to do."""
    parts = parts_of(request)
    now = parts.clock.now()
    store_no, device_no = _agent_numbers(caller)
    beat = Heartbeat(
        agent_version=body.agent_version,
        stream_id=body.stream_id,
        sent_at=body.sent_at,
        timezone_data=body.timezone_data,
        clock_offset_ms=body.clock_offset_ms,
        backlog_events=body.backlog.events,
        oldest_accepted_at=body.backlog.oldest_accepted_at,
        last_sequence=body.last_sequence,
        acknowledged_sequence=body.acknowledged_sequence,
        undeliverable=body.undeliverable,
        disk_free_bytes=body.disk_free_bytes,
        alarms=[
            AgentAlarm(code=alarm.code, since=alarm.since, sentence=alarm.sentence) for alarm in body.alarms
        ],
    )
    with parts.database.unit_of_work() as work:
        reply = record_heartbeat(work, store_no, device_no, beat, now=now)
    document = documents.HeartbeatAnswer(
        server_time=now,
        acknowledged_sequence=reply.progress.acknowledged_sequence,
        gaps=reply.progress.gaps,
        commands=[
            documents.CommandForAgent.model_validate(command, from_attributes=True)
            for command in reply.commands
        ],
    )
    return answer(document)


def compare_day_digest(
    request: Request,
    caller: Agent,
    body: Annotated[documents.DayDigestRequest, Depends(JsonBody(documents.DayDigestRequest))],
) -> Response:
    """Compares the store's digest of a stream's business date with what headquarters received."""
    parts = parts_of(request)
    store_no, _ = _agent_numbers(caller)
    theirs = DayDigest(events=body.events, digest=body.digest)
    with parts.database.unit_of_work() as work:
        compared = compare_day(
            work, store_no, body.stream_id, body.business_date, theirs, now=parts.clock.now()
        )
    document = documents.DayDigestAnswer(
        state=compared.state, business_date=body.business_date, events=compared.events
    )
    return answer(document)


def compare_day_list(
    request: Request,
    caller: Agent,
    body: Annotated[documents.DayListRequest, Depends(JsonBody(documents.DayListRequest))],
) -> Response:
    """Compares the store's list of a day that differs, so that its agent sends only what headquarters lacks."""
    parts = parts_of(request)
    store_no, _ = _agent_numbers(caller)
    theirs: dict[int, bytes] = {}
    for index, run in enumerate(body.runs):
        hashes = _hashes(run.hashes, f"runs[{index}].hashes")
        theirs.update(enumerate(hashes, run.first))
    window = body.first_sequence, body.last_sequence
    with parts.database.reading() as work:
        found = compare_list(work, store_no, body.stream_id, body.business_date, theirs, window)
    return answer(documents.DayListAnswer.model_validate(found, from_attributes=True))


def _hashes(text: str, field: str) -> list[bytes]:
    joined = _decoded(text, field)
    if len(joined) % HASH_BYTES:
        raise _not_valid(field, f"must hold whole hashes of {HASH_BYTES} bytes", text)
    return [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)]


def take_result(
    request: Request,
    command_id: Annotated[UUID, Path(alias="commandId")],
    caller: Agent,
    body: Annotated[documents.CommandResultRequest, Depends(JsonBody(documents.CommandResultRequest))],
) -> Response:
    """Records what came of a command; sent again, it changes nothing."""
    parts = parts_of(request)
    with parts.database.unit_of_work() as work:
        record_result(
            work,
            command_id,
            by=caller,
            succeeded=body.succeeded,
            result=body.result,
            attachment=None if body.attachment is None else _decoded(body.attachment, "attachment"),
            now=parts.clock.now(),
        )
    return answer(documents.CommandResultAnswer(command_id=command_id))


def _decoded(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _not_valid(field, "must be base64", text) from error


def _not_valid(field: str, constraint: str, value: str) -> Invalid:
    return Invalid("The request body is not valid", violations=[Violation(field, constraint, value)])


def _agent_numbers(caller: Caller) -> tuple[int, int]:
    assert caller.store_no is not None, "agents are bound to their store"
    assert caller.device_no is not None, "agents are devices"
    return caller.store_no, caller.device_no
