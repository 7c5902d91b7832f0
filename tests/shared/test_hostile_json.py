"""Whatever bytes come in, they end in JsonError, in violations that can be sent back, or in a batch; nothing else."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.canonical_json import canonical_bytes
from shared.event_batch import EventBatch, read_batch
from shared.problems import ErrorCode, Problem, Violation
from shared.wire_json import MAX_DEPTH, JsonError, decode_json, encode_json
from tests.shared.json_values import HOSTILE, hostile_events, json_values

NOW = datetime(2026, 2, 10, 23, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "document",
    [
        b"", b" ", b"{", b"[1,]", b"{'a':1}", b"nul", b"NaN", b"[Infinity]", b"-Infinity", b"1.", b"01", b"+1", b".5",
        b"0x10", b'"\xff"', b'"\\ud800"', b'"\\udc00"', b'"\\ud800\\u0041"', b'"\xed\xa0\x80"', b'"\\x41"', b'"\t"',
        b"{} {}", b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), "{}".encode("utf-32"), b"\x00", b"1" * 5000,
        b"-" + b"9" * 5000, b"1e99999999999999999999", b"[" * 100_000, b'{"a":' * 100_000, b"[" * 40 + b"]" * 40,
    ],
)  # fmt: skip
def test_what_is_no_json_ends_in_one_error(document: bytes) -> None:
    with pytest.raises(JsonError, match="the JSON is"):
        decode_json(document)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_end_in_a_value_or_in_one_error(document: bytes) -> None:
    try:
        value = decode_json(document)
    except JsonError:
        return
    assert decode_json(encode_json(value)) == value


@given(st.text("0123456789-+.eE", max_size=30))
def test_whatever_looks_like_a_number_is_exact_or_refused(text: str) -> None:
    try:
        value = decode_json(text.encode())
    except JsonError:
        return
    assert type(value) in (int, Decimal)
    assert value == Decimal(text)


def test_no_number_is_ever_a_float_and_no_boolean_a_number() -> None:
    value = decode_json(b"[1, 1.5, 1e5, 12345678901234567890, -0.0, true, 1e400]")
    assert [type(each) for each in value] == [int, Decimal, Decimal, int, Decimal, bool, Decimal]


def test_nesting_is_allowed_up_to_its_limit() -> None:
    assert decode_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(JsonError, match="deeper"):
        decode_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_of_a_key_that_comes_twice_the_last_one_counts() -> None:
    assert decode_json(b'{"quantity":1,"quantity":2}') == {"quantity": 2}


def _end_of(raw: Any) -> EventBatch | list[Violation]:
    """What reading a batch ends in, after a look at everything that is then done with it."""
    result = read_batch(raw, 50)
    if isinstance(result, EventBatch):
        assert all(len(event.content_hash) == 32 for event in result.events)
        assert [encode_json(event.extra) for event in result.events]
        return result
    assert result
    for violation in result:
        assert isinstance(violation, Violation)
        assert violation.constraint.strip()
    problem = Problem(
        code=ErrorCode.VALIDATION_FAILED, message="no", timestamp=NOW, request_id="r", violations=result
    )
    assert decode_json(encode_json(problem.to_wire()))
    return result


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_any_json_value_is_a_batch_or_is_refused_with_violations(raw: Any) -> None:
    _end_of(raw)


@settings(max_examples=500, deadline=None)
@given(st.lists(hostile_events() | HOSTILE, max_size=3), st.dictionaries(
    st.sampled_from(["batchId", "postedAt", "streamId", "contentHash", "timezoneData", "events"]), HOSTILE, max_size=2
))  # fmt: skip
def test_any_events_make_a_batch_or_are_refused_with_violations(
    events: list[Any], odd: dict[str, Any]
) -> None:
    sound = {"batchId": "B-1", "postedAt": "2026-02-10T23:00:00Z", "events": events}
    result = _end_of({**sound, **odd})
    if isinstance(result, list):
        fields = ("", "batchId", "postedAt", "streamId", "contentHash", "timezoneData", "events")
        assert all(each.field.startswith("events[") or each.field in fields for each in result)


@given(json_values())
def test_a_rejected_value_goes_back_as_it_came_unless_it_is_long(value: Any) -> None:
    shown = Violation("field", "constraint", value).to_wire()["rejectedValue"]
    if len(str(value)) <= 200:
        assert canonical_bytes(shown) == canonical_bytes(value)
    else:
        assert len(shown) == 201
