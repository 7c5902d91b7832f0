"""What ought to become of one item and its reservations, written down a second time and as plainly as possible."""

from dataclasses import dataclass, field

SAFETY_STOCK = 2


@dataclass
class Promise:
    """One reservation: pieces by what has become of them."""

    wanted: int
    expires_at: int
    reserved: int
    shipped: int = 0
    billed: int = 0
    taken: int = 0
    ended: str = ""
    """RELEASED or EXPIRED, where something was given up."""

    def status(self, now: int) -> str:
        """What the API has to show."""
        if self.ended:
            return self.ended
        if not self.reserved:
            return "FULFILLED"
        return "OPEN" if now < self.expires_at else "EXPIRED"


@dataclass
class Sold:
    """A sold line: how many pieces, and what it had of which promise."""

    quantity: int
    promise: Promise | None = None
    billed: int = 0
    taken: int = 0


@dataclass
class ShelfModel:
    """Pieces of one item in one store; time in minutes."""

    on_hand: int
    now: int = 0
    promises: dict[str, Promise] = field(default_factory=dict)

    def available(self) -> int:
        """What a reservation may still be granted of."""
        promised = sum(p.reserved for p in self.promises.values() if p.status(self.now) == "OPEN")
        return max(0, self.on_hand - promised - SAFETY_STOCK)

    def ship(self, promise: Promise, quantity: int) -> None:
        """A fulfilment of an open promise."""
        self.on_hand -= quantity
        promise.reserved -= quantity
        promise.shipped += quantity

    def end(self, promise: Promise, how: str) -> None:
        """A release, or an expiry that is written down."""
        promise.reserved, promise.ended = 0, how

    def sell(self, quantity: int, promise: Promise | None) -> Sold:
        """A sale, with or without a promise."""
        sold = Sold(quantity)
        if promise is not None:
            sold.billed = min(quantity, promise.shipped - promise.billed)
            if promise.status(self.now) == "OPEN":
                sold.taken = min(quantity - sold.billed, promise.reserved)
            if sold.billed or sold.taken:
                sold.promise = promise
                promise.billed += sold.billed
                promise.taken += sold.taken
                promise.reserved -= sold.taken
        self.on_hand -= quantity - sold.billed
        return sold

    def void(self, sold: Sold) -> None:
        """A void of a line that stands."""
        self.on_hand += sold.quantity - sold.billed
        promise = sold.promise
        if promise is None:
            return
        status = promise.status(self.now)
        promise.billed -= sold.billed
        promise.taken -= sold.taken
        if sold.taken and not promise.ended:
            if self.now < promise.expires_at:
                promise.reserved += sold.taken
            elif status == "FULFILLED":
                promise.ended = "EXPIRED"
