"""What a till event must hold to be understood, type by type, and how a violation names what does not."""

from decimal import Decimal
from typing import Any

import pytest

from shared.pos_event import MAX_FIELDS, EventType, PosEvent, check_event, read_event, said_instant
from shared.problems import Violation

WITH_ITEM = [each.value for each in EventType if each not in ("VOID", "DAY_CLOSE")]
POSITIVE = ["SALE", "RETURN", "RECEIPT", "TRANSFER_OUT", "TRANSFER_IN"]


def raw_event(**fields: Any) -> dict[str, Any]:
    """A sound event of any type; a field of None is absent."""
    everything = {"type": "SALE", "itemId": "item-001", "quantity": 1, "amount": 1, "reasonCode": "DAMAGE"}
    return {name: value for name, value in {**everything, **fields}.items() if value is not None}


def read(**fields: Any) -> PosEvent:
    """The event that `raw_event` states."""
    event = read_event(raw_event(**fields), "events[3]")
    assert isinstance(event, PosEvent), event
    return event


def violations(**fields: Any) -> dict[str, str]:
    """Constraint by field of what is wrong with `raw_event`."""
    return {found.field: found.constraint for found in check_event(raw_event(**fields), "events[3]")}


@pytest.mark.parametrize("kind", WITH_ITEM)
def test_an_event_that_moves_goods_names_an_item_and_a_quantity(kind: str) -> None:
    assert violations(type=kind) == {}
    assert violations(type=kind, itemId=None) == {"events[3].itemId": "Item id or barcode is required"}
    assert violations(type=kind, itemId=None, barcode="4006381333931") == {}
    assert violations(type=kind, quantity=None) == {"events[3].quantity": "Quantity is required"}


@pytest.mark.parametrize("kind", POSITIVE)
@pytest.mark.parametrize("quantity", [0, -1, Decimal("-0.5"), "0"])
def test_goods_that_move_are_more_than_none(kind: str, quantity: object) -> None:
    assert violations(type=kind, quantity=quantity) == {
        "events[3].quantity": "Quantity must be greater than zero"
    }


def test_a_count_may_find_nothing_and_never_less() -> None:
    assert violations(type="COUNT", quantity=0) == {}
    assert violations(type="COUNT", quantity=-1) == {
        "events[3].quantity": "Quantity must not be less than zero"
    }


def test_an_adjustment_goes_either_way_and_never_nowhere() -> None:
    assert violations(type="ADJUSTMENT", quantity=-3) == {}
    assert violations(type="ADJUSTMENT", quantity=0) == {"events[3].quantity": "Quantity must not be zero"}
    assert violations(type="ADJUSTMENT", reasonCode=None) == {
        "events[3].reasonCode": "Reason code is required"
    }


@pytest.mark.parametrize("kind", ["SALE", "RETURN"])
def test_a_sale_and_a_return_say_what_was_charged(kind: str) -> None:
    assert violations(type=kind, amount=None) == {"events[3].amount": "Amount is required"}
    assert violations(type=kind, amount=0) == {}
    assert violations(type=kind, amount=-1) == {"events[3].amount": "Amount must not be less than zero"}
    assert violations(type=kind, amount=1, taxAmount=2) == {
        "events[3].taxAmount": "Tax amount must not exceed the amount"
    }


def test_a_receipt_needs_no_amount() -> None:
    assert violations(type="RECEIPT", amount=None) == {}


def test_a_void_says_what_it_takes_back_and_needs_no_goods() -> None:
    bare = {"type": "VOID", "itemId": None, "quantity": None, "amount": None}
    assert violations(**bare, voids="e-1") == {}
    assert violations(**bare) == {
        "events[3].voids": "Voids is required: the event or sale that is taken back"
    }


@pytest.mark.parametrize(
    ("voids", "means"),
    [
        ("e-1", {"eventId": "e-1"}),
        (17, {"eventId": "17"}),
        ({"eventId": 17}, {"eventId": "17"}),
        ({"saleId": "S-1"}, {"saleId": "S-1"}),
        ({"saleId": 4711, "lineNumber": "2"}, {"saleId": "4711", "lineNumber": 2}),
        ({"saleId": "S-1", "lineNumber": None}, {"saleId": "S-1"}),
        ({"eventId": "e-1", "why": "wrong item"}, {"eventId": "e-1", "why": "wrong item"}),
    ],
)
def test_what_is_voided_is_named_by_event_or_by_sale_and_line(
    voids: object, means: dict[str, object]
) -> None:
    assert read(type="VOID", voids=voids).voids == means


def test_two_voids_that_differ_in_anything_said_are_two_contents() -> None:
    one, other = (read(type="VOID", voids={"eventId": "e-1", "why": why}) for why in ("a", "b"))
    assert one.content_hash != other.content_hash
    assert (
        read(type="VOID", voids="e-1").content_hash
        == read(type="VOID", voids={"eventId": "e-1"}).content_hash
    )


@pytest.mark.parametrize(
    "voids",
    [{}, [], True, {"lineNumber": 1}, {"eventId": ""}, {"saleId": []}, {"saleId": "S", "lineNumber": -1}],
)
def test_a_void_of_nothing_nameable_is_refused(voids: object) -> None:
    assert set(violations(type="VOID", voids=voids)) == {"events[3].voids"}


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [
        ("type", "SELL", "Type must be one of SALE, RETURN, VOID"),
        ("type", 1, "Type must be one of"),
        ("itemId", "", "Item id must be a text of 1 to 128 characters"),
        ("itemId", 5, "Item id must be a text"),
        ("barcode", 40.5, "Barcode must be a text"),
        ("quantity", True, "Quantity must be a decimal number"),
        ("quantity", "two", "Quantity must be a decimal number"),
        ("quantity", 10**18, "Quantity must have at most 18 digits before"),
        ("amount", Decimal("1e-10"), "Amount must have at most 9 digits after"),
        ("unitCost", -1, "Unit cost must not be less than zero"),
        ("lineNumber", Decimal("1.5"), "Line number must be a whole number"),
        ("lineNumber", Decimal("1e9999999"), "Line number must be a whole number"),
        ("occurredAt", "yesterday", "Time must be an ISO 8601 date-time"),
        ("occurredAt", "2026-02-10", "Time must be an ISO 8601 date-time"),
        ("occurredAt", "2026-02-10T25:00:00Z", "Time must be an ISO 8601 date-time"),
        ("occurredAt", 1770764400, "Time must be an ISO 8601 date-time"),
        ("businessDate", "2026-02-30", "Business date must be a calendar date"),
        ("businessDate", "20260210", "Business date must be a calendar date"),
        ("currency", "usd", "Currency must be a three-letter ISO 4217 code"),
        ("tenders", {}, "Tenders must be a list"),
        ("tenders", [1], "Tenders must be objects"),
        ("tenders", [{"type": "CASH"}], "Tender amount must be a decimal number"),
        ("tenders", [{"amount": 1}], "Tender type must be a text"),
        ("tenders", [{"type": "CASH", "amount": 1}] * 51, "Tenders must be a list of at most 50"),
        ("disposition", "BROKEN", "Disposition must be one of RESTOCK, DAMAGED"),
        ("fieldOfTomorrow", Decimal("1e99"), "fieldOfTomorrow must have at most 60 digits"),
    ],
)
def test_a_field_that_cannot_be_understood_is_named_with_what_must_hold(
    field: str, value: object, constraint: str
) -> None:
    found = check_event(raw_event(**{field: value}), "events[3]")
    assert [each.field for each in found] == [f"events[3].{field}"]
    assert found[0].constraint.startswith(constraint)
    assert found[0].rejected_value == value


def test_every_violation_of_an_event_is_named_at_once() -> None:
    found = violations(quantity=0, amount="x", currency="?", occurredAt="?")
    assert set(found) == {
        "events[3].quantity",
        "events[3].amount",
        "events[3].currency",
        "events[3].occurredAt",
    }


@pytest.mark.parametrize("raw", [None, 1, "SALE", [], [["type", "SALE"]], True])
def test_what_is_no_object_is_no_event(raw: object) -> None:
    assert check_event(raw, "events[3]") == [Violation("events[3]", "Event must be a JSON object", raw)]


def test_an_event_without_a_type_is_refused_for_that_alone() -> None:
    assert violations(type=None, quantity=-1) == {"events[3].type": "Type is required"}


def test_an_event_of_too_many_fields_is_refused() -> None:
    many = {f"field{number}": 1 for number in range(MAX_FIELDS)}
    assert violations(**many) == {"events[3]": f"Event must have at most {MAX_FIELDS} fields"}


def test_unknown_fields_are_kept() -> None:
    assert read(loyalty={"card": 7, "none": None}).extra == {"loyalty": {"card": 7}}


def test_a_time_with_an_offset_is_an_instant_and_a_bare_one_is_not() -> None:
    assert str(said_instant(read(occurredAt="2026-02-10T18:00:00-05:00"))) == "2026-02-10 23:00:00+00:00"
    assert said_instant(read(occurredAt="2026-02-10T18:00:00")) is None
    assert said_instant(read()) is None


@pytest.mark.parametrize("sequence", [0, -1, True, "1", Decimal("1.5"), 2**53, Decimal(10) ** 400])
def test_a_sequence_is_a_whole_number_from_one(sequence: object) -> None:
    assert set(violations(sequence=sequence)) == {"events[3].sequence"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("businessDate", "2026-02-30"),
        ("occurredAt", "2026-02-10T23:00:00"),
        ("receivedAt", "soon"),
        ("timeReading", 1),
        ("timeReading", "NUL\x00"),
        ("timeReading", "no reading at all"),
        ("groupFirst", 0),
        ("groupSize", 0),
        ("groupSize", None),
    ],
)
def test_a_stamp_that_no_agent_writes_is_refused(field: str, value: object) -> None:
    stamp = {
        "businessDate": "2026-02-10",
        "occurredAt": "2026-02-10T23:00:00Z",
        "timeReading": "OFFSET",
        "receivedAt": "2026-02-10T23:00:01Z",
        "groupFirst": 1,
        "groupSize": 1,
    }
    assert violations(stamp=stamp, sequence=1, eventId="e-1") == {}
    assert set(violations(stamp={**stamp, field: value})) == {"events[3].stamp"}
