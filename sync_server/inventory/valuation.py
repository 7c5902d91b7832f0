"""Moving-average cost per store and item, decided purely: a position and a movement in, money out.

Movement values are rounded half-even to the currency's minor unit, stock value is their sum, and the unit
cost is derived from it. While on hand is at or below zero the unit cost is frozen; the receipt that covers the
shortage posts the difference to cost variance, and so does value that would be left at zero quantity. History
is never revalued.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

UNIT_COST_DIGITS = 6
"""Digits after the point of a derived unit cost; it is for showing and for shortages, value is kept exactly."""

ZERO = Decimal(0)
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_subtract, _multiply, _divide, _quantize = _EXACT.subtract, _EXACT.multiply, _EXACT.divide, _EXACT.quantize
_COST_UNIT = Decimal(1).scaleb(-UNIT_COST_DIGITS)


class StockPosition(msgspec.Struct, gc=False):
    """Where a store stands with an item: quantity on hand, its value, and the unit cost frozen without stock.

    Ask `unit_cost_of` for the cost of a unit: while there is stock it follows from value and quantity.
    """

    on_hand: Decimal = ZERO
    value: Decimal = ZERO
    unit_cost: Decimal = ZERO


class Valuation(msgspec.Struct, frozen=True, gc=False):
    """What one movement is worth: `value` changes inventory, `variance` goes to cost variance (debit if > 0).

    `value + variance` is what the other account (COGS, goods received…) takes, with the same sign.
    """

    value: Decimal
    variance: Decimal


def unit_cost_of(position: StockPosition) -> Decimal:
    """What one unit costs: value over quantity while there is stock, the frozen cost while there is none."""
    if position.on_hand <= ZERO:
        return position.unit_cost
    return _EXACT.quantize(_EXACT.divide(position.value, position.on_hand), _COST_UNIT)


def current_cost(position: StockPosition, quantity: Decimal, unit: Decimal) -> Decimal:
    """What `quantity` (> 0) costs: at the average as far as on hand goes, beyond it at the frozen unit cost."""
    if position.on_hand <= ZERO:
        return _round(_EXACT.multiply(quantity, position.unit_cost), unit)
    if quantity <= position.on_hand:
        share = _EXACT.divide(_EXACT.multiply(position.value, quantity), position.on_hand)
        return _round(share, unit)
    beyond = _EXACT.multiply(_EXACT.subtract(quantity, position.on_hand), unit_cost_of(position))
    return _EXACT.add(position.value, _round(beyond, unit))


def issue(position: StockPosition, quantity: Decimal, unit: Decimal) -> Decimal:
    """Takes `quantity` (> 0) out of `position`, in place, and returns its current cost (≥ 0).

    Inventory gives all of it: goods that leave at their current cost leave no variance.
    """
    on_hand, value = position.on_hand, position.value
    after = _subtract(on_hand, quantity)
    if (
        after > ZERO
    ):  # nearly every sale; what remains keeps its share of the value, which is never below zero
        cost = _quantize(_divide(_multiply(value, quantity), on_hand), unit)
        position.on_hand, position.value = after, _subtract(value, cost)
        return cost
    cost = current_cost(position, quantity, unit)
    move(position, -quantity, -cost, unit)
    return cost


def worth_at(unit_cost: Decimal, quantity: Decimal, unit: Decimal) -> Decimal:
    """What `quantity` is worth at `unit_cost`, rounded half-even to `unit`."""
    return _round(_EXACT.multiply(quantity, unit_cost), unit)


def move(position: StockPosition, quantity: Decimal, worth: Decimal, unit: Decimal) -> Valuation:
    """Applies a movement of `quantity` (signed) worth `worth` (signed alike) to `position`, in place.

    `worth` is what the other account gives or takes; what of it inventory cannot hold becomes variance.
    """
    after = _EXACT.add(position.on_hand, quantity)
    if after > ZERO and position.on_hand > ZERO:
        target = _EXACT.add(position.value, worth)
        if target >= ZERO:  # nearly every movement: inventory holds all of it
            position.on_hand, position.value = after, target
            return Valuation(worth, ZERO)
    if after <= ZERO:
        position.unit_cost = unit_cost_of(position)
    target = _value_after(position, quantity, worth, after, unit)
    value = _EXACT.subtract(target, position.value)
    position.on_hand, position.value = after, target
    return Valuation(value=value, variance=_EXACT.subtract(worth, value))


def _value_after(
    position: StockPosition, quantity: Decimal, worth: Decimal, after: Decimal, unit: Decimal
) -> Decimal:
    if after == 0:
        return ZERO
    if quantity > 0 and position.on_hand < 0:
        if after > 0:
            return _round(_EXACT.divide(_EXACT.multiply(worth, after), quantity), unit)
        covered = _EXACT.multiply(quantity, position.unit_cost)
        return _EXACT.add(position.value, _round(covered, unit))
    target = _EXACT.add(position.value, worth)
    return max(target, ZERO) if after > 0 else target


def _round(amount: Decimal, unit: Decimal) -> Decimal:
    return _EXACT.quantize(amount, unit)
