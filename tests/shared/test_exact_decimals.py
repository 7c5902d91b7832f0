"""No digit of money or quantity is lost between a till's JSON and ours, and there is one spelling for one number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical_json import canonical_bytes
from shared.exact_decimal import (
    MAX_FRACTION_DIGITS,
    MAX_INTEGER_DIGITS,
    MAX_NUMBER_DIGITS,
    exact_arithmetic,
    parse,
    plain,
    shortest,
)
from shared.pos_event import PosEvent, read_event
from shared.quantity import parse_quantity, require_positive
from shared.wire_json import decode_json, encode_json

LONG = "12345678901234567.89"
SPELLINGS = ["2", "2.0", "2.00", "2e0", "2E+0", "0.2e1", "20e-1", '"2"', '"2.00"', '"0.2e1"']


def _sale(**fields: object) -> PosEvent:
    event = read_event(
        {"type": "SALE", "itemId": "item-001", "quantity": 1, "amount": 1, **fields}, "events[0]"
    )
    assert isinstance(event, PosEvent), event
    return event


def test_a_long_amount_leaves_with_the_digits_it_came_with() -> None:
    assert encode_json(decode_json(LONG.encode())) == LONG.encode()


@pytest.mark.parametrize("spelled", [LONG, f'"{LONG}"'])
def test_a_long_amount_is_read_exactly_as_number_and_as_text(spelled: str) -> None:
    event = _sale(amount=decode_json(spelled.encode()))
    assert event.amount == Decimal(LONG)
    assert encode_json(event.amount) == LONG.encode()


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=9, max_value=10**18 - 1, min_value=-(10**18) + 1
    )
)
def test_every_number_within_the_limits_survives_the_wire(number: Decimal) -> None:
    text = plain(number)
    assert plain(parse(decode_json(text.encode()))) == text
    assert plain(parse(text)) == text
    assert decode_json(encode_json(parse(text))) == number


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_one_number_has_one_plain_spelling(spelled: str) -> None:
    assert plain(parse(decode_json(spelled.encode()))) == "2"


@pytest.mark.parametrize(
    ("number", "text"),
    [("2.00", "2"), ("1E+3", "1000"), ("-0", "0"), ("0E-9", "0"), ("-1.50", "-1.5"), ("1E-7", "0.0000001")],
)
def test_the_plain_spelling_has_no_exponent_and_no_idle_zeros(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
    assert canonical_bytes(Decimal(number)) == text.encode()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_shortest_is_the_same_number_as_plain_spells(number: Decimal) -> None:
    try:
        text = plain(number)
    except ValueError:
        return
    assert shortest(number) == number
    assert format(shortest(number), "f") == text


@pytest.mark.parametrize(
    "number", ["NaN", "sNaN", "Infinity", "-Infinity", "1e61", "1e9999999", "1e-9999999"]
)
def test_what_is_no_plain_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="must"):
        plain(Decimal(number))
    with pytest.raises(ValueError, match="must"):
        shortest(Decimal(number))


def test_a_number_of_more_digits_than_are_kept_is_refused_and_never_rounded() -> None:
    longest = "1." + "1" * (MAX_NUMBER_DIGITS - 1)
    assert str(shortest(Decimal(longest))) == longest
    with pytest.raises(ValueError, match="digits"):
        shortest(Decimal(longest + "1" * 70))


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        "",
        " 2",
        "2 ",
        "2.",
        ".5",
        "+2",
        "1_000",
        "0x10",
        "NaN",
        "Infinity",
        "٢",
        "2\n",
        2.0,
        [],
        {},
    ],
)
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a decimal number"):
        parse(value)


@pytest.mark.parametrize(
    "value", [10**MAX_INTEGER_DIGITS, Decimal("1e18"), "-1e18", Decimal("1e999999999999")]
)
def test_a_number_that_nobody_means_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_INTEGER_DIGITS} digits before the decimal point"):
        parse(value)


@pytest.mark.parametrize(
    "value", ["0.0000000001", Decimal("1e-10"), Decimal("1e-999999999999"), Decimal("0." + "1" * 31)]
)
def test_a_number_finer_than_any_scale_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_FRACTION_DIGITS} digits after the decimal point"):
        parse(value)


def test_products_of_the_largest_numbers_lose_no_digit() -> None:
    quantity, cost = Decimal("999999999999999999.999999999"), Decimal(LONG)
    with exact_arithmetic():
        worth = quantity * cost
        assert worth + cost - worth == cost
        assert worth / quantity == cost


def test_a_quantity_is_exact_and_names_the_spec_s_constraint() -> None:
    assert parse_quantity("0.125") == Decimal("0.125")
    with pytest.raises(ValueError, match=r"^Quantity must be greater than zero$"):
        require_positive("Quantity", Decimal(0))
