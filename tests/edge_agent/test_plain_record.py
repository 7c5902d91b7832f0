"""Records read straight from their bytes: the same event as by way of a decoded one, or decoded after all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.plain_record import PlainRecord, read_record
from edge_agent.sources.event_requests import read_records
from edge_agent.translation import group_key, translate, workstation_of
from shared.wire_json import decode_json, encode_json
from tests.edge_agent.builders import NEW_YORK
from tests.edge_agent.test_translation import ARRIVAL, wire

TEXTS = st.sampled_from(["T1", "17", "SALE-9", "BÄR", "a b", 'a"b', "a\\b", "stamp", "2026-02-10"])
NUMBERS = st.sampled_from([b"1", b"2.50", b"0.000", b"-3", b"1e1", b"12345678901234567.89", b'"7.10"']).map(
    decode_json
)
TIMES = st.sampled_from(["2026-02-10T23:30:00-05:00", "2026-02-10T12:00:00", "2026-02-10T12:00:00.25Z", "?"])
TENDERS = st.lists(st.fixed_dictionaries({"type": TEXTS, "amount": NUMBERS}, optional={"occurredAt": TIMES}))
LINES = st.fixed_dictionaries(
    {"type": st.sampled_from(["SALE", "RETURN", "VOID"]), "itemId": TEXTS, "quantity": NUMBERS, "amount": NUMBERS},
    optional={
        "eventId": TEXTS | st.none(),
        "saleId": TEXTS,
        "workstationId": TEXTS | st.just(4),
        "transactionNumber": TEXTS | st.just(17),
        "lineNumber": st.integers(0, 9),
        "occurredAt": TIMES,
        "businessDate": st.sampled_from(["2026-02-10", "2026-02-30", "2020-01-01"]),
        "discountAmount": NUMBERS,
        "tenders": TENDERS,
        "sequence": st.none() | st.just(1),
        "stamp": st.none(),
        "note": TEXTS,
    },
)  # fmt: skip


def translated(raw: Any) -> Any:
    result = translate(raw, "events[0]", NEW_YORK, ARRIVAL, None)
    return result if isinstance(result, list) else (result[0], result[1], wire(result[0]))


@given(LINES)
def test_whatever_a_till_says_both_ways_come_to_the_same_event(line: dict[str, Any]) -> None:
    document = encode_json(line)
    record, decoded = read_record(document), decode_json(document)
    assert (group_key(record), workstation_of(record)) == (group_key(decoded), workstation_of(decoded))
    quick, careful = translated(record), translated(decoded)
    if isinstance(careful, list):
        assert quick == careful
        return
    assert quick[0].content_hash == careful[0].content_hash
    assert quick[1] == careful[1]
    if line.get("eventId") is None and careful[0].event_id != quick[0].event_id:  # neither could be derived
        for event in (quick, careful):
            assert event[2].pop("eventId")
    assert quick[2] == careful[2]


LINE = {
    "type": "SALE", "saleId": "9", "lineNumber": 1, "workstationId": "TILL-3", "transactionNumber": "7", "quantity": 1,
    "occurredAt": "2026-02-10T23:30:00-05:00", "itemId": "856838", "amount": 3, "currency": "USD",
}  # fmt: skip


@pytest.mark.parametrize(
    "further",
    [{}, {"tenders": [{"type": "CASH", "amount": 5}]}, {"eventId": "e-1"}, {"businessDate": "2026-02-10"}],
)
def test_what_tills_mostly_send_is_kept_in_its_own_bytes(further: dict[str, Any]) -> None:
    document = encode_json({**LINE, **further})
    record = read_record(document + b"\n")
    assert type(record) is PlainRecord
    event = translated(record)[0]
    assert event.own_fields.startswith(document[:-1])


def test_a_basket_is_read_line_by_line_whether_as_array_or_as_ndjson() -> None:
    lines = [encode_json({**LINE, "lineNumber": number}) for number in range(3)]
    array = read_records(b"[" + b", ".join(lines) + b"]", "application/json")
    ndjson = read_records(b"\n".join(lines), "application/x-ndjson")
    assert [record.document for record in array] == [record.document for record in ndjson] == lines


@pytest.mark.parametrize(
    "document",
    [
        b'{"type": "SALE", "itemId": "i", "quantity": 1, "amount": 1}',
        b'{"type":"SALE","itemId":"\xc3\xa4","quantity":1,"amount":1}',
        b'{"type":"SALE","itemId":"i","quantity":1,"amount":1,"stamp":null}',
        b'{"type":"SALE","itemId":"i","quantity":1,"amount":1,"\\u0073equence":null}',
        b'{"type":"SALE","itemId":"i","quantity":1,"amount":1,"eventId":null}',
        b'{"type":"SALE","itemId":"i","quantity":1,"amount":1,"eventId":"a","eventId":null}',
    ],
)
def test_what_must_not_be_kept_in_its_own_bytes_is_decoded(document: bytes) -> None:
    record = read_record(document)
    assert record == decode_json(document)
    own_fields = translated(record)[0].own_fields
    assert own_fields == encode_json(decode_json(own_fields + b"}"))[:-1]  # no name twice, no white space


@pytest.mark.parametrize("body", [b"[", b'[{"type":]', b'[{"a":1}] x', b'["\xff"]', b'[{"a":"\\ud800"}]'])
def test_a_fault_in_an_array_is_placed_in_the_whole_document(body: bytes) -> None:
    with pytest.raises(ValueError, match="JSON") as whole:
        decode_json(body)
    with pytest.raises(Exception, match=str(whole.value)[-12:-1].replace("(", "\\(")):
        read_records(body, "application/json")
