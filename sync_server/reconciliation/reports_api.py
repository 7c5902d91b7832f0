"""`GET /reports/shrinkage` and `/reports/variance`, as JSON or CSV."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.problems import Violation
from shared.protocol import API_PREFIX
from sync_server.accounting.remembered_chart import read_chart
from sync_server.errors import Invalid
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.reconciliation.reports import (
    PERIODS,
    GroupBy,
    Report,
    ReportRow,
    ReportWish,
    read_report,
)
from sync_server.request_context import parts_of
from sync_server.stores.registry import find_store
from sync_server.wire_models import ExactNumber, FromDate, ToDate, WireModel, answer

MOST_ROWS = 100_000
_FIRST, _LAST = date(1970, 1, 1), date(2999, 12, 31)
_NAMES = {
    GroupBy.STORE: "storeId",
    GroupBy.ITEM: "itemId",
    GroupBy.REASON: "reason",
    GroupBy.DAY: "period",
    GroupBy.WEEK: "period",
    GroupBy.MONTH: "period",
}


class ReportLine(WireModel):
    """A group: only what it is grouped by has a name. Below zero is a loss."""

    store_id: str | None = None
    item_id: str | None = Field(default=None, description="None: an amount of money that names no item.")
    reason: str | None = None
    period: str | None = Field(default=None, description="2026-02-10, 2026-W07 or 2026-02.")
    currency: str
    quantity: ExactNumber
    value: ExactNumber = Field(description="At cost, in the store's currency.")
    sales: ExactNumber = Field(
        description="What was sold in the same group, less tax and returns; of every reason."
    )
    rate: ExactNumber | None = Field(description="Value against sales; null where nothing was sold.")


class ReportAnswer(WireModel):
    """A report with all its rows, by their names."""

    report: Report
    group_by: list[GroupBy]
    items: list[ReportLine]


GroupByQuery = Annotated[
    str,
    Query(
        alias="groupBy",
        max_length=100,
        description="With commas between: store, item, reason, and one of day, week and month.",
    ),
]
Format = Annotated[
    str | None, Query(pattern="^(json|csv)$", description="json or csv; else what `Accept` asks for.")
]
Accept = Annotated[str | None, Header(include_in_schema=False)]
_DESCRIBED: dict[str, Any] = {
    "response_model": ReportAnswer,
    "responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
}


def router() -> APIRouter:
    """The routes of the two reports."""
    routes = APIRouter(prefix=API_PREFIX, tags=["reports"], dependencies=[authenticated(*READERS)])

    def read(
        request: Request,
        report: Report,
        group_by: str,
        store_id: str | None,
        first: date | None,
        last: date | None,
    ) -> tuple[list[GroupBy], list[ReportRow]]:
        groups = _groups(group_by)
        with parts_of(request).database.reading() as work:
            wish = ReportWish(
                report=report,
                group_by=groups,
                store_no=find_store(work, store_id).store_no if store_id else None,
                first=first or _FIRST,
                last=last or _LAST,
                most=MOST_ROWS + 1,
            )
            rows = read_report(work, read_chart(work), wish)
        if len(rows) > MOST_ROWS:
            violation = Violation(
                "groupBy", f"gives more than {MOST_ROWS} rows; name a store or fewer days", group_by
            )
            raise Invalid("The report is too large", violations=[violation])
        return groups, rows

    @routes.get("/reports/shrinkage", **_DESCRIBED)
    def show_shrinkage(
        request: Request,
        group_by: GroupByQuery = "store,reason",
        store_id: Annotated[str | None, Query(alias="storeId")] = None,
        first: FromDate = None,
        last: ToDate = None,
        format: Format = None,  # noqa: A002  # the parameter's name on the wire
        accept: Accept = None,
    ) -> Response:
        """What was lost and found, whatever the cause: by accounting date, quantity, value, rate against sales."""
        groups, rows = read(request, Report.SHRINKAGE, group_by, store_id, first, last)
        return _answer(Report.SHRINKAGE, groups, rows, format or accept)

    @routes.get("/reports/variance", **_DESCRIBED)
    def show_variance(
        request: Request,
        group_by: GroupByQuery = "store,item",
        store_id: Annotated[str | None, Query(alias="storeId")] = None,
        first: FromDate = None,
        last: ToDate = None,
        format: Format = None,  # noqa: A002  # the parameter's name on the wire
        accept: Accept = None,
    ) -> Response:
        """What posted counts found, by the date of the count, with what came late taken out of it."""
        groups, rows = read(request, Report.VARIANCE, group_by, store_id, first, last)
        return _answer(Report.VARIANCE, groups, rows, format or accept)

    return routes


def _groups(text: str) -> list[GroupBy]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    allowed = ", ".join(GroupBy)
    if not words or any(word not in set(GroupBy) for word in words) or len(set(words)) < len(words):
        violation = Violation("groupBy", f"must be some of {allowed}, each once", text)
        raise Invalid("The request's parameters are not valid", violations=[violation])
    groups = [GroupBy(word) for word in words]
    if len(PERIODS.intersection(groups)) > 1:
        violation = Violation("groupBy", "names at most one of day, week and month", text)
        raise Invalid("The request's parameters are not valid", violations=[violation])
    return groups


def _answer(
    report: Report, groups: Sequence[GroupBy], rows: Sequence[ReportRow], wanted: str | None
) -> Response:
    if wanted == "csv" or (wanted or "").lower().startswith("text/csv"):
        return Response(_csv(groups, rows), media_type="text/csv")
    items = [
        ReportLine(
            **{_NAMES[each]: name for each, name in zip(groups, row.names, strict=True)},
            currency=row.currency,
            quantity=row.quantity,
            value=row.value,
            sales=row.sales,
            rate=row.rate,
        )
        for row in rows
    ]
    return answer(ReportAnswer(report=report, group_by=list(groups), items=items))


def _csv(groups: Sequence[GroupBy], rows: Sequence[ReportRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*(_NAMES[each] for each in groups), "currency", "quantity", "value", "sales", "rate"])
    for row in rows:
        rate = row.rate
        numbers = [
            f"{row.quantity:f}",
            f"{row.value:f}",
            f"{row.sales:f}",
            "" if rate is None else f"{rate:f}",
        ]
        writer.writerow([*(name or "" for name in row.names), row.currency, *numbers])
    return text.getvalue()
