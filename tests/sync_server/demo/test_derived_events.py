"""The seeded rule that makes returns and voids, which the data lacks."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sync_server.demo.derived_events import Derived, SoldLine, derive

SOLD_AT = datetime(2017, 9, 4, 17, 30, tzinfo=UTC)


def sold(number: int, quantity: str = "1", amount: str = "2.50", unit: str = "EA") -> SoldLine:
    """A line as it was sold."""
    return SoldLine(number, f"item-{number}", Decimal(quantity), Decimal(amount), unit)


def derived_of_many(unit: str = "EA", amount: str = "2.50", quantity: str = "1") -> list[Derived]:
    """What the rule makes of 2,000 baskets of ten lines."""
    lines = [sold(number, quantity, amount, unit) for number in range(1, 11)]
    return [one for basket in range(2000) for one in derive(basket, SOLD_AT, lines, "USD")]


def test_the_same_basket_always_gives_the_same_events() -> None:
    assert derived_of_many() == derived_of_many()


def test_the_rates_are_those_that_the_rule_states() -> None:
    derived = derived_of_many()
    baskets = sum(one.kind == "VOID" and one.line is None for one in derived)
    lines = sum(one.kind == "VOID" and one.line is not None for one in derived)
    returns = sum(one.kind == "RETURN" for one in derived)

    assert 4 <= baskets <= 14  # 4 in 1,000 of 2,000
    assert 40 <= lines <= 80  # 3 in 1,000 of 20,000
    assert 250 <= returns <= 350  # 15 in 1,000 of 20,000


def test_a_line_is_never_voided_and_returned() -> None:
    lines = [sold(number) for number in range(1, 11)]
    for basket in range(2000):
        derived = derive(basket, SOLD_AT, lines, "USD")
        touched = [one.line.line_number for one in derived if one.line]
        assert len(touched) == len(set(touched))
        assert len(derived) == 1 or all(one.line for one in derived)


def test_a_piece_comes_back_at_its_share_of_the_charge() -> None:
    returned = next(one for one in derived_of_many(quantity="3", amount="2.00") if one.kind == "RETURN")

    assert (returned.quantity, returned.amount) == (Decimal(1), Decimal("0.67"))


def test_returns_come_within_three_days_and_some_are_damaged() -> None:
    returns = [one for one in derived_of_many() if one.kind == "RETURN"]

    assert all(timedelta(hours=1) <= one.happens_at - SOLD_AT <= timedelta(hours=72) for one in returns)
    assert {one.disposition for one in returns} == {"RESTOCK", "DAMAGED"}


def test_fuel_and_free_lines_do_not_come_back() -> None:
    assert not [one for one in derived_of_many(unit="GAL") if one.kind == "RETURN"]
    assert not [one for one in derived_of_many(amount="0.00") if one.kind == "RETURN"]


def test_a_basket_without_lines_has_nothing_to_take_back() -> None:
    assert [one for basket in range(2000) for one in derive(basket, SOLD_AT, [], "USD")] == []
