"""What is under way to a store of one item on one transfer, and what each step is worth. Pure.

    receive   takes goods out of transit at their legs' cost; beyond what was shipped at the store's average
    arrive    brings a leg in; what was received before it at another cost becomes cost variance
    settle    takes out what never came, or brings in what came too much

Where nothing is under way and nothing was received too early, both quantity and value are zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from shared.exact_decimal import exact_arithmetic
from shared.money import round_to

ZERO = Decimal(0)
Average = Callable[[Decimal], Decimal]
"""What a quantity (> 0) costs at the store's average."""


@dataclass(slots=True)
class Transit:
    """Arrived and not yet received; below zero: received and not yet shipped. `waiting`: legs that did not arrive yet.

    Quantities in the item's unit of measure, values in the store's currency.
    """

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    waiting_quantity: Decimal = ZERO
    waiting_value: Decimal = ZERO

    @property
    def is_even(self) -> bool:
        """Whether everything that was shipped is accounted for, as far as the store knows."""
        return not self.quantity and not self.value

    def receive(self, quantity: Decimal, average: Average, coin: Decimal) -> Decimal:
        """Takes `quantity` (> 0) out of transit; returns what it is worth.

        First what has arrived, then legs that are known and did not arrive yet, the rest at the average.
        """
        with exact_arithmetic():
            arrived = min(quantity, max(self.quantity, ZERO))
            worth = share(self.value, arrived, self.quantity, coin)
            # What was received too early has used up the first of what is waiting.
            free = max(self.waiting_quantity + min(self.quantity, ZERO), ZERO)
            known = min(quantity - arrived, free)
            worth += share(self.waiting_value, known, self.waiting_quantity, coin)
            beyond = quantity - arrived - known
            if beyond:
                worth += average(beyond)
            self.quantity -= quantity
            self.value -= worth
        return worth

    def put_back(self, quantity: Decimal, worth: Decimal) -> None:
        """Takes a receipt back, exactly."""
        with exact_arithmetic():
            self.quantity += quantity
            self.value += worth

    def arrive(self, quantity: Decimal, value: Decimal, coin: Decimal) -> Decimal:
        """Brings a leg of `quantity` (> 0) worth `value` in; returns the variance (debit if > 0).

        In transit takes `value` less the variance.
        """
        with exact_arithmetic():
            variance = ZERO
            early = -self.quantity
            if early > ZERO:
                covered = min(early, quantity)
                variance = share(value, covered, quantity, coin) + share(self.value, covered, early, coin)
            elif not early:
                variance = self.value
            self.quantity += quantity
            self.value += value - variance
        return variance

    def settle(self, quantity: Decimal, coin: Decimal) -> Decimal:
        """Brings what is under way nearer to zero by `quantity` (> 0); returns the change of its value, signed.

        Settling everything takes all of the value along, `quantity` may be zero for a value that is left alone.
        """
        with exact_arithmetic():
            left = abs(self.quantity)
            if quantity > left:
                raise ValueError("no more can be settled than differs")
            change = -(self.value if quantity == left else share(self.value, quantity, left, coin))
            self.quantity += quantity if self.quantity < ZERO else -quantity
            self.value += change
        return change


def share(value: Decimal, part: Decimal, whole: Decimal, coin: Decimal) -> Decimal:
    """What `part` of `whole` is worth where `whole` is worth `value`: all of it for the whole, else rounded."""
    if not part:
        return ZERO
    return value if part == whole else round_to(value * part / whole, coin)
