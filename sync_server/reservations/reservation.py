"""A reservation and everything that can become of it, decided purely.

    OPEN ──▶ FULFILLED   all of it was shipped or sold
      ├────▶ RELEASED    nobody wants what remained of it
      └────▶ EXPIRED     its time was over

It may be fulfilled in parts and stays OPEN while something remains. Past its expiry it promises nothing any more,
whether or not somebody has written that down: whoever asks `is_open` gives the instant. Only a void opens a
reservation again, by giving back what the voided line took.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from shared.money import round_to

ZERO = Decimal(0)


class ReservationStatus(StrEnum):
    """Where a reservation stands."""

    OPEN = "OPEN"
    FULFILLED = "FULFILLED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class SoldPart:
    """What a sold line had of a reservation."""

    reservation_id: str
    billed: Decimal
    """Shipped before: the line moves no goods for it."""
    billed_cost: Decimal
    """What that cost when it was shipped."""
    taken: Decimal
    """Reserved until now; the line issues it."""


@dataclass(slots=True, kw_only=True)
class ReservedGoods:
    """A reservation under its store's lock; quantities in the item's unit, costs in the store's currency."""

    reservation_id: str
    item_no: int
    quantity: Decimal
    remaining: Decimal
    expires_at: datetime
    shipped: Decimal = ZERO
    shipped_cost: Decimal = ZERO
    billed: Decimal = ZERO
    billed_cost: Decimal = ZERO
    taken: Decimal = ZERO
    status: ReservationStatus = ReservationStatus.OPEN
    closed_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it still promises something at `now`."""
        return self.status is ReservationStatus.OPEN and now < self.expires_at

    def status_at(self, now: datetime) -> ReservationStatus:
        """What it is at `now`, also where nobody has written down yet that its time is over."""
        if self.status is ReservationStatus.OPEN and now >= self.expires_at:
            return ReservationStatus.EXPIRED
        return self.status

    def close(self, status: ReservationStatus, now: datetime) -> Decimal:
        """Ends it as RELEASED or EXPIRED; returns what is no longer reserved."""
        freed, self.remaining = self.remaining, ZERO
        self.status, self.closed_at = status, now
        return freed

    def ship(self, quantity: Decimal, cost: Decimal, now: datetime) -> None:
        """Fulfils `quantity` (at most what remains) with goods that cost `cost`."""
        self.shipped += quantity
        self.shipped_cost += cost
        self._use(quantity, now)

    def sell(self, quantity: Decimal, now: datetime, coin: Decimal) -> SoldPart:
        """What a sale of `quantity` has of it: first what was shipped and not yet billed, then what remains."""
        billed = min(quantity, self.shipped - self.billed)
        billed_cost = self._cost_of_billing(billed, coin) if billed else ZERO
        taken = min(quantity - billed, self.remaining) if self.is_open(now) else ZERO
        self.billed += billed
        self.billed_cost += billed_cost
        if taken:
            self.taken += taken
            self._use(taken, now)
        return SoldPart(self.reservation_id, billed, billed_cost, taken)

    def take_back(self, part: SoldPart, now: datetime) -> Decimal:
        """A void of the line that had `part`; returns what is reserved again.

        What was taken is promised again while the time has not run out and nobody has released the rest;
        otherwise it is free. What was shipped stays shipped and waits for another sale.
        """
        self.billed -= part.billed
        self.billed_cost -= part.billed_cost
        self.taken -= part.taken
        if not part.taken or self.status in (ReservationStatus.RELEASED, ReservationStatus.EXPIRED):
            return ZERO
        if now < self.expires_at:
            self.remaining += part.taken
            self.status, self.closed_at = ReservationStatus.OPEN, None
            return part.taken
        if self.status is ReservationStatus.FULFILLED:
            self.status, self.closed_at = ReservationStatus.EXPIRED, now
        return ZERO

    def _use(self, quantity: Decimal, now: datetime) -> None:
        self.remaining -= quantity
        if not self.remaining:
            # What has once been given back past the expiry is not reserved any more: then not all of it was used.
            whole = self.shipped + self.taken == self.quantity
            self.status = ReservationStatus.FULFILLED if whole else ReservationStatus.EXPIRED
            self.closed_at = now

    def _cost_of_billing(self, billed: Decimal, coin: Decimal) -> Decimal:
        """The share of what the shipped goods cost; parts billed one after the other add up to all of it."""
        open_quantity, open_cost = self.shipped - self.billed, self.shipped_cost - self.billed_cost
        if billed == open_quantity:
            return open_cost
        return round_to(open_cost * billed / open_quantity, coin)
