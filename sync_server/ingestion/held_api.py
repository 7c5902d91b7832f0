"""`POST /held-events/…`: support releases what is held, as it is, corrected or under a new identity, or discards it."""

from collections.abc import Callable
from datetime import date
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.errors import Refused
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.ingestion.held_events import HeldStatus, find_held_event
from sync_server.ingestion.held_release import Release, ReleaseWish, discard_held, release_held
from sync_server.ingestion.posted_effects import PostedJournalLine
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.finding_codes import FindingCode
from sync_server.wire_models import ExactNumber, Reason, WireModel, answer

MOST_AT_ONCE = 100
"""Held events decided by one request: their store waits as long as it takes."""
_LARGEST = 2**63 - 1
HeldEventId = Annotated[int, Field(ge=1, le=_LARGEST)]
HeldEventIdPath = Annotated[int, Path(alias="heldEventId", ge=1, le=_LARGEST)]
DryRun = Annotated[
    bool,
    Query(
        alias="dryRun", description="Shows what would be posted and posts nothing; takes no idempotency key."
    ),
]
Decider = Annotated[Caller, authenticated(Role.SUPPORT, Role.STOCK_CONTROLLER)]


class Correction(WireModel):
    """Fields of another held event of the same group that are to be corrected."""

    held_event_id: HeldEventId
    event: dict[str, Any]


class HeldEventRelease(WireModel):
    """How to release; `{}`: as it is."""

    event: dict[str, Any] | None = Field(None, description="Corrected fields; null takes a field away.")
    corrections: list[Correction] = Field(default=[], max_length=MOST_AT_ONCE)
    new_identity: bool = Field(False, description="Post it under an id derived from the held event.")
    reason: Reason | None = None


class DiscardRequest(WireModel):
    """Why it is never posted."""

    reason: Reason


class BulkRelease(WireModel):
    """Several held events of one store; a group is named by any of its events."""

    held_event_ids: list[HeldEventId] = Field(min_length=1, max_length=MOST_AT_ONCE)
    new_identity: bool = False
    reason: Reason | None = None


class BulkDiscard(WireModel):
    """Several held events of one store."""

    held_event_ids: list[HeldEventId] = Field(min_length=1, max_length=MOST_AT_ONCE)
    reason: Reason


class ReleasedEventRow(WireModel):
    """A held event and the id under which it is posted."""

    held_event_id: int
    event_id: str


class ReleasedMovementRow(WireModel):
    """A movement that a release posts."""

    store_sequence: int
    item_id: str
    type: str
    quantity: ExactNumber
    value: ExactNumber
    business_date: date
    accounting_date: date


class ReleasedLineRow(WireModel):
    """A line of a journal that a release posts."""

    account: str
    tender: str | None
    debit: ExactNumber
    credit: ExactNumber


class ReleasedJournalRow(WireModel):
    """A journal that a release posts."""

    journal_id: int
    currency: str
    accounting_date: date
    lines: list[ReleasedLineRow]


class FoundRow(WireModel):
    """Something that somebody should look at."""

    code: FindingCode
    subject: str


class ReleasedRow(WireModel):
    """What a release posted, or with `dryRun` would post."""

    held_event_id: int
    store_id: str
    status: HeldStatus
    dry_run: bool
    events: list[ReleasedEventRow] = Field(description="Everything that was still held of its group.")
    movements: list[ReleasedMovementRow]
    journals: list[ReleasedJournalRow]
    findings: list[FoundRow]


class DiscardedRow(WireModel):
    """A held event that is never posted."""

    held_event_id: int
    store_id: str
    status: HeldStatus


class OutcomeRow(WireModel):
    """What became of one of several; `errorCode` and `message` where nothing was done."""

    held_event_id: int
    status: HeldStatus | None
    error_code: str | None = None
    message: str | None = None


class Outcomes(WireModel):
    """What became of each, in the order of the request."""

    outcomes: list[OutcomeRow]


def router() -> APIRouter:
    """The routes by which held events are decided."""
    routes = APIRouter(prefix=API_PREFIX, tags=["held events"])
    _add_several(routes)
    _add_single(routes)
    return routes


def _add_several(routes: APIRouter) -> None:
    @routes.post("/held-events/release", response_model=Outcomes)
    def release_several(
        request: Request,
        caller: Decider,
        body: Annotated[BulkRelease, Depends(JsonBody(BulkRelease))],
        key: RequiredKey,
    ) -> Response:
        """Releases held events of one store, each on its own: one that cannot be released stops no other."""

        def release(work: Work, number: int) -> None:
            wish = ReleaseWish(held_event_no=number, new_identity=body.new_identity, reason=body.reason)
            release_held(work, read_chart(work), wish, by=caller, now=parts_of(request).clock.now())

        return once(request, caller, key, lambda work: _each(work, body.held_event_ids, release))

    @routes.post("/held-events/discard", response_model=Outcomes)
    def discard_several(
        request: Request,
        caller: Decider,
        body: Annotated[BulkDiscard, Depends(JsonBody(BulkDiscard))],
        key: RequiredKey,
    ) -> Response:
        """Discards held events of one store."""

        def discard(work: Work, number: int) -> None:
            discard_held(work, number, reason=body.reason, by=caller, now=parts_of(request).clock.now())

        return once(request, caller, key, lambda work: _each(work, body.held_event_ids, discard))


def _add_single(routes: APIRouter) -> None:
    @routes.post("/held-events/{heldEventId}/release", response_model=ReleasedRow)
    def release_one(
        request: Request,
        held_event_id: HeldEventIdPath,
        caller: Decider,
        body: Annotated[HeldEventRelease, Depends(JsonBody(HeldEventRelease, may_be_empty=True))],
        key: RequiredKey,
        dry_run: DryRun = False,
    ) -> Response:
        """Posts a held event, with all that is still held of its group; `dryRun` shows what that would post."""

        def act(work: Work) -> Response:
            wish = _wish(held_event_id, body, dry_run=dry_run)
            done = release_held(work, read_chart(work), wish, by=caller, now=parts_of(request).clock.now())
            return answer(_released(held_event_id, done))

        return once(request, caller, None if dry_run else key, act)

    @routes.post("/held-events/{heldEventId}/discard", response_model=DiscardedRow)
    def discard_one(
        request: Request,
        held_event_id: HeldEventIdPath,
        caller: Decider,
        body: Annotated[DiscardRequest, Depends(JsonBody(DiscardRequest))],
        key: RequiredKey,
    ) -> Response:
        """Decides that a held event is never posted; it stays to be seen."""

        def act(work: Work) -> Response:
            now = parts_of(request).clock.now()
            held = discard_held(work, held_event_id, reason=body.reason, by=caller, now=now)
            shown = DiscardedRow(
                held_event_id=held_event_id, store_id=held.store_id, status=HeldStatus.DISCARDED
            )
            return answer(shown)

        return once(request, caller, key, act)


def _wish(held_event_id: int, body: HeldEventRelease, *, dry_run: bool) -> ReleaseWish:
    corrections = {correction.held_event_id: correction.event for correction in body.corrections}
    if body.event is not None:
        corrections[held_event_id] = body.event
    return ReleaseWish(
        held_event_no=held_event_id,
        corrections=corrections,
        new_identity=body.new_identity,
        reason=body.reason,
        dry_run=dry_run,
    )


def _each(work: Work, numbers: list[int], decide: Callable[[Work, int], None]) -> Response:
    """Decides about each under a savepoint of its own; those of another store than the first are refused."""
    cursor = work.connection.cursor()
    first_store: str | None = None
    outcomes: list[OutcomeRow] = []
    for number in dict.fromkeys(numbers):
        try:
            store_id = find_held_event(cursor, number).store_id
            first_store = first_store or store_id
            if store_id != first_store:
                message = f"It is of store {store_id}; this request is about {first_store}. Ask for it apart."
                outcomes.append(
                    OutcomeRow(held_event_id=number, status=None, error_code="CONFLICT", message=message)
                )
                continue
            with work.connection.transaction():
                decide(work, number)
        except Refused as refusal:
            error = {"error_code": refusal.code.value, "message": refusal.message}
            outcomes.append(OutcomeRow(held_event_id=number, status=None, **error))
            continue
        outcomes.append(OutcomeRow(held_event_id=number, status=find_held_event(cursor, number).status))
    return answer(Outcomes(outcomes=outcomes))


def _released(held_event_id: int, done: Release) -> ReleasedRow:
    journals = [
        _journal(number, list(lines))
        for number, lines in groupby(done.effects.journal_lines, key=lambda line: line.journal_sequence)
    ]
    return ReleasedRow(
        held_event_id=held_event_id,
        store_id=done.store_id,
        status=HeldStatus.HELD if done.dry_run else HeldStatus.RELEASED,
        dry_run=done.dry_run,
        events=[ReleasedEventRow(held_event_id=number, event_id=name) for number, name in done.events],
        movements=[
            ReleasedMovementRow.model_validate(each, from_attributes=True) for each in done.effects.movements
        ],
        journals=journals,
        findings=[FoundRow.model_validate(each) for each in done.findings],
    )


def _journal(number: int, lines: list[PostedJournalLine]) -> ReleasedJournalRow:
    return ReleasedJournalRow(
        journal_id=number,
        currency=lines[0].currency,
        accounting_date=lines[0].accounting_date,
        lines=[ReleasedLineRow.model_validate(line, from_attributes=True) for line in lines],
    )
