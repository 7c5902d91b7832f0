"""Whether the server lives, whether it is ready, and what it measures. Open to anybody: no store is named.

GET /health/live    the process answers
GET /health/ready   the database answers, with the schema that this program needs; what waits for Kafka
GET /metrics        Prometheus
"""

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from sync_server.database import Database, Work
from sync_server.errors import Refused
from sync_server.metrics import LookedUp, ServerMetrics
from sync_server.migrations import schema_state
from sync_server.request_context import parts_of
from sync_server.schema import HEADQUARTERS
from sync_server.wire_models import WireModel, answer

SILENT_AFTER = timedelta(minutes=5)
"""A store whose agents said nothing for this long counts as silent; they speak every minute."""

_OUTBOX = """
SELECT coalesce(sum(s.last_sequence - coalesce(p.published_sequence, 0)), 0)::bigint
FROM store s LEFT JOIN relay_progress p USING (store_no) WHERE s.store_no <> %s
"""
_STORES = """
SELECT CASE WHEN h.last IS NULL THEN 'never' WHEN h.last > %(since)s THEN 'live' ELSE 'silent' END, count(*)
FROM store s LEFT JOIN (SELECT store_no, max(received_at) AS last FROM agent_heartbeat GROUP BY store_no) h
USING (store_no) WHERE s.store_no <> %(headquarters)s GROUP BY 1
"""
_FINDINGS = "SELECT code, count(*) FROM finding WHERE status = 'OPEN' GROUP BY code"


class Life(WireModel):
    """The process answers."""

    status: Literal["LIVE"] = "LIVE"


class Readiness(WireModel):
    """Whether requests can be served, and if not, why."""

    status: Literal["READY", "NOT_READY"]
    database: str = Field(description="REACHABLE, or what is wrong with it.")
    schema_version: str | None
    schema_needed: str
    outbox_lag: int | None = Field(description="Store sequences that are posted and not yet published.")


def router() -> APIRouter:
    """The routes of health and metrics."""
    routes = APIRouter(tags=["health"])
    routes.get("/health/live", response_model=Life)(show_life)
    routes.get(
        "/health/ready",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "Not ready"}},
    )(show_readiness)
    routes.get("/metrics", response_class=Response)(show_metrics)
    return routes


async def show_life() -> Response:
    """Answers as long as the process can."""
    return answer(Life())


def show_readiness(request: Request) -> Response:
    """Asks the database; 503 while it cannot be worked with."""
    readiness = _readiness(parts_of(request).database, request.app.state.needed_schema)
    return answer(readiness, 200 if readiness.status == "READY" else 503)


def show_metrics(request: Request) -> Response:
    """Every number of every process that serves this database from here."""
    metrics: ServerMetrics = request.app.state.metrics
    parts = parts_of(request)
    since = parts.clock.now() - SILENT_AFTER

    def count() -> dict[str, dict[str, int]]:
        parameters = {"since": since, "headquarters": HEADQUARTERS}
        try:
            with parts.database.reading() as work:
                return {
                    "stores": dict(work.connection.execute(_STORES, parameters).fetchall()),
                    "findings": dict(work.connection.execute(_FINDINGS).fetchall()),
                }
        except Refused:
            # Without the database the process's own numbers are what an alarm needs.
            return {"stores": {}, "findings": {}}

    return Response(metrics.exposition(LookedUp(count)), media_type=CONTENT_TYPE_LATEST)


def _readiness(database: Database, needed: str) -> Readiness:
    try:
        with database.reading() as work:
            work.connection.execute("SET LOCAL statement_timeout = '2s'")
            state = schema_state(work, needed)
            lag = _outbox_lag(work) if state.is_current else None
    except Refused as error:
        return Readiness(
            status="NOT_READY",
            database=error.message,
            schema_version=None,
            schema_needed=needed,
            outbox_lag=None,
        )
    return Readiness(
        status="READY" if state.is_current else "NOT_READY",
        database="REACHABLE",
        schema_version=state.current,
        schema_needed=needed,
        outbox_lag=lag,
    )


def _outbox_lag(work: Work) -> int:
    row = work.connection.execute(_OUTBOX, [HEADQUARTERS]).fetchone()
    assert row is not None
    return int(row[0])
