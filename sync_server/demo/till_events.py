"""Baskets as tills would report them: pure mapping from real lines to the contract's till events.

What a SALE says is real: store, basket, product, quantity, charge, discounts, instant. Assigned by a stated
rule are the workstation (basket number modulo 3), its transaction numbers (counted from 1) and how the time
is spelt. The charge is the file's `sales_value`, "amount of dollars retailer receives from sale": after the
store's own discounts (loyalty card, coupon match), which go into `discountAmount`, and before the
manufacturer's coupon, with which the customer pays: it is a tender of the basket. How the rest was paid is
not in the data, and tax is not in the data: neither is invented.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.zone_data import zone_named
from sync_server.demo.demo_stores import DemoStore, TillClock
from sync_server.demo.derived_events import Derived, SoldLine, derive
from sync_server.demo.mapping_report import MappingReport
from sync_server.demo.real_input import Basket, BasketLine, Product

CURRENCY = "USD"
"""The file's amounts are US dollars; they stay that in every zone."""
_WORKSTATIONS = 3
_FILE_DROP_EVERY = 40
"""One basket in so many is written as a file into the agent's drop folder instead of being posted."""
_FUEL = "GASOLINE-REG UNLEADED"
_DEAREST_GALLON = Decimal(10)
"""Dollars. Fuel lines cost 1.78 to 4.00 a gallon when read as thousandths; a prepaid one 1,000 and more."""


@dataclass(frozen=True, slots=True)
class TillTransaction:
    """What a till hands over at once: the events of one transaction, ready for JSON."""

    store_id: str
    happens_at: datetime
    events: tuple[dict[str, Any], ...]
    as_file: bool
    """Whether it goes through the drop folder; such events carry ids and nothing refers to them."""


def fuel_by_volume(line: BasketLine, product: Product | None) -> bool:
    """Whether the line's quantity is thousandths of a gallon: fuel, at a price that a gallon can have."""
    if product is None or product.product_type != _FUEL or line.quantity <= 0:
        return False
    return line.value * 1000 <= _DEAREST_GALLON * line.quantity


def sold_line(number: int, line: BasketLine, product: Product | None) -> SoldLine:
    """The quantity, unit and charge of one line of a basket; `number` is its place in the file's basket."""
    by_volume = fuel_by_volume(line, product)
    quantity = Decimal(line.quantity).scaleb(-3) if by_volume else Decimal(line.quantity)
    return SoldLine(number, str(line.product_id), quantity, line.value, "GAL" if by_volume else "EA")


class StoreTills:
    """The tills of one store: they number their transactions and know what is still to be brought back."""

    def __init__(self, store: DemoStore, products: dict[int, Product]) -> None:
        self.store = store
        self.report = MappingReport()
        self._products = products
        self._numbers = [0] * _WORKSTATIONS
        self._pending: list[tuple[datetime, int, int, Derived]] = []

    def transactions(self, baskets: Iterable[Basket], until: datetime) -> Iterator[TillTransaction]:
        """Sales, and the voids and returns derived from them, in order of time, up to the instant `until`."""
        for basket in baskets:
            yield from self._brought_back_before(basket.sold_at)
            yield from self._sale(basket)
        yield from self._brought_back_before(until)

    def _sale(self, basket: Basket) -> Iterator[TillTransaction]:
        lines = self._lines(basket)
        if not lines:
            self.report.baskets_left_out += 1
            return
        self.report.baskets_sold += 1
        derived = derive(basket.basket_id, basket.sold_at, [sold for sold, _ in lines], CURRENCY)
        for place, one in enumerate(derived):
            heapq.heappush(self._pending, (one.happens_at, basket.basket_id, place, one))
        as_file = not derived and basket.basket_id % _FILE_DROP_EVERY == 0
        head = self._head(basket.basket_id, basket.sold_at)
        events = [self._sale_event(head, basket, sold, line, as_file) for sold, line in lines]
        tenders = self._tenders(basket, sum((sold.amount for sold, _ in lines), Decimal(0)))
        if tenders:
            events[0]["tenders"] = tenders
        yield TillTransaction(self.store.store_id, basket.sold_at, tuple(events), as_file)

    def _lines(self, basket: Basket) -> list[tuple[SoldLine, BasketLine]]:
        """The lines that can be a SALE, each with what it came from; everything is counted."""
        kept = []
        for number, line in enumerate(basket.lines, start=1):
            if line.quantity == 0:
                self.report.lines_of_zero_quantity += 1
                self.report.value_left_out += line.value
                continue
            product = self._products.get(line.product_id)
            sold = sold_line(number, line, product)
            self._count(sold, product)
            kept.append((sold, line))
        return kept

    def _count(self, sold: SoldLine, product: Product | None) -> None:
        self.report.lines_sold += 1
        self.report.free_lines += sold.amount == 0
        self.report.unknown_products += product is None
        if product is not None and product.product_type == _FUEL:
            self.report.fuel_by_volume += sold.unit_of_measure == "GAL"
            self.report.fuel_prepaid += sold.unit_of_measure == "EA"

    def _sale_event(
        self, head: dict[str, Any], basket: Basket, sold: SoldLine, line: BasketLine, as_file: bool
    ) -> dict[str, Any]:
        event = {
            "type": "SALE",
            "saleId": str(basket.basket_id),
            "lineNumber": sold.line_number,
            **head,
            "itemId": sold.item_id,
            "quantity": sold.quantity,
            "unitOfMeasure": sold.unit_of_measure,
            "amount": sold.amount,
            "currency": CURRENCY,
        }
        discount = line.loyalty_discount + line.coupon_match
        if discount:
            event["discountAmount"] = discount
        if as_file or self.store.gives_event_ids:
            event["eventId"] = f"{self.store.number}-{basket.basket_id}-{sold.line_number}"
        return event

    def _tenders(self, basket: Basket, charge: Decimal) -> list[dict[str, Any]]:
        """How the basket was paid, as far as the data says: by manufacturers' coupons, and somehow."""
        coupons = sum((line.manufacturer_coupon for line in basket.lines), Decimal(0))
        self.report.coupons_capped += coupons > charge
        coupons = min(coupons, charge)
        if not coupons:
            return []
        rest = [{"type": "UNSPECIFIED", "amount": charge - coupons}] if charge > coupons else []
        return [{"type": "MANUFACTURER_COUPON", "amount": coupons}, *rest]

    def _brought_back_before(self, instant: datetime) -> Iterator[TillTransaction]:
        while self._pending and self._pending[0][0] < instant:
            happens_at, basket_id, _, derived = heapq.heappop(self._pending)
            event = self._derived_event(basket_id, derived)
            yield TillTransaction(self.store.store_id, happens_at, (event,), as_file=False)

    def _derived_event(self, basket_id: int, derived: Derived) -> dict[str, Any]:
        head = self._head(basket_id, derived.happens_at)
        event: dict[str, Any] = {"type": derived.kind, **head, "lineNumber": 1}
        line = derived.line
        if derived.kind == "VOID":
            self.report.derived_line_voids += line is not None
            self.report.derived_basket_voids += line is None
            event["voids"] = {"saleId": str(basket_id)}
            if line is not None:
                event["voids"]["lineNumber"] = line.line_number
        elif line is not None:
            self.report.derived_returns += 1
            event |= {
                "originalSaleId": str(basket_id),
                "itemId": line.item_id,
                "quantity": derived.quantity,
                "unitOfMeasure": line.unit_of_measure,
                "amount": derived.amount,
                "currency": CURRENCY,
                "disposition": derived.disposition,
            }
        if self.store.gives_event_ids:
            number = line.line_number if line else 0
            event["eventId"] = f"{self.store.number}-{basket_id}-{number}-{derived.kind}"
        return event

    def _head(self, basket_id: int, instant: datetime) -> dict[str, Any]:
        """Workstation, its next transaction number, and the time as the till writes it."""
        workstation = basket_id % _WORKSTATIONS
        self._numbers[workstation] += 1
        return {
            "workstationId": f"TILL-{workstation + 1}",
            "transactionNumber": str(self._numbers[workstation]),
            "occurredAt": self._time_text(instant),
        }

    def _time_text(self, instant: datetime) -> str:
        local = instant.astimezone(zone_named(self.store.timezone))
        return (local.replace(tzinfo=None) if self.store.clock is TillClock.BARE else local).isoformat()
