"""The quick reader of ordinary events and the careful one give the same event, hash and all, or the same refusal."""

from typing import Any

import pytest
from hypothesis import given, settings

from shared.plain_event import read_plain
from shared.pos_event import PosEvent, read_carefully, read_event
from shared.wire_json import decode_json
from tests.shared.json_values import hostile_events, till_events

ORDINARY = b"""{"type":"SALE","itemId":"item-001","quantity":2,"amount":50.00,"eventId":"e-1","saleId":"S-1",
"lineNumber":1,"occurredAt":"2026-02-10T18:00:00-05:00","businessDate":"2026-02-10","currency":"USD",
"taxAmount":0,"workstationId":"till-1","cashierId":"007"}"""


@settings(max_examples=600, deadline=None)
@given(till_events())
def test_both_readers_agree_on_what_tills_write(raw: dict[str, Any]) -> None:
    assert read_event(raw, "events[0]") == read_carefully(raw, "events[0]")


@settings(max_examples=300, deadline=None)
@given(hostile_events())
def test_both_readers_agree_on_what_nobody_should_write(raw: dict[str, Any]) -> None:
    assert read_event(raw, "events[0]") == read_carefully(raw, "events[0]")


@pytest.mark.parametrize(
    "number", ["20", "2e1", "0.0000001", "0.1000000000000000000000000000001", "1.10", "-0.0", "1e-9"]
)
@pytest.mark.parametrize("field", ["quantity", "amount", "unitCost", "taxAmount", "discountAmount"])
def test_both_readers_agree_on_every_number(number: str, field: str) -> None:
    raw = decode_json(ORDINARY) | {field: decode_json(number.encode())}
    assert read_event(raw, "events[0]") == read_carefully(raw, "events[0]")


def test_an_ordinary_event_is_read_the_quick_way() -> None:
    raw = decode_json(ORDINARY)
    assert read_plain(raw) is not None
    assert isinstance(read_event(raw, "events[0]"), PosEvent)
