"""One byte form for one meaning: what makes two events the same event, and what makes them two."""

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from shared.canonical_json import canonical_bytes, canonical_hash, canonical_value, hash_of_canonical
from shared.pos_event import PosEvent, read_event
from shared.wire_json import decode_json, encode_json
from tests.shared.json_values import json_values

SALE = {"type": "SALE", "itemId": "item-001", "quantity": 2, "amount": Decimal("50.00")}


def content_hash(**fields: Any) -> str:
    """The content hash of an ordinary sale with these fields set; a field of None is absent."""
    event = read_event({**SALE, **fields}, "events[0]")
    assert isinstance(event, PosEvent), event
    return event.content_hash.hex()


@pytest.mark.parametrize("field", ["quantity", "amount", "unitCost", "taxAmount", "discountAmount"])
@pytest.mark.parametrize("spelled", ["2.00", '"2.00"', '"2"', "2e0", "0.2E1", "20e-1", '"2e0"'])
def test_the_same_number_in_a_known_field_is_the_same_content_however_it_is_spelled(
    field: str, spelled: str
) -> None:
    assert content_hash(**{field: decode_json(spelled.encode())}) == content_hash(**{field: 2})


@pytest.mark.parametrize("spelled", ["2.00", "2e0", "20e-1"])
def test_numbers_in_unknown_fields_and_tenders_are_normalised_too(spelled: str) -> None:
    number = decode_json(spelled.encode())
    assert content_hash(loyalty={"points": [number]}) == content_hash(loyalty={"points": [2]})
    one, other = ([{"type": "CASH", "amount": each}] for each in (number, "2"))
    assert content_hash(tenders=one) == content_hash(tenders=other)


def test_text_in_an_unknown_field_is_text_even_where_it_looks_like_a_number() -> None:
    assert content_hash(note="2.00") != content_hash(note="2")
    assert content_hash(note="2") != content_hash(note=2)


@pytest.mark.parametrize(
    "spelled",
    [
        "2026-02-10T18:00:00-05:00",
        "2026-02-11T04:45:00+05:45",
        "2026-02-10 23:00Z",
        "2026-02-10T23:00:00.000Z",
    ],
)
def test_one_instant_is_the_same_content_in_every_zone(spelled: str) -> None:
    assert content_hash(occurredAt=spelled) == content_hash(occurredAt="2026-02-10T23:00:00Z")


def test_a_bare_local_time_is_kept_as_the_till_wrote_it() -> None:
    assert content_hash(occurredAt="2026-02-10T23:00:00") != content_hash(occurredAt="2026-02-10T23:00:00Z")
    assert content_hash(occurredAt="2026-02-10 23:00:00") != content_hash(occurredAt="2026-02-10T23:00:00")


@pytest.mark.parametrize(
    "field", ["saleId", "occurredAt", "tenders", "taxAmount", "fieldOfTomorrow", "lineNumber"]
)
def test_null_is_the_same_as_absent(field: str) -> None:
    assert content_hash(**{field: None}) == content_hash()


def test_null_inside_an_unknown_object_is_absent_and_inside_a_list_is_not() -> None:
    assert content_hash(loyalty={"card": None}) == content_hash(loyalty={})
    assert content_hash(loyalty=[None]) != content_hash(loyalty=[])


def test_the_order_of_fields_does_not_matter() -> None:
    backwards = dict(reversed(SALE.items()))
    event = read_event(backwards, "events[0]")
    assert isinstance(event, PosEvent)
    assert event.content_hash.hex() == content_hash()


def test_an_unknown_field_is_part_of_the_content() -> None:
    assert (
        len(
            {
                content_hash(),
                content_hash(fieldOfTomorrow=1),
                content_hash(fieldOfTomorrow=2),
                content_hash(a=1),
            }
        )
        == 4
    )


@pytest.mark.parametrize(
    "field", ["saleId", "transactionNumber", "workstationId", "cashierId", "barcode", "originalSaleId"]
)
def test_a_till_s_number_is_the_same_as_number_and_as_text(field: str) -> None:
    assert content_hash(**{field: 4711}) == content_hash(**{field: "4711"})


def test_identity_sequence_and_stamp_are_no_content() -> None:
    stamp = {
        "businessDate": "2026-02-10",
        "occurredAt": "2026-02-10T23:00:00Z",
        "timeReading": "ARRIVAL",
        "receivedAt": "2026-02-10T23:00:00Z",
        "groupFirst": 7,
        "groupSize": 1,
    }
    assert content_hash(eventId="e-1", streamId="s-1", sequence=7, stamp=stamp) == content_hash()


def test_the_canonical_form_is_utf_8_without_white_space_and_with_sorted_keys() -> None:
    value = {"b": [1, Decimal("2.50"), True, None], "ä": 'é\n"\x1f', "a": {"z": None, "y": "/"}}
    expected = '{"a":{"y":"/"},"b":[1,2.5,true,null],"ä":"é\\n\\"\\u001f"}'
    assert canonical_bytes(value).decode() == expected


def test_the_content_hash_is_sha_256_over_the_canonical_form() -> None:
    canonical = b'{"amount":50,"itemId":"item-001","quantity":2,"type":"SALE"}'
    assert content_hash() == hashlib.sha256(canonical).hexdigest()


def test_integers_of_any_size_are_kept_whole_up_to_the_limit_of_digits() -> None:
    assert canonical_bytes([10**50, -(10**50), 2**63, 1e3 and Decimal("1e3")]) == (
        b"[1" + b"0" * 50 + b",-1" + b"0" * 50 + b",9223372036854775808,1000]"
    )
    with pytest.raises(ValueError, match="digits"):
        canonical_bytes(10**70)


def test_what_is_no_json_has_no_canonical_form() -> None:
    with pytest.raises(TypeError, match="float"):
        canonical_value(0.5)


@given(json_values())
def test_the_canonical_form_is_read_as_what_it_was_made_of(value: Any) -> None:
    once = canonical_bytes(value)
    assert canonical_bytes(decode_json(once)) == once
    assert canonical_bytes(decode_json(encode_json(value))) == once
    assert hash_of_canonical(canonical_value(value)) == canonical_hash(value) == hashlib.sha256(once).digest()
