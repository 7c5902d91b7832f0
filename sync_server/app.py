"""The HTTP application: every room's routes, and around them what every request meets.

request ─▶ RequestContext (id, mark, log, last resort) ─▶ route ─▶ authenticated ─▶ body ─▶ the room's function
"""

from collections.abc import Sequence
from functools import cache

from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request

from shared.clock import Clock, SystemClock
from shared.protocol import ENROLMENTS_PATH
from sync_server import health
from sync_server.accounting import books_api, chart_api, import_api, item_api, periods_api
from sync_server.csv_lists import CsvLists
from sync_server.database import Database
from sync_server.errors import Forbidden, Unavailable
from sync_server.ingestion import api as ingestion_api
from sync_server.ingestion import batch_api, held_api, held_list_api, till_proof_api, undeliverable_api
from sync_server.inventory import profile_api, stock_api
from sync_server.metrics import ServerMetrics
from sync_server.migrations import needed_version
from sync_server.openapi import install_openapi, permission_of
from sync_server.people import audit_api
from sync_server.people.authentication import caller_known_to
from sync_server.people.known_credentials import KnownCredentials
from sync_server.people.refusals import record_refusal
from sync_server.problem_responses import install_problem_responses
from sync_server.program_version import program_version
from sync_server.publishing import feed_api
from sync_server.reconciliation import api as reconciliation_api
from sync_server.reconciliation import reports_api
from sync_server.request_context import RequestContext, ServerParts
from sync_server.reservations import api as reservations_api
from sync_server.reservations import availability_api
from sync_server.settings import Settings
from sync_server.stores import agent_api, operator_api, store_day_api
from sync_server.support import command_api
from sync_server.transfers import api as transfers_api

OPEN_PATHS = frozenset({"/health/live", "/health/ready", "/metrics", ENROLMENTS_PATH})
"""The only routes without an authenticated caller: nothing of a store is told there, and enrolling takes a code."""


def create_app(settings: Settings, database: Database, clock: Clock | None = None) -> FastAPI:
    """The application for one database. Several may live in one process: nothing is shared between them."""
    clock = clock or SystemClock()
    version = program_version()
    metrics = ServerMetrics()
    app = FastAPI(title="TillSync", version=version, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.parts = ServerParts(settings, database, clock, settings.limits)
    app.state.credentials = KnownCredentials(
        database, clock, remember_seconds=settings.credential_cache_seconds
    )
    app.state.metrics = metrics
    app.state.needed_schema = needed_version()
    app.state.batch_desk = ingestion_api.BatchDesk(clock)
    app.router.routes.extend(_routes())
    install_openapi(app, version)
    install_problem_responses(app, _record_refusal)
    app.add_middleware(CsvLists)
    app.add_middleware(RequestContext, clock=clock, version=version, observe=metrics.observe)
    return app


@cache
def _routes() -> Sequence[APIRoute]:
    """Every room's routes, analysed once a process: they hold nothing of an application, and there are many."""
    return [route for router in _routers() for route in _guarded(router)]


def _routers() -> Sequence[APIRouter]:
    return (
        health.router(),
        ingestion_api.router(),
        undeliverable_api.router(),
        till_proof_api.router(),
        held_api.router(),
        reconciliation_api.router(),
        reports_api.router(),
        agent_api.router(),
        profile_api.router(),
        periods_api.router(),
        books_api.router(),
        chart_api.router(),
        import_api.router(),
        item_api.router(),
        stock_api.router(),
        batch_api.router(),
        held_list_api.router(),
        store_day_api.router(),
        audit_api.router(),
        feed_api.router(),
        operator_api.router(),
        command_api.router(),
        reservations_api.router(),
        availability_api.router(),
        transfers_api.router(),
    )


def _guarded(router: APIRouter) -> Sequence[APIRoute]:
    """The routes of `router`; refuses to build an application with one that forgot to ask who is calling."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    for route in routes:
        if route.path not in OPEN_PATHS and permission_of(route) is None:
            raise LookupError(f"{route.path} asks for no permission; add `authenticated(…)` to it")
    return routes


async def _record_refusal(request: Request, error: Forbidden) -> None:
    """Refusals of callers who proved who they are go into the audit trail; a lost entry is no reason to fail."""
    caller = caller_known_to(request)
    if caller is not None:
        parts = request.app.state.parts
        what = f"{request.method} {request.url.path}"
        try:
            await run_sync(record_refusal, parts.database, caller, what, error.message, parts.clock.now())
        except Unavailable:
            return
