"""The quick reader of ordinary events and the careful one give the same event, hash and all, or the same refusal."""

from typing import Any

import pytest
from hypothesis import given, settings

from shared.event_batch import EventBatch, read_batch, read_batch_document
from shared.plain_event import is_printable, read_plain, read_plain_json
from shared.pos_event import PosEvent, read_carefully, read_event
from shared.problems import Violation
from shared.wire_json import JsonError, decode_json, encode_json
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


@settings(max_examples=600, deadline=None)
@given(till_events() | hostile_events())
def test_what_is_read_from_bytes_is_what_the_careful_reader_reads(raw: dict[str, Any]) -> None:
    document = encode_json(raw)
    quick = read_plain_json(document, printable=is_printable(document))
    assert quick is None or quick == read_carefully(decode_json(document), "events[0]")


@pytest.mark.parametrize(
    "event",
    [
        ORDINARY.replace(b'"quantity":2', b'"quantity":"2"'),
        ORDINARY.replace(b'"quantity":2', b'"quantity":"1_0"'),
        ORDINARY.replace(b'"quantity":2', b'"quantity":2.0'),
        ORDINARY.replace(b'"quantity":2', b'"quantity":true'),
        ORDINARY.replace(b'"quantity":2', b'"quantity":2,"quantity":3'),
        ORDINARY.replace(b'"itemId":"item-001"', b'"itemId":"item\\u0001"'),
        ORDINARY.replace(b'"itemId":"item-001"', b'"itemId":"item\x7f"'),
        ORDINARY.replace(b'"itemId":"item-001"', '"itemId":"Käse"'.encode()),
        ORDINARY.replace(b'"itemId":"item-001"', b'"itemId":5'),
        ORDINARY.replace(b'"lineNumber":1', b'"lineNumber":1.0'),
        ORDINARY.replace(b'"lineNumber":1', b'"sequence":1.0'),
        ORDINARY.replace(b'"lineNumber":1', b'"sequence":1e0'),
        ORDINARY.replace(b'"lineNumber":1', b'"stamp":{"groupFirst":1.0}'),
        ORDINARY.replace(b'"lineNumber":1', b'"tenders":[{"type":"CASH","amount":50.00,"till":{"no":1}}]'),
        ORDINARY.replace(b'"lineNumber":1', b'"tenders":[{"type":"CASH","amount":"x"}]'),
        ORDINARY.replace(
            b'"lineNumber":1', b'"tenders":[{"type":"CASH","amount":1,"n":' + b"[" * 40 + b"]" * 40 + b"}]"
        ),
        ORDINARY.replace(b'"lineNumber":1', b'"content hash (not on the wire)":"YQ=="'),
    ],
)
def test_a_batch_read_from_bytes_is_the_batch_read_from_its_values(event: bytes) -> None:
    for others in (b"", b',"unknown":{"a":1.50}', b',"streamId":"s"'):
        document = (
            b'{"batchId":"B","postedAt":"2026-02-10T23:00:00Z","events":[' + event + b"]" + others + b"}"
        )
        assert outcome(read_batch_document(document, 9)) == outcome(
            read_batch(decode_json(document, check_depth=False), 9)
        )


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"5",
        b'{"events":5}',
        b'{"events":[5,null,[]]}',
        b'{"events":[{"type":"SALE",}]}',
        b'{"events":[{"type":NaN}]}',
        b'{"events":[{"itemId":"\xff"}]}',
        b'{"batchId":"\xff","events":[]}',
        b'{"unknown":"\xff","events":[]}',
        b'{"events":[{"itemId":"\\ud800"}]}',
        b'{"events":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"events":[{"quantity":1e99999999999}]}',
    ],
)
def test_a_document_that_is_no_batch_is_refused_alike(document: bytes) -> None:
    def read_values() -> Any:
        return read_batch(decode_json(document, check_depth=False), 9)

    def outcome_of(read: Any) -> Any:
        try:
            return outcome(read())
        except JsonError as error:
            return str(error)

    assert outcome_of(lambda: read_batch_document(document, 9)) == outcome_of(read_values)


def outcome(result: EventBatch | list[Violation]) -> Any:
    """What can be compared of either: the events with their hash, or the violations."""
    return (result.events, result.content_hash) if isinstance(result, EventBatch) else result


def test_the_fields_of_an_event_stand_in_the_order_in_which_they_are_hashed() -> None:
    names = [name for name in PosEvent.__struct_encode_fields__ if " " not in name]
    assert names == sorted(names)


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


VOID = b"""{"type":"VOID","voids":{"saleId":"S-1","lineNumber":2},"eventId":"v-1","workstationId":"till-1"}"""


@pytest.mark.parametrize(
    "void",
    [
        VOID,
        VOID.replace(b'{"saleId":"S-1","lineNumber":2}', b'{"eventId":"e-1"}'),
        VOID.replace(b'{"saleId":"S-1","lineNumber":2}', b'"e-1"'),
        VOID.replace(b'"S-1"', b"5"),
        VOID.replace(b'"S-1"', b'""'),
        VOID.replace(b'"S-1"', b'"' + b"S" * 129 + b'"'),
        VOID.replace(b'"S-1"', b'"S\\n1"'),
        VOID.replace(b'"lineNumber":2', b'"lineNumber":-1'),
        VOID.replace(b'"lineNumber":2', b'"lineNumber":2.0'),
        VOID.replace(b'"lineNumber":2', b'"lineNumber":true'),
        VOID.replace(b'"lineNumber":2', b'"why":1.50'),
        VOID.replace(b'"workstationId"', b'"amount":5.00,"workstationId"'),
        VOID.replace(b'"workstationId"', b'"quantity":1,"workstationId"'),
        VOID.replace(b"VOID", b"SALE"),
        VOID.replace(b'"voids":{"saleId":"S-1","lineNumber":2},', b""),
    ],
)
def test_both_readers_agree_on_every_void(void: bytes) -> None:
    raw = decode_json(void, check_depth=False)
    assert read_event(raw, "events[0]") == read_carefully(raw, "events[0]")
    quick = read_plain_json(void, printable=is_printable(void))
    assert quick is None or quick == read_carefully(raw, "events[0]")
    both = b'{"batchId":"B","postedAt":"2026-02-10T23:00:00Z","events":[' + ORDINARY + b"," + void + b"]}"
    assert outcome(read_batch_document(both, 9)) == outcome(
        read_batch(decode_json(both, check_depth=False), 9)
    )


def test_an_ordinary_void_is_read_the_quick_way() -> None:
    assert read_plain(decode_json(VOID)) is not None


def test_a_batch_of_ordinary_events_still_has_each_of_them_as_it_came() -> None:
    both = b'{"batchId":"B","postedAt":"2026-02-10T23:00:00Z","events":[' + ORDINARY + b"," + VOID + b"]}"
    batch = read_batch_document(both, 9)
    assert isinstance(batch, EventBatch)
    assert [bytes(raw) for raw in batch.raw_events] == [ORDINARY, VOID]
