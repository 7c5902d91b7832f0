"""The specification's examples, letter by letter: both requests as they stand, and the error they may end in."""

from datetime import UTC, datetime
from decimal import Decimal

from shared.clock import read_instant
from shared.event_batch import BATCH_FAILED, EventBatch, read_batch
from shared.problems import ErrorCode, Problem
from shared.protocol import pos_batches_path
from shared.wire_json import decode_json, encode_json
from tests.contract.specification import example_error, example_request

BATCH = example_request("pos-batches", "STORE-01")


def test_the_example_batch_is_understood() -> None:
    batch = read_batch(decode_json(BATCH.body), 2000)
    assert isinstance(batch, EventBatch), batch
    assert (batch.batch_id, batch.posted_at) == ("BATCH-2026-02-10", "2026-02-10T23:00:00Z")
    (event,) = batch.events
    assert (event.type, event.item_id, event.quantity) == ("SALE", "item-001", Decimal(2))
    assert str(event.amount) == "50.00"
    assert event.event_id is None


def test_the_example_batch_goes_to_the_path_that_agents_use() -> None:
    assert (BATCH.method, BATCH.path) == ("POST", pos_batches_path("STORE-01"))
    assert BATCH.headers == {"Content-Type": "application/json"}


def test_the_example_error_is_what_a_quantity_of_zero_ends_in() -> None:
    status, body = example_error()
    raw = decode_json(BATCH.body)
    raw["events"][0]["quantity"] = 0
    violations = read_batch(raw, 2000)
    assert isinstance(violations, list)
    problem = Problem(
        code=ErrorCode.VALIDATION_FAILED,
        message=BATCH_FAILED,
        timestamp=read_instant("2026-02-10T23:05:00Z"),
        request_id="req-pos-001",
        violations=violations,
    )
    assert problem.code.http_status == status
    assert encode_json(problem.to_wire()) == encode_json(decode_json(body))


def test_a_problem_without_violations_has_the_same_shape() -> None:
    problem = Problem(
        code=ErrorCode.UNAVAILABLE,
        message="later",
        timestamp=datetime(2026, 2, 10, 23, 5, 0, 500_000, tzinfo=UTC),
        request_id="req-1",
        details={"limit": Decimal("1.50")},
    )
    assert encode_json(problem.to_wire()) == (
        b'{"errorCode":"UNAVAILABLE","message":"later","timestamp":"2026-02-10T23:05:00.500000Z",'
        b'"requestId":"req-1","details":{"limit":1.50}}'
    )
    assert problem.code.retryable
