"""Every error leaves in the spec's shape, whoever raises it, and every answer says that it is ours."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from shared.problems import ErrorCode
from sync_server.app import create_app
from sync_server.database import Database
from sync_server.settings import Settings
from tests.builders import build_agent, build_person, build_store
from tests.http_caller import HttpCaller

STORES = "/api/v1/inventory/stores"
HEARTBEATS = f"{STORES}/STORE-01/heartbeats"


@pytest.fixture
def agent(database: Database, http: HttpCaller) -> HttpCaller:
    """The agent of STORE-01."""
    build_store(database)
    return http.as_caller(build_agent(database).credential)


def _assert_problem(response: httpx.Response, code: ErrorCode) -> None:
    assert response.status_code == code.http_status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-tillsync-server"]
    problem = response.json()
    assert set(problem) == {"errorCode", "message", "timestamp", "requestId", "details"}
    assert problem["errorCode"] == code.value
    assert problem["message"]
    assert problem["timestamp"] == "2026-02-10T23:05:00Z"
    assert problem["requestId"] == response.headers["x-request-id"]


def test_an_unknown_route_is_a_problem(http: HttpCaller) -> None:
    _assert_problem(http.get("/nowhere"), ErrorCode.NOT_FOUND)


def test_a_wrong_method_is_a_problem_that_keeps_allow(http: HttpCaller) -> None:
    response = http.request("DELETE", STORES)
    _assert_problem(response, ErrorCode.METHOD_NOT_ALLOWED)
    assert response.headers["allow"] == "GET"


def test_nobody_is_asked_for_a_bearer_credential(http: HttpCaller) -> None:
    response = http.get(STORES)
    _assert_problem(response, ErrorCode.UNAUTHENTICATED)
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'"\\ud800"', b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_problem(agent: HttpCaller, body: bytes) -> None:
    _assert_problem(agent.post(HEARTBEATS, content=body), ErrorCode.MALFORMED_JSON)


def test_every_violation_of_a_body_is_named(agent: HttpCaller) -> None:
    response = agent.post(HEARTBEATS, json={"agentVersion": "1", "backlog": {"events": -1}})
    _assert_problem(response, ErrorCode.VALIDATION_FAILED)
    violations = {each["field"]: each for each in response.json()["details"]["violations"]}
    assert violations["streamId"]["constraint"] == "is required"
    assert violations["backlog.events"]["rejectedValue"] == -1


def test_a_query_parameter_that_makes_no_sense_is_named(database: Database, http: HttpCaller) -> None:
    response = http.as_caller(build_person(database)).get(STORES, params={"limit": "many"})
    _assert_problem(response, ErrorCode.VALIDATION_FAILED)
    assert response.json()["details"]["violations"][0]["field"] == "limit"


@pytest.mark.parametrize("after", ["x", "ISE", "MQ", "eyJhIjoxfQ", "IgAi", ""])
def test_a_cursor_that_we_did_not_give_is_named(database: Database, http: HttpCaller, after: str) -> None:
    response = http.as_caller(build_person(database)).get(STORES, params={"after": after})
    _assert_problem(response, ErrorCode.VALIDATION_FAILED)


def test_a_body_that_declares_too_much_is_refused_before_it_is_read(agent: HttpCaller) -> None:
    async def never_sent() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""  # type: ignore[unreachable]  # what makes it a generator

    response = agent.post(HEARTBEATS, content=never_sent(), headers={"Content-Length": "999999999"})
    _assert_problem(response, ErrorCode.BODY_TOO_LARGE)


def test_a_body_without_a_length_is_refused_at_the_limit(agent: HttpCaller, settings: Settings) -> None:
    chunk = b" " * 65536

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield chunk

    _assert_problem(agent.post(HEARTBEATS, content=endless()), ErrorCode.BODY_TOO_LARGE)


def test_a_gzip_bomb_is_refused_at_the_limit(agent: HttpCaller) -> None:
    bomb = gzip.compress(b" " * 300_000_000)
    assert len(bomb) < 1_000_000
    response = agent.post(HEARTBEATS, content=bomb, headers={"Content-Encoding": "gzip"})
    _assert_problem(response, ErrorCode.BODY_TOO_LARGE)
    assert response.json()["details"]["limits"]["maxDecompressedBytes"] == 16 * 1024 * 1024


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"more"])
def test_a_broken_gzip_body_is_a_problem(agent: HttpCaller, body: bytes) -> None:
    response = agent.post(HEARTBEATS, content=body, headers={"Content-Encoding": "gzip"})
    _assert_problem(response, ErrorCode.MALFORMED_JSON)


def test_a_gzip_body_is_read(agent: HttpCaller) -> None:
    response = agent.post(HEARTBEATS, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    _assert_problem(response, ErrorCode.VALIDATION_FAILED)


@pytest.mark.parametrize("header", [{"Content-Type": "text/csv"}, {"Content-Encoding": "br"}])
def test_a_body_of_another_kind_is_a_problem(agent: HttpCaller, header: dict[str, str]) -> None:
    _assert_problem(agent.post(HEARTBEATS, content=b"{}", headers=header), ErrorCode.UNSUPPORTED_MEDIA_TYPE)


def test_an_unexpected_fault_is_a_problem_that_tells_nothing_of_the_inside(
    app: FastAPI, http: HttpCaller
) -> None:
    async def break_down() -> None:
        raise RuntimeError("the password is hunter2")

    app.add_api_route("/broken", break_down)
    response = http.get("/broken")
    _assert_problem(response, ErrorCode.INTERNAL_ERROR)
    assert "hunter2" not in response.text


def test_a_database_that_is_away_is_a_problem_that_says_when_to_come_back(settings: Settings) -> None:
    app = create_app(settings, Database("postgresql://nobody@127.0.0.1:1/nowhere"))
    with start_blocking_portal() as portal:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://headquarters")
        response = HttpCaller(portal, client, "tst_x").get(STORES)
        portal.call(client.aclose)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["errorCode"] == "UNAVAILABLE"


@pytest.mark.parametrize("sane", ["req-pos-001", "a", "0af7651916cd43dd8448eb211c80319c"])
def test_a_sane_request_id_is_taken(http: HttpCaller, sane: str) -> None:
    assert http.get("/health/live", headers={"X-Request-Id": sane}).headers["x-request-id"] == sane


@pytest.mark.parametrize("other", ["", "two words", "x" * 101, 'a"b', "-x", "\xe9"])
def test_any_other_request_id_is_replaced(http: HttpCaller, other: str) -> None:
    given = http.get("/health/live", headers={"X-Request-Id": other.encode("latin-1")}).headers[
        "x-request-id"
    ]
    assert given.startswith("req-")
    assert len(given) == 28


def test_two_requests_have_two_ids(http: HttpCaller) -> None:
    ids = {http.get("/health/live").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
