"""What operators ask about the books: journals, the trial balance, the daily proof, the chart of accounts."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.protocol import API_PREFIX
from sync_server.accounting.journal_lists import JournalFilter, list_journals
from sync_server.accounting.reports import DayProof, daily_proof, trial_balance
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS
from sync_server.request_context import parts_of
from sync_server.stores.registry import find_store, store_number
from sync_server.wire_models import (
    DEFAULT_PAGE,
    After,
    DateQuery,
    ExactNumber,
    FromDate,
    Limit,
    Page,
    ToDate,
    WireModel,
    answer,
    cursor_position,
    cursor_text,
    date_position,
    page_of,
)

StoreIdQuery = Annotated[
    str | None, Query(alias="storeId", description="One store alone; all of them without.")
]


class JournalLineRow(WireModel):
    """A debit or a credit; one of the two is zero."""

    account: str
    tender: str | None
    debit: ExactNumber
    credit: ExactNumber


class JournalRow(WireModel):
    """One posting in one currency; its lines balance."""

    journal_id: str
    store_id: str
    store_sequence: int
    kind: str = Field(description="POS for till events, else the kind of document.")
    currency: str
    business_date: date
    accounting_date: date
    posted_at: datetime
    lines: list[JournalLineRow]


class AccountRow(WireModel):
    """What was booked on an account; `balance` is debits less credits."""

    account: str
    name: str | None
    currency: str
    debit: ExactNumber
    credit: ExactNumber
    balance: ExactNumber


class TrialBalance(WireModel):
    """Every account that was booked on. In each currency, debits equal credits."""

    store_id: str | None
    as_of: date | None
    balanced: bool
    accounts: list[AccountRow]


class DayProofRow(WireModel):
    """How the books of a store stand at the end of an accounting date, beside what its movements add up to."""

    store_id: str
    accounting_date: date
    currency: str
    inventory_account: ExactNumber
    stock_value: ExactNumber
    in_transit_account: ExactNumber
    in_transit_value: ExactNumber
    legs_value: ExactNumber = Field(
        description="Legs of transfers that left the store, less those that arrived at it."
    )
    proven: bool = Field(
        description="inventoryAccount is stockValue, and inTransitAccount is inTransitValue + legsValue."
    )


def router() -> APIRouter:
    """The routes of the books."""
    routes = APIRouter(prefix=API_PREFIX, tags=["books"], dependencies=[authenticated(*READERS)])
    routes.get("/journals", response_model=Page[JournalRow])(show_journals)
    routes.get("/reports/trial-balance", response_model=TrialBalance)(show_trial_balance)
    routes.get("/reports/daily-proof", response_model=Page[DayProofRow])(show_daily_proof)
    return routes


def show_journals(
    request: Request,
    store_id: StoreIdQuery = None,
    business_date: Annotated[DateQuery, Query(alias="businessDate")] = None,
    account: Annotated[str | None, Query(description="Only journals that book on this account.")] = None,
    first: FromDate = None,
    last: ToDate = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """Journals with their lines, newest first; `from` and `to` are accounting dates."""
    start = cursor_position(after, list, [int, int])
    wanted = JournalFilter(
        business_date=business_date,
        account=None if account is None else account.replace("\x00", ""),
        first=first,
        last=last,
    )
    with parts_of(request).database.reading() as work:
        store_no = None if store_id is None else store_number(work, store_id)
        page = list_journals(work, store_no, wanted, start=start, limit=limit)
    rows = [
        _journal(each, page.lines.get((each.store_no, each.store_sequence), [])) for each in page.journals
    ]
    return answer(Page[Any](items=rows, next=None if page.next is None else cursor_text(page.next)))


def _journal(row: Any, lines: list[tuple[Any, ...]]) -> JournalRow:
    return JournalRow(
        journal_id=f"{row.store_id}-{row.store_sequence}",
        store_id=row.store_id,
        store_sequence=row.store_sequence,
        kind=row.kind,
        currency=row.currency,
        business_date=row.business_date,
        accounting_date=row.accounting_date,
        posted_at=row.posted_at,
        lines=[
            JournalLineRow(account=account, tender=tender, debit=debit, credit=credit)
            for account, tender, debit, credit in lines
        ],
    )


def show_trial_balance(
    request: Request,
    store_id: StoreIdQuery = None,
    as_of: Annotated[
        DateQuery, Query(alias="asOf", description="Up to this accounting date, included.")
    ] = None,
) -> Response:
    """Every account with its debits and credits, by currency; of one store or of all, up to a date or ever."""
    with parts_of(request).database.reading() as work:
        store_no = None if store_id is None else store_number(work, store_id)
        found = trial_balance(work, store_no, as_of)
    totals: dict[str, Any] = {}
    for each in found:
        totals[each.currency] = totals.get(each.currency, 0) + each.balance
    shown = TrialBalance(
        store_id=store_id,
        as_of=as_of,
        balanced=not any(totals.values()),
        accounts=[AccountRow.model_validate(each, from_attributes=True) for each in found],
    )
    return answer(shown)


def show_daily_proof(
    request: Request,
    store_id: Annotated[str, Query(alias="storeId")],
    first: FromDate = None,
    last: ToDate = None,
    after: After = None,
    limit: Limit = DEFAULT_PAGE,
) -> Response:
    """How the inventory and in-transit accounts stood at the end of each accounting date, the latest first."""
    before = date_position(after)
    with parts_of(request).database.reading() as work:
        store = find_store(work, store_id)
        assert store.store_no is not None
        found = daily_proof(work, store.store_no, first=first, last=last, before=before, limit=limit + 1)

    def row(proof: DayProof) -> DayProofRow:
        return DayProofRow(
            store_id=store_id,
            accounting_date=proof.day,
            currency=store.currency,
            inventory_account=proof.inventory_account,
            stock_value=proof.stock_value,
            in_transit_account=proof.in_transit_account,
            in_transit_value=proof.in_transit_value,
            legs_value=proof.legs_value,
            proven=proof.proven,
        )

    return page_of(found, limit, row, lambda proof: proof.day.isoformat())
