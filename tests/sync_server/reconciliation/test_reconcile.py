"""`POST /stores/{storeId}/reconcile`: the spec's own request, exactly, once, and by whom it may be made."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.wire_json import decode_json, encode_json
from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.people.roles import Role
from tests.agent_stream import AgentStream
from tests.builders import build_agent, build_person, build_till
from tests.contract.specification import example_request
from tests.database_for_many import database_for_many
from tests.http_caller import HttpCaller
from tests.http_door import http_door
from tests.store_ledger import StoreLedger
from tests.till_events import sale

EXAMPLE = example_request("reconcile", "STORE-01")


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01."""
    return StoreLedger(database)


@pytest.fixture
def controller(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """A person who may open reconciliations."""
    return http.as_caller(build_person(store.database, "ada", Role.STOCK_CONTROLLER))


@pytest.fixture(scope="module")
def refused(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpCaller]:
    """A person at a STORE-01 where nothing that they ask is opened."""
    with (
        database_for_many(postgres, "test_refused_reconciliations") as database,
        http_door(database, tmp_path_factory.mktemp("data")) as http,
    ):
        store = StoreLedger(database)
        yield http.as_caller(build_person(database, "ada", Role.STOCK_CONTROLLER))
        assert store.count("SELECT count(*) FROM reconciliation") == 0
        store.check()


def _body(**changes: Any) -> bytes:
    body = {**decode_json(EXAMPLE.body), **changes}
    return encode_json({name: value for name, value in body.items() if value is not None})


def test_the_specification_s_example_opens_a_reconciliation(
    store: StoreLedger, controller: HttpCaller
) -> None:
    response = controller.request(EXAMPLE.method, EXAMPLE.path, content=EXAMPLE.body, headers=EXAMPLE.headers)
    assert response.status_code == 201, response.text
    assert b'"varianceAmount":-25.00' in response.content
    answer = decode_json(response.content)
    assert answer.pop("reconciliationId")
    assert answer == {
        "storeId": "STORE-01",
        "date": "2026-02-10",
        "varianceAmount": answer["varianceAmount"],
        "reason": "SHRINKAGE",
        "status": "OPEN",
        "complete": True,
    }
    assert store.balances() == {}
    store.check()


def test_the_identical_one_of_the_same_person_is_the_same(store: StoreLedger, controller: HttpCaller) -> None:
    first = controller.post(EXAMPLE.path, content=EXAMPLE.body)
    again = controller.post(EXAMPLE.path, content=_body(varianceAmount="-25.0"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert decode_json(again.content)["reconciliationId"] == decode_json(first.content)["reconciliationId"]
    assert store.count("SELECT count(*) FROM reconciliation") == 1
    store.check()


@pytest.mark.parametrize("change", [{"varianceAmount": -26}, {"reason": "THEFT"}, {"date": "2026-02-11"}])
def test_one_that_differs_is_another(
    store: StoreLedger, controller: HttpCaller, change: dict[str, Any]
) -> None:
    controller.post(EXAMPLE.path, content=EXAMPLE.body)
    assert controller.post(EXAMPLE.path, content=_body(**change)).status_code == 201
    assert store.count("SELECT count(*) FROM reconciliation") == 2
    store.check()


def test_another_person_s_is_another(store: StoreLedger, controller: HttpCaller, http: HttpCaller) -> None:
    controller.post(EXAMPLE.path, content=EXAMPLE.body)
    other = http.as_caller(build_person(store.database, "bob", Role.STOCK_CONTROLLER))
    assert other.post(EXAMPLE.path, content=EXAMPLE.body).status_code == 201
    store.check()


def test_it_is_complete_only_while_no_sequence_is_missing(store: StoreLedger, controller: HttpCaller) -> None:
    stream = AgentStream()
    stream.skip()
    store.post(*stream.groups(sale()), stream=stream)
    assert decode_json(controller.post(EXAMPLE.path, content=EXAMPLE.body).content)["complete"] is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", None),
        ("date", "2026-02-30"),
        ("date", "yesterday"),
        ("date", 20260210),
        ("date", 86400),
        ("date", "2026-02-10T00:00:00"),
        ("varianceAmount", None),
        ("varianceAmount", True),
        ("varianceAmount", "much"),
        ("varianceAmount", 10**18),
        ("varianceAmount", "0.0000000001"),
        ("varianceAmount", []),
        ("reason", None),
        ("reason", ""),
        ("reason", 5),
        ("reason", "a\x00b"),
    ],
)
def test_what_cannot_be_understood_is_named(refused: HttpCaller, field: str, value: object) -> None:
    response = refused.post(EXAMPLE.path, content=_body(**{field: value}))
    assert response.status_code == 422, response.text
    problem = decode_json(response.content)
    assert problem["errorCode"] == "VALIDATION_FAILED"
    assert [each["field"] for each in problem["details"]["violations"]] == [field]


def test_a_long_variance_is_kept_to_the_last_digit(store: StoreLedger, controller: HttpCaller) -> None:
    response = controller.post(EXAMPLE.path, content=_body(varianceAmount="-12345678901234567.89"))
    assert b'"varianceAmount":-12345678901234567.89' in response.content
    assert store.rows("SELECT variance_amount::text FROM reconciliation") == [("-12345678901234567.89",)]


def test_who_may_not_open_one_is_refused(store: StoreLedger, http: HttpCaller) -> None:
    agent, till = build_agent(store.database).credential, build_till(store.database)
    viewer = build_person(store.database, "eve", Role.VIEWER, Role.APPROVER)
    for key in (agent, till, viewer):
        assert http.as_caller(key).post(EXAMPLE.path, content=EXAMPLE.body).status_code == 403
    assert http.post(EXAMPLE.path, content=EXAMPLE.body).status_code == 401
    assert store.count("SELECT count(*) FROM reconciliation") == 0


def test_an_unknown_store_is_named(controller: HttpCaller) -> None:
    response = controller.post(EXAMPLE.path.replace("STORE-01", "STORE-99"), content=EXAMPLE.body)
    assert response.status_code == 404
    assert decode_json(response.content)["errorCode"] == "STORE_NOT_FOUND"
