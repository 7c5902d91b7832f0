"""The chart of accounts over the API: reading it, and letting another account serve a purpose."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.accounting.chart_editing import list_accounts, set_account
from sync_server.database import Work
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.wire_models import Identifier, Page, Reason, WireModel, answer, page_of


class ServingAccountRow(WireModel):
    """The account that serves a purpose, and those that did before it."""

    purpose: str
    account: str
    name: str
    formerly: list[str] = Field(description="Accounts that journals of earlier days stand on.")


class AccountRequest(WireModel):
    """The account that shall serve a purpose."""

    account: Identifier
    name: Identifier | None = None
    reason: Reason


def router() -> APIRouter:
    """The routes of the chart."""
    routes = APIRouter(prefix=API_PREFIX, tags=["books"])
    routes.get("/accounts", response_model=Page[ServingAccountRow])(show_accounts)
    routes.post("/accounts/{purpose}", response_model=ServingAccountRow)(post_account)
    return routes


def show_accounts(request: Request, caller: Annotated[Caller, authenticated(*READERS)]) -> Response:
    """The whole chart of accounts, by account."""
    del caller
    with parts_of(request).database.reading() as work:
        found = list_accounts(work)
    rows = [ServingAccountRow.model_validate(each, from_attributes=True) for each in found]
    return page_of(rows, len(rows) or 1, lambda row: row, lambda row: row.purpose)


def post_account(
    request: Request,
    purpose: Annotated[str, Path(max_length=64, pattern=r"^[a-z_]+$")],
    caller: Annotated[Caller, authenticated(Role.ADMIN)],
    body: Annotated[AccountRequest, Depends(JsonBody(AccountRequest))],
    key: RequiredKey,
) -> Response:
    """Lets an account serve a purpose; within half a minute all postings are booked on it."""
    now = parts_of(request).clock.now()

    def act(work: Work) -> Response:
        found, _ = set_account(work, purpose, body.account, body.name, reason=body.reason, by=caller, now=now)
        return answer(ServingAccountRow.model_validate(found, from_attributes=True))

    return once(request, caller, key, act)
