"""Operators' POSTs under an idempotency key: done once, answered alike for ever, refused for anything else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.protocol import ENROLMENTS_PATH
from sync_server.app import create_app
from sync_server.database import Database
from sync_server.openapi import permission_of
from sync_server.people.roles import Role
from sync_server.settings import Settings
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock
from tests.store_ledger import StoreLedger

RECONCILE = "/api/v1/inventory/stores/STORE-01/reconcile"
VARIANCE = {"date": "2026-02-10", "varianceAmount": -25, "reason": "SHRINKAGE"}
AT_ONCE = 8


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01."""
    return StoreLedger(database)


@pytest.fixture
def ada(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """A person who may open reconciliations."""
    return http.as_caller(build_person(store.database, "ada", Role.STOCK_CONTROLLER))


@pytest.fixture
def crowd(database_url: str, settings: Settings, clock: SetClock) -> Iterator[HttpCaller]:
    """The application with a connection for everybody who calls at once."""
    database = Database(database_url, pool_size=AT_ONCE + 1)
    app = create_app(settings, database, clock)
    with start_blocking_portal() as portal:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://headquarters")
        yield HttpCaller(portal, client)
        portal.call(client.aclose)
    database.close()


def test_the_same_call_again_gets_status_and_body_of_the_first_time(
    store: StoreLedger, ada: HttpCaller
) -> None:
    first = ada.order(RECONCILE, key="k-1", json=VARIANCE)
    again = ada.order(RECONCILE, key="k-1", json={**VARIANCE, "varianceAmount": -25.00})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert store.count("SELECT count(*) FROM audit_entry WHERE action = 'reconciliation.made'") == 1
    store.check()


def test_a_key_never_expires(clock: SetClock, store: StoreLedger, ada: HttpCaller) -> None:
    first = ada.order(RECONCILE, key="k-1", json=VARIANCE)
    clock.advance(timedelta(days=4000))
    assert ada.order(RECONCILE, key="k-1", json=VARIANCE).content == first.content
    store.check()


@pytest.mark.parametrize("change", [{"varianceAmount": -26}, {"note": "new"}])
def test_a_key_that_comes_with_another_body_is_refused(
    store: StoreLedger, ada: HttpCaller, change: dict[str, object]
) -> None:
    ada.order(RECONCILE, key="k-1", json=VARIANCE)
    other = ada.order(RECONCILE, key="k-1", json={**VARIANCE, **change})
    assert (other.status_code, other.json()["errorCode"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert store.count("SELECT count(*) FROM reconciliation") == 1
    store.check()


def test_a_key_that_comes_with_another_path_is_refused(store: StoreLedger, ada: HttpCaller) -> None:
    StoreLedger(store.database, "STORE-02")
    ada.order(RECONCILE, key="k-1", json=VARIANCE)
    other = ada.order(RECONCILE.replace("STORE-01", "STORE-02"), key="k-1", json=VARIANCE)
    assert other.json()["errorCode"] == "IDEMPOTENCY_CONFLICT"
    store.check()


def test_a_key_is_its_callers_own(store: StoreLedger, ada: HttpCaller, http: HttpCaller) -> None:
    bob = http.as_caller(build_person(store.database, "bob", Role.STOCK_CONTROLLER))
    mine, theirs = (each.order(RECONCILE, key="k-1", json=VARIANCE) for each in (ada, bob))
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["reconciliationId"] != theirs.json()["reconciliationId"]
    store.check()


def test_a_refused_call_leaves_its_key_free(store: StoreLedger, ada: HttpCaller) -> None:
    unknown = RECONCILE.replace("STORE-01", "STORE-99")
    assert ada.order(unknown, key="k-1", json=VARIANCE).status_code == 404
    assert store.count("SELECT count(*) FROM idempotency_key") == 0
    assert ada.order(RECONCILE, key="k-1", json=VARIANCE).status_code == 201
    store.check()


def test_the_same_call_eight_times_at_once_is_done_once(store: StoreLedger, crowd: HttpCaller) -> None:
    ada = crowd.as_caller(build_person(store.database, "ada", Role.STOCK_CONTROLLER))
    barrier = Barrier(AT_ONCE)

    def call() -> httpx.Response:
        barrier.wait()
        return ada.order(RECONCILE, key="k-1", json=VARIANCE)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = [each.result() for each in [threads.submit(call) for _ in range(AT_ONCE)]]
    assert {(each.status_code, each.content) for each in answers} == {(201, answers[0].content)}
    assert sum("Idempotency-Replayed" in each.headers for each in answers) == AT_ONCE - 1
    assert store.count("SELECT count(*) FROM reconciliation") == 1
    store.check()


def test_an_operators_post_without_a_key_is_refused_by_name(store: StoreLedger, http: HttpCaller) -> None:
    support = http.as_caller(build_person(store.database, "eve", Role.SUPPORT))
    refused = support.post("/api/v1/inventory/stores/STORE-01/resyncs", json={"reason": "a gap"})
    assert refused.status_code == 422
    (violation,) = refused.json()["details"]["violations"]
    assert (violation["field"], violation["constraint"]) == ("Idempotency-Key", "is required")


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_what_cannot_be_a_key_is_refused(ada: HttpCaller, key: str) -> None:
    refused = ada.post(RECONCILE, json=VARIANCE, headers={"Idempotency-Key": key})
    assert refused.status_code == 422
    assert refused.json()["details"]["violations"][0]["field"] == "Idempotency-Key"


def test_every_operators_post_takes_a_key(app: FastAPI) -> None:
    """Agents' posts are known by their own ids; everything else that changes something takes a key."""
    document = app.openapi()
    for route in app.routes:
        if not isinstance(route, APIRoute) or "POST" not in (route.methods or ()):
            continue
        permission = permission_of(route)
        if route.path == ENROLMENTS_PATH or permission is None or permission.agents:
            continue
        parameters = document["paths"][route.path_format]["post"].get("parameters", [])
        keys = [each for each in parameters if each["name"] == "Idempotency-Key"]
        assert keys, route.path
        assert keys[0].get("required", False) is not route.path.endswith("/reconcile"), route.path
