"""Health and metrics: what a load balancer and Prometheus are told."""

from datetime import timedelta

import httpx
from anyio.from_thread import start_blocking_portal

from sync_server.app import create_app
from sync_server.database import Database
from sync_server.settings import Settings
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings
from tests.builders import build_agent, build_store
from tests.http_caller import HttpCaller
from tests.set_clock import START, SetClock
from tests.sync_server.stores.test_heartbeats import BEAT, STORE


def _away(settings: Settings, path: str) -> httpx.Response:
    """An answer of the server while its database is away."""
    app = create_app(settings, Database("postgresql://nobody@127.0.0.1:1/nowhere"))
    with start_blocking_portal() as portal:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://headquarters")
        response = HttpCaller(portal, client).get(path)
        portal.call(client.aclose)
    return response


def test_a_server_with_its_database_is_ready(http: HttpCaller) -> None:
    answer = http.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "READY"
    assert answer.json()["schemaVersion"] == answer.json()["schemaNeeded"]
    assert answer.json()["outboxLag"] == 0


def test_a_server_without_its_database_lives_and_is_not_ready(settings: Settings) -> None:
    assert _away(settings, "/health/live").status_code == 200
    answer = _away(settings, "/health/ready")
    assert answer.status_code == 503
    assert answer.json()["status"] == "NOT_READY"
    assert "cannot be reached" in answer.json()["database"]


def test_a_server_on_an_outdated_schema_is_not_ready(owner_url: str, http: HttpCaller) -> None:
    owner = Database(owner_url, role=None)
    with owner.unit_of_work() as work:
        work.connection.execute("UPDATE alembic_version SET version_num = '0000'")
    owner.close()
    answer = http.get("/health/ready")
    assert (answer.status_code, answer.json()["schemaVersion"]) == (503, "0000")


def test_what_is_posted_and_not_published_shows(database: Database, http: HttpCaller) -> None:
    build_store(database)
    with database.unit_of_work() as work:
        work.connection.execute("UPDATE store SET last_sequence = 7 WHERE store_no > 0")
    assert http.get("/health/ready").json()["outboxLag"] == 7


def test_answers_are_counted_by_route_and_never_by_store(database: Database, http: HttpCaller) -> None:
    build_store(database)
    agent = http.as_caller(build_agent(database).credential)
    for _ in range(3):
        agent.post(f"{STORE}/heartbeats", json=BEAT)
    agent.get("/nowhere/STORE-01")
    text = http.get("/metrics").text
    route = "/api/v1/inventory/stores/{storeId}/heartbeats"
    assert f'sync_server_http_requests_total{{method="POST",route="{route}",status="200"}} 3.0' in text
    assert f'sync_server_http_request_seconds_count{{route="{route}"}} 3.0' in text
    assert 'route="unmatched",status="404"} 1.0' in text
    assert "STORE-01" not in text


def test_stores_by_contact_and_open_findings_are_counted(
    database: Database, http: HttpCaller, clock: SetClock
) -> None:
    store_no = build_store(database)
    build_store(database, "STORE-02")
    agent = http.as_caller(build_agent(database).credential)
    agent.post(f"{STORE}/heartbeats", json=BEAT)
    with database.unit_of_work() as work:
        raise_findings(work, store_no, [(FindingCode.NEGATIVE_STOCK, "item-1")], now=START)
    text = http.get("/metrics").text
    assert 'sync_server_stores{contact="live"} 1.0' in text
    assert 'sync_server_stores{contact="never"} 1.0' in text
    assert 'sync_server_open_findings{code="NEGATIVE_STOCK"} 1.0' in text
    clock.advance(timedelta(minutes=6))
    assert 'sync_server_stores{contact="silent"} 1.0' in http.get("/metrics").text


def test_metrics_are_told_without_the_database_too(settings: Settings) -> None:
    answer = _away(settings, "/metrics")
    assert answer.status_code == 200
    assert "sync_server_http_requests_total" in answer.text
