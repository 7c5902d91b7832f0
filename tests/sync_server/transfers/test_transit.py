"""What is under way, decided purely: any order of shipping, arriving and receiving conserves quantity and value."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_server.transfers.transit import Transit

CENT = Decimal("0.01")


def exact(number: str) -> Decimal:
    """A number as an accountant writes it."""
    return Decimal(number)


def test_goods_are_received_at_their_legs_cost_and_take_the_last_cent_along() -> None:
    transit = Transit()
    assert transit.arrive(exact("3"), exact("10.00"), CENT) == 0
    worths = [transit.receive(exact("1"), lambda _: exact("99"), CENT) for _ in range(3)]
    assert worths == [exact("3.33"), exact("3.34"), exact("3.33")]
    assert transit.is_even


def test_what_comes_beyond_is_worth_the_average() -> None:
    transit = Transit()
    transit.arrive(exact("3"), exact("9.00"), CENT)
    assert transit.receive(exact("5"), lambda beyond: beyond * 7, CENT) == exact("23.00")
    assert (transit.quantity, transit.value) == (exact("-2"), exact("-14.00"))


def test_a_leg_covers_what_came_early_and_the_difference_is_variance() -> None:
    transit = Transit()
    transit.receive(exact("2"), lambda beyond: beyond * 7, CENT)
    # Two of three cost 8.00 of 12.00 and were received at 14.00: 6.00 too much.
    assert transit.arrive(exact("3"), exact("12.00"), CENT) == exact("-6.00")
    assert (transit.quantity, transit.value) == (exact("1"), exact("4.00"))


def test_a_leg_that_waits_gives_its_cost_but_only_once() -> None:
    transit = Transit(waiting_quantity=exact("4"), waiting_value=exact("16.00"))
    assert transit.receive(exact("3"), lambda beyond: beyond * 7, CENT) == exact("12.00")
    assert transit.receive(exact("3"), lambda beyond: beyond * 7, CENT) == exact("18.00")


def test_settling_takes_a_share_or_everything() -> None:
    transit = Transit()
    transit.arrive(exact("3"), exact("10.00"), CENT)
    assert transit.settle(exact("1"), CENT) == exact("-3.33")
    assert transit.settle(exact("2"), CENT) == exact("-6.67")
    assert transit.is_even
    transit.receive(exact("1"), lambda _: exact("5.00"), CENT)
    assert transit.settle(exact("1"), CENT) == exact("5.00")
    assert transit.is_even
    with pytest.raises(ValueError, match="no more"):
        transit.settle(exact("1"), CENT)


def test_a_value_that_is_left_alone_can_be_settled_by_itself() -> None:
    transit = Transit(value=exact("-2.00"))
    assert not transit.is_even
    assert transit.settle(Decimal(0), CENT) == exact("2.00")
    assert transit.is_even


@dataclass
class Model:
    """The same with nothing but sums: what went in, what came out, in quantity and in money."""

    arrived: Decimal = Decimal(0)
    arrived_value: Decimal = Decimal(0)
    received: Decimal = Decimal(0)
    received_value: Decimal = Decimal(0)
    settled: Decimal = Decimal(0)
    settled_value: Decimal = Decimal(0)
    variance: Decimal = Decimal(0)
    undo: list[tuple[Decimal, Decimal]] = field(default_factory=list)


quantities = st.decimals(min_value="0.001", max_value="1000", places=3)
values = st.decimals(min_value="0", max_value="10000", places=2)
steps = st.lists(
    st.tuples(st.sampled_from(["arrive", "receive", "put back", "settle"]), quantities, values), max_size=12
)


@given(steps=steps, cost=values)
def test_whatever_happens_in_whatever_order_quantity_and_money_are_conserved(
    steps: list[tuple[str, Decimal, Decimal]], cost: Decimal
) -> None:
    transit, model = Transit(), Model()
    for step, quantity, value in steps:
        _do(transit, model, step, quantity, value, cost)
        assert transit.quantity == model.arrived - model.received + model.settled
        # What 1410 took for the goods, less what receipts, settlements and cost variance had of it.
        left = model.arrived_value - model.variance - model.received_value + model.settled_value
        assert transit.value == left
    if transit.quantity:
        before = transit.value
        assert transit.settle(abs(transit.quantity), CENT) == -before
    elif transit.value:
        assert "put back" in [step for step, *_ in steps]
        transit.settle(Decimal(0), CENT)
    assert transit.is_even


def _do(transit: Transit, model: Model, step: str, quantity: Decimal, value: Decimal, cost: Decimal) -> None:
    if step == "arrive":
        model.variance += transit.arrive(quantity, value, CENT)
        model.arrived += quantity
        model.arrived_value += value
    elif step == "receive":
        worth = transit.receive(quantity, lambda beyond: (beyond * cost).quantize(CENT), CENT)
        model.received += quantity
        model.received_value += worth
        model.undo.append((quantity, worth))
    elif step == "put back" and model.undo:
        quantity, worth = model.undo.pop()
        transit.put_back(quantity, worth)
        model.received -= quantity
        model.received_value -= worth
    elif step == "settle" and transit.quantity:
        part = min(quantity, abs(transit.quantity))
        model.settled += part if transit.quantity < 0 else -part
        model.settled_value += transit.settle(part, CENT)


@given(legs=st.lists(st.tuples(quantities, values), min_size=1, max_size=4), data=st.data())
def test_without_early_goods_receipts_take_exactly_what_the_legs_brought(
    legs: list[tuple[Decimal, Decimal]], data: st.DataObject
) -> None:
    transit = Transit()
    for quantity, value in legs:
        assert transit.arrive(quantity, value, CENT) == 0
    received = Decimal(0)
    while transit.quantity:
        part = min(transit.quantity, data.draw(st.one_of(st.just(transit.quantity), quantities)))
        received += transit.receive(part, _nobody, CENT)
    assert received == sum(value for _, value in legs)
    assert transit.is_even


def _nobody(_: Decimal) -> Decimal:
    pytest.fail("nothing is received beyond what arrived")
