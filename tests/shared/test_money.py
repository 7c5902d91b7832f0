"""Amounts in a currency: rounding half-even to its coin, and shares that lose no cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import minor_digits, minor_unit, round_to, split_by_weights

CENT = Decimal("0.01")
CENTS = st.integers(-(10**15), 10**15).map(lambda cents: Decimal(cents).scaleb(-2))
WEIGHTS = st.lists(st.decimals(0, 10**12, allow_nan=False, places=4), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("currency", "digits"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XYZ", 2)]
)
def test_a_currency_has_the_coins_of_its_standard(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits
    assert minor_unit(currency) == Decimal(1).scaleb(-digits)


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.005", "0.00"), ("0.015", "0.02"), ("-0.025", "-0.02"), ("1", "1.00")]
)
def test_half_a_cent_goes_to_the_even_one(amount: str, cents: str) -> None:
    assert str(round_to(Decimal(amount), CENT)) == cents


@given(CENTS, WEIGHTS)
def test_shares_sum_to_the_total_and_each_is_within_a_coin_of_its_part(
    total: Decimal, weights: list[Decimal]
) -> None:
    shares = split_by_weights(total, weights, CENT)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        part = total * weight / whole if whole else total / len(weights)
        assert abs(share - part) <= CENT
        assert share == round_to(share, CENT)
        assert share == 0 or (share > 0) == (total > 0)


@given(CENTS, WEIGHTS)
def test_the_same_split_is_made_every_time_and_a_void_is_its_mirror(
    total: Decimal, weights: list[Decimal]
) -> None:
    shares = split_by_weights(total, weights, CENT)
    assert split_by_weights(total, weights, CENT) == shares
    assert split_by_weights(-total, weights, CENT) == [-share for share in shares]


@given(CENTS, WEIGHTS)
def test_a_line_without_weight_gets_nothing_while_others_have_some(
    total: Decimal, weights: list[Decimal]
) -> None:
    shares = split_by_weights(total, [*weights, Decimal(0)], CENT)
    assert shares[-1] == 0 or not any(weights)


def test_the_cents_left_over_go_to_the_largest_remainders_the_first_first() -> None:
    assert split_by_weights(Decimal("0.05"), [Decimal(1)] * 3, CENT) == [
        Decimal("0.02"),
        Decimal("0.02"),
        Decimal("0.01"),
    ]
    assert split_by_weights(Decimal(10), [Decimal(1), Decimal(2)], CENT) == [Decimal("3.33"), Decimal("6.67")]


def test_weights_of_zero_count_as_equal() -> None:
    assert split_by_weights(Decimal("0.03"), [Decimal(0), Decimal(0)], CENT) == [
        Decimal("0.02"),
        Decimal("0.01"),
    ]


def test_a_total_finer_than_a_coin_is_split_without_losing_its_end() -> None:
    assert sum(split_by_weights(Decimal("1.005"), [Decimal(1)] * 7, CENT)) == Decimal("1.005")


def test_a_split_among_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one weight"):
        split_by_weights(Decimal(1), [], CENT)
