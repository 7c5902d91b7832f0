"""`POST /stores/{storeId}/pos-batches`: the spec's own request and error, to the letter, and every other answer."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.wire_json import decode_json, encode_json
from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.people.roles import Role
from tests.agent_stream import AgentStream
from tests.builders import build_agent, build_person, build_store, build_till
from tests.contract.specification import example_error, example_request
from tests.database_for_many import database_for_many
from tests.http_caller import HttpCaller
from tests.http_door import http_door
from tests.store_ledger import POSTED_AT, StoreLedger, assert_whole
from tests.till_events import sale

EXAMPLE = example_request("pos-batches", "STORE-01")
LONG = "12345678901234567.89"


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01."""
    return StoreLedger(database)


@pytest.fixture
def till(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """A till of STORE-01 that posts straight to headquarters."""
    return http.as_caller(build_till(store.database))


@pytest.fixture
def agent(store: StoreLedger, http: HttpCaller) -> HttpCaller:
    """The agent of STORE-01."""
    return http.as_caller(build_agent(store.database).credential)


@pytest.fixture(scope="module")
def refused(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpCaller]:
    """A till of a STORE-01 that never gets anything posted."""
    with (
        database_for_many(postgres, "test_refused_batches") as database,
        http_door(database, tmp_path_factory.mktemp("data")) as http,
    ):
        store = StoreLedger(database)
        yield http.as_caller(build_till(database))
        assert store.count("SELECT count(*) FROM pos_batch") == 0
        assert_whole(database)


def _post(caller: HttpCaller, document: Any, **options: Any) -> httpx.Response:
    return caller.post(EXAMPLE.path, content=encode_json(document), **options)


def _batch(*events: Any, **fields: Any) -> dict[str, Any]:
    return {"batchId": "B-1", "postedAt": POSTED_AT, "events": list(events) or [sale()], **fields}


def _violations(response: httpx.Response) -> list[str]:
    problem = decode_json(response.content)
    assert (response.status_code, problem["errorCode"]) == (422, "VALIDATION_FAILED"), response.text
    assert problem["message"] == "POS batch validation failed"
    return [each["field"] for each in problem["details"]["violations"]]


def test_the_specification_s_example_is_posted_once(store: StoreLedger, till: HttpCaller) -> None:
    first, again = (
        till.request(EXAMPLE.method, EXAMPLE.path, content=EXAMPLE.body, headers=EXAMPLE.headers)
        for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 200)
    expected = {
        "batchId": "BATCH-2026-02-10",
        "storeId": "STORE-01",
        "status": "POSTED",
        "duplicate": False,
        "accepted": 1,
        "duplicates": 0,
        "held": 0,
        "acknowledgedSequence": 0,
        "gaps": [],
        "commands": [],
        "serverTime": "2026-02-10T23:05:00Z",
    }
    answer = decode_json(first.content)
    assert {found["code"] for found in answer.pop("findings")} == {
        "UNKNOWN_ITEM",
        "COST_UNKNOWN",
        "NEGATIVE_STOCK",
    }
    assert answer == expected
    assert decode_json(again.content)["duplicate"] is True
    assert store.balances() == {"1000": "50", "4000": "-50"}
    assert store.stock() == ("-2", "0")
    store.check()


def test_the_specification_s_error_is_answered_to_the_letter(store: StoreLedger, till: HttpCaller) -> None:
    status, body = example_error()
    broken = EXAMPLE.body.replace(b'"quantity": 2', b'"quantity": 0')
    response = till.post(EXAMPLE.path, content=broken, headers={"X-Request-Id": "req-pos-001"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert decode_json(response.content) == decode_json(body)
    assert list(decode_json(response.content)) == list(decode_json(body))
    assert store.count("SELECT count(*) FROM pos_batch") == 0
    assert till.post(EXAMPLE.path, content=EXAMPLE.body).status_code == 201


def test_one_bad_event_and_nothing_of_its_batch_is_posted(store: StoreLedger, till: HttpCaller) -> None:
    response = _post(till, _batch(sale(), sale(0), sale(), sale(amount=-1, quantity="x")))
    assert _violations(response) == ["events[1].quantity", "events[3].quantity", "events[3].amount"]
    assert store.quantities() == {}
    assert _post(till, _batch(sale(eventId="e-1"))).status_code == 201
    store.check()


def test_a_long_amount_goes_in_and_comes_out_as_it_is(store: StoreLedger, till: HttpCaller) -> None:
    body = EXAMPLE.body.replace(b"50.00", LONG.encode())
    assert till.post(EXAMPLE.path, content=body).status_code == 201
    assert store.rows("SELECT amount::text FROM pos_event") == [(LONG,)]
    refused = till.post(EXAMPLE.path, content=body.replace(b'"quantity": 2', f'"quantity": -{LONG}'.encode()))
    assert f'"rejectedValue":-{LONG}'.encode() in refused.content


def test_the_same_batch_id_with_other_content_is_a_conflict(store: StoreLedger, till: HttpCaller) -> None:
    _post(till, _batch(sale(1)))
    response = _post(till, _batch(sale(2)))
    problem = decode_json(response.content)
    assert (response.status_code, problem["errorCode"]) == (409, "BATCH_CONFLICT")
    assert problem["details"] == {"batchId": "B-1"}
    store.check()


def test_an_agent_is_told_how_far_its_stream_has_arrived(store: StoreLedger, agent: HttpCaller) -> None:
    stream = AgentStream()
    events = stream.groups(sale(), sale())
    stream.skip(3)
    late = stream.groups(sale())
    body = encode_json(_batch(*events, *late, streamId=stream.stream_id))
    response = agent.post(EXAMPLE.path, content=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    answer = decode_json(response.content)
    assert (response.status_code, answer["acknowledgedSequence"], answer["gaps"]) == (201, 2, [[3, 5]])
    assert response.headers["x-tillsync-server"]
    store.check()


def test_events_are_known_to_have_come_from_whom(
    store: StoreLedger, agent: HttpCaller, till: HttpCaller
) -> None:
    stream = AgentStream()
    _post(till, _batch(batchId="B-2"))
    _post(agent, _batch(*stream.groups(sale()), streamId=stream.stream_id), headers={"X-Request-Id": "req-7"})
    batches = store.rows(
        "SELECT batch_id, channel, request_id LIKE 'req-%%' FROM pos_batch ORDER BY batch_id"
    )
    assert batches == [("B-1", "agent", True), ("B-2", "direct", True)]
    audited = store.rows(
        "SELECT actor_kind, action, subject FROM audit_entry WHERE action = 'batch.posted' ORDER BY subject"
    )
    assert audited == [("agent", "batch.posted", "B-1"), ("service", "batch.posted", "B-2")]
    store.check()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"batchId": NaN}',
        b'"\\ud800"',
        b"\xff",
        b"[" * 100_000,
        b'{"a":1' + b"0" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(refused: HttpCaller, body: bytes) -> None:
    response = refused.post(EXAMPLE.path, content=body)
    problem = decode_json(response.content)
    assert (response.status_code, problem["errorCode"]) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize("document", [None, [], 5, "batch", {}, {"events": {}}, {"events": []}])
def test_what_is_no_batch_is_refused_with_every_violation(refused: HttpCaller, document: object) -> None:
    assert _violations(_post(refused, document))


@pytest.mark.parametrize(
    "number", ["1e400", "1e9999999", "-1e9999999", "1e-9999999", "9" * 4000, "0." + "1" * 4000]
)
@pytest.mark.parametrize("field", ["quantity", "amount", "lineNumber", "unitCost", "unheardOf", "sequence"])
def test_a_number_that_nobody_means_is_a_violation_in_any_field(
    refused: HttpCaller, field: str, number: str
) -> None:
    event = f'{{"type":"SALE","itemId":"i","quantity":1,"amount":1,"{field}":{number}}}'
    body = f'{{"batchId":"B-1","postedAt":"{POSTED_AT}","events":[{event}]}}'
    assert _violations(refused.post(EXAMPLE.path, content=body.encode())) == [f"events[0].{field}"]


def test_more_events_than_the_limit_are_refused(refused: HttpCaller) -> None:
    assert _violations(_post(refused, _batch(*[sale()] * 2001))) == ["events"]


def test_a_body_over_the_limit_is_refused(refused: HttpCaller) -> None:
    response = refused.post(EXAMPLE.path, content=b" " * (4 * 1024 * 1024 + 1))
    assert (response.status_code, decode_json(response.content)["errorCode"]) == (413, "BODY_TOO_LARGE")


def test_a_store_takes_batches_from_its_own_tills_and_agents_alone(
    store: StoreLedger, agent: HttpCaller, till: HttpCaller, http: HttpCaller
) -> None:
    build_store(store.database, "STORE-02")
    elsewhere = EXAMPLE.path.replace("STORE-01", "STORE-02")
    nowhere = EXAMPLE.path.replace("STORE-01", "STORE-99")
    for path in (elsewhere, nowhere):
        assert agent.post(path, content=EXAMPLE.body).status_code == 403
        assert till.post(path, content=EXAMPLE.body).status_code == 403
    person = http.as_caller(build_person(store.database, "ada", Role.ADMIN, Role.STOCK_CONTROLLER))
    assert person.post(EXAMPLE.path, content=EXAMPLE.body).status_code == 403
    assert http.post(EXAMPLE.path, content=EXAMPLE.body).status_code == 401
    assert http.as_caller("tsd_nonsense").post(EXAMPLE.path, content=EXAMPLE.body).status_code == 401
    assert store.count("SELECT count(*) FROM pos_batch") == 0
    assert_whole(store.database)


def test_a_void_of_a_sale_that_said_anything_at_all_can_be_posted(
    store: StoreLedger, till: HttpCaller
) -> None:
    odd: dict[str, Any] = {"note": "a\x00b", "\x00": ["\u2028"], "loyalty": {"": None}}
    assert _post(till, _batch(sale(1, saleId="S-1", eventId="e-1", **odd))).status_code == 201
    void = {"type": "VOID", "voids": {"saleId": "S-1"}, "eventId": "v-1"}
    assert _post(till, _batch(void, batchId="B-2")).status_code == 201
    assert store.stock()[0] == "0"
    store.check()
