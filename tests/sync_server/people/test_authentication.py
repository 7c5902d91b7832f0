"""Who may do what: default deny, roles by operation, one store for an agent, and a short memory of credentials."""

from datetime import timedelta

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from sync_server.app import OPEN_PATHS, _guarded
from sync_server.database import Database
from sync_server.openapi import permission_of
from sync_server.people.roles import PERSON_ROLES, SERVICE_ROLES, Role
from sync_server.people.tokens import issue_service_token
from tests.builders import OPERATOR, build_agent, build_person, build_store, build_till
from tests.http_caller import HttpCaller
from tests.set_clock import START, SetClock

API = "/api/v1/inventory"
READS = [f"{API}/stores", f"{API}/stores/STORE-01", f"{API}/findings", f"{API}/stores/STORE-01/profile"]


def test_every_route_that_is_not_named_open_asks_who_is_calling(app: FastAPI) -> None:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert {route.path for route in routes if permission_of(route) is None} == OPEN_PATHS


def test_an_application_with_an_unguarded_route_cannot_be_built() -> None:
    careless = APIRouter()
    careless.get("/everything")(lambda: None)
    with pytest.raises(LookupError, match="/everything asks for no permission"):
        _guarded(careless)


@pytest.mark.parametrize("role", sorted(PERSON_ROLES))
@pytest.mark.parametrize("path", READS)
def test_every_person_may_read(database: Database, http: HttpCaller, role: Role, path: str) -> None:
    build_store(database)
    assert http.as_caller(build_person(database, "ada", role)).get(path).status_code == 200


@pytest.mark.parametrize("key", ["", "tsd_unknown", "tst_unknown", "neither", "tst_" + "x" * 10_000])
def test_an_unknown_key_is_no_credential(http: HttpCaller, key: str) -> None:
    assert http.as_caller(key).get(READS[0]).status_code == 401


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "tst_x"])
def test_only_a_bearer_credential_counts(http: HttpCaller, header: str) -> None:
    assert http.get(READS[0], headers={"Authorization": header}).status_code == 401


def test_an_agent_may_not_do_what_people_do(database: Database, http: HttpCaller) -> None:
    build_store(database)
    agent = http.as_caller(build_agent(database).credential)
    for path in READS[:3]:
        assert agent.get(path).status_code == 403
    assert agent.get(READS[3]).status_code == 200


def test_an_agent_touches_its_own_store_alone_whatever_path_body_or_header_says(
    database: Database, http: HttpCaller
) -> None:
    build_store(database, "STORE-01")
    build_store(database, "STORE-02")
    agent = http.as_caller(build_agent(database, "STORE-01").credential)
    for other in ("STORE-02", "store-01", "STORE-01%2F..%2FSTORE-02", "STORE-99", "HEADQUARTERS"):
        for method, what in (("GET", "profile"), ("POST", "heartbeats"), ("POST", "pos-batches")):
            response = agent.request(
                method,
                f"{API}/stores/{other}/{what}",
                json={"storeId": "STORE-01"} if method == "POST" else None,
                headers={"X-Store-Id": "STORE-01"},
            )
            assert response.status_code in (403, 404), (other, what)


def test_a_person_may_not_pretend_to_be_an_agent(database: Database, http: HttpCaller) -> None:
    build_store(database)
    admin = http.as_caller(build_person(database, "ada", *PERSON_ROLES))
    for what in ("heartbeats", "day-digests", "pos-batches"):
        assert admin.post(f"{API}/stores/STORE-01/{what}", json={}).status_code == 403


def test_a_tills_token_is_for_its_store_alone(database: Database, http: HttpCaller) -> None:
    build_store(database, "STORE-01")
    build_store(database, "STORE-02")
    till = http.as_caller(build_till(database, "STORE-01"))
    assert till.post(f"{API}/stores/STORE-02/pos-batches", json={}).status_code == 403
    assert till.post(f"{API}/stores/STORE-01/pos-batches", json={}).status_code == 422
    assert till.get(f"{API}/stores").status_code == 403


@pytest.mark.parametrize("role", sorted(set(Role) - SERVICE_ROLES))
def test_a_service_cannot_hold_what_only_a_person_answers_for(database: Database, role: Role) -> None:
    from sync_server.errors import Invalid

    with pytest.raises(Invalid), database.unit_of_work() as work:
        issue_service_token(work, "robot", role.value, store=None, by=OPERATOR, now=START)


def test_a_key_is_kept_as_its_hash_alone(database: Database) -> None:
    build_store(database)
    keys = [build_agent(database).credential, build_person(database), build_till(database)]
    with database.reading() as work:
        tables = work.connection.execute(
            "SELECT string_agg(t::text, '') FROM (SELECT device::text FROM device UNION ALL "
            "SELECT api_token::text FROM api_token UNION ALL SELECT audit_entry::text FROM audit_entry) t"
        ).fetchone()
    assert tables is not None
    for key in keys:
        assert len(key) > 40
        assert key[13:] not in tables[0]


def test_a_revoked_key_dies_within_the_memory_of_credentials(
    database: Database, http: HttpCaller, clock: SetClock
) -> None:
    reader = http.as_caller(build_person(database))
    assert reader.get(READS[0]).status_code == 200
    with database.unit_of_work() as work:
        work.connection.execute("UPDATE api_token SET revoked_at = now()")
    assert reader.get(READS[0]).status_code == 200
    clock.advance(timedelta(seconds=11))
    assert reader.get(READS[0]).status_code == 401


def test_a_disabled_person_has_no_key(database: Database, http: HttpCaller) -> None:
    key = build_person(database)
    with database.unit_of_work() as work:
        work.connection.execute("UPDATE person SET disabled_at = now()")
    assert http.as_caller(key).get(READS[0]).status_code == 401


def test_an_expired_token_is_no_credential(database: Database, http: HttpCaller, clock: SetClock) -> None:
    build_store(database)
    with database.unit_of_work() as work:
        key = issue_service_token(
            work,
            "report",
            "viewer",
            store=None,
            by=OPERATOR,
            now=START,
            expires_at=START + timedelta(hours=1),
        )
    assert http.as_caller(key).get(READS[0]).status_code == 200
    clock.advance(timedelta(hours=2))
    assert http.as_caller(key).get(READS[0]).status_code == 401


def test_the_refusal_of_a_known_caller_is_audited(database: Database, http: HttpCaller) -> None:
    build_store(database)
    agent = build_agent(database)
    http.as_caller(agent.credential).get(READS[0], headers={"X-Request-Id": "req-7"})
    http.as_caller("tst_unknown").get(READS[0])
    with database.reading() as work:
        refusals = work.connection.execute(
            "SELECT store_no, actor_kind, actor, subject, request_id FROM audit_entry "
            "WHERE action = 'request.refused'"
        ).fetchall()
    assert refusals == [(0, "agent", str(agent.device_id), f"GET {READS[0]}", "req-7")]
