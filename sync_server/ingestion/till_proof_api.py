"""Workstations' days over HTTP: what their tills and headquarters have of them, and answers about what is missing."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from psycopg.rows import dict_row
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from shared.wire_json import decode_json
from sync_server.database import Work
from sync_server.errors import Invalid
from sync_server.idempotent_calls import RequiredKey, once
from sync_server.ingestion.gap_answers import AnswerWish, GapAnswer, answer_gap
from sync_server.people.authentication import authenticated
from sync_server.people.callers import Caller
from sync_server.people.roles import READERS, Role
from sync_server.request_body import JsonBody
from sync_server.request_context import parts_of
from sync_server.stores.registry import store_number
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    CalendarDate,
    ExactNumber,
    Identifier,
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

_MOST = 10**15 - 1
TransactionNumber = Annotated[int, Field(ge=0, le=_MOST)]
_DAYS = """
SELECT workstation_id, business_date, closes, missing, differences::text AS differences
FROM workstation_day WHERE store_no = %s AND (business_date, workstation_id) < (%s, %s)
ORDER BY business_date DESC, workstation_id DESC LIMIT %s
"""
_TOTALS = """
SELECT workstation_id, business_date, kind, name, amount FROM workstation_total
WHERE store_no = %s AND business_date = ANY(%s) ORDER BY kind, name
"""


class DifferenceRow(WireModel):
    """A total on which till and headquarters do not agree."""

    kind: str
    name: str
    till: ExactNumber
    headquarters: ExactNumber


class WorkstationDayRow(WireModel):
    """A workstation's business date; compared once its till has closed it."""

    workstation_id: str = Field(description="`-` for events that name none.")
    business_date: date
    closes: int = Field(description="Z reports that came.")
    types: dict[str, ExactNumber] = Field(
        description="What events add up to, by type; `…_VOIDED`: taken back."
    )
    tenders: dict[str, ExactNumber] = Field(description="What is in the drawer, by tender; '': not named.")
    missing: list[SequenceRange] = Field(description="Transaction numbers without an answer.")
    differences: list[DifferenceRow]


class GapAnswerRequest(WireModel):
    """What became of missing transactions: RESENT or NEVER_EXISTED."""

    workstation_id: Identifier
    business_date: CalendarDate
    first: TransactionNumber = Field(alias="from")
    last: TransactionNumber = Field(alias="to")
    answer: GapAnswer
    reason: Reason


class GapAnswerRow(WireModel):
    """An answer that was taken."""

    store_id: str
    workstation_id: str
    business_date: date
    first: int = Field(alias="from")
    last: int = Field(alias="to")
    answer: GapAnswer


def router() -> APIRouter:
    """The routes of tills' proofs."""
    routes = APIRouter(prefix=API_PREFIX, tags=["tills"])
    routes.get(
        "/stores/{storeId}/workstation-days",
        response_model=Page[WorkstationDayRow],
        dependencies=[authenticated(*READERS)],
    )(show_days)

    @routes.post("/stores/{storeId}/transaction-gaps/answers", status_code=201, response_model=GapAnswerRow)
    def answer_missing(
        request: Request,
        store_id: StoreIdPath,
        caller: Annotated[Caller, authenticated(Role.SUPPORT, Role.STOCK_CONTROLLER)],
        body: Annotated[GapAnswerRequest, Depends(JsonBody(GapAnswerRequest))],
        key: RequiredKey,
    ) -> Response:
        """Answers missing transaction numbers; the finding closes when all have come or never existed."""

        def act(work: Work) -> Response:
            wish = AnswerWish(**body.model_dump())
            answer_gap(work, store_number(work, store_id), wish, by=caller, now=parts_of(request).clock.now())
            return answer(GapAnswerRow(store_id=store_id, **body.model_dump(exclude={"reason"})), 201)

        return once(request, caller, key, act)

    return routes


def show_days(
    request: Request, store_id: StoreIdPath, after: After = None, limit: Limit = DEFAULT_PAGE
) -> Response:
    """The workstations' days of a store whose tills send Z reports, the latest first."""
    day, workstation = _position(after)
    with parts_of(request).database.reading() as work:
        store_no = store_number(work, store_id)
        cursor = work.connection.cursor(row_factory=dict_row)
        found = cursor.execute(_DAYS, [store_no, day, workstation, limit + 1]).fetchall()
        totals = cursor.execute(_TOTALS, [store_no, [row["business_date"] for row in found]]).fetchall()
    return page_of(
        found,
        limit,
        lambda row: _row(row, totals),
        lambda row: [row["business_date"].isoformat(), row["workstation_id"]],
    )


def _position(after: str | None) -> tuple[date, str]:
    position = cursor_position(after, list)
    if position is None:
        return date.max, ""
    try:
        day, workstation = position
        return date.fromisoformat(day), str(workstation)
    except (TypeError, ValueError) as error:
        raise Invalid("The cursor is not one of this list") from error


def _row(row: dict[str, Any], totals: list[dict[str, Any]]) -> WorkstationDayRow:
    mine: dict[str, dict[str, Decimal]] = {"TYPE": {}, "TENDER": {}}
    for total in totals:
        if (total["workstation_id"], total["business_date"]) == (row["workstation_id"], row["business_date"]):
            mine[total["kind"]][total["name"]] = total["amount"]
    return WorkstationDayRow(
        workstation_id=row["workstation_id"],
        business_date=row["business_date"],
        closes=row["closes"],
        types=mine["TYPE"],
        tenders=mine["TENDER"],
        missing=[(span.lower, span.upper - 1) for span in row["missing"]],
        differences=[] if row["differences"] is None else _differences(row["differences"]),
    )


def _differences(text: str) -> list[DifferenceRow]:
    return [DifferenceRow.model_validate(each) for each in decode_json(text.encode())]
