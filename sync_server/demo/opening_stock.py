"""Item master and opening stock, which the data lacks: derived from the sales by a stated rule.

- price = median unit price of the product's priced lines, rounded half-even to the cent;
- unit cost = 70 % of that median, rounded half-even to the cent, at least one cent;
- opening quantity = what the store sells of it in the days at hand × 1.2, rounded up to a whole piece
  (fuel: to a thousandth of a gallon).

A product that the product table lacks is not imported: headquarters meets it first in a sale. A product
without a priced line costs and is priced 0. Barcodes are not in the data and stay empty.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from statistics import median

from shared.exact_decimal import plain
from shared.money import minor_unit, round_to
from sync_server.demo.demo_stores import DemoStore
from sync_server.demo.derived_events import SoldLine
from sync_server.demo.real_input import Product, RealInput
from sync_server.demo.till_events import CURRENCY, sold_line

COST_SHARE = Decimal("0.70")
STOCK_FACTOR = Decimal("1.2")

_CENT = minor_unit(CURRENCY)
_STEPS = {"EA": Decimal(1), "GAL": Decimal("0.001")}


@dataclass(frozen=True, slots=True)
class ItemMaster:
    """What is derived about one product."""

    item_id: str
    description: str
    unit_of_measure: str
    unit_cost: Decimal
    price: Decimal


def item_masters(real: RealInput) -> dict[str, ItemMaster]:
    """By item id: every product that is sold in the days at hand and stands in the product table."""
    unit_prices: dict[str, list[Decimal]] = defaultdict(list)
    units: dict[str, set[str]] = defaultdict(set)
    for store in real.stores:
        for line in _sold(real, store):
            units[line.item_id].add(line.unit_of_measure)
            if line.amount > 0:
                unit_prices[line.item_id].append(line.amount / line.quantity)
    return {
        item_id: _master(real.products[int(item_id)], units[item_id], unit_prices[item_id])
        for item_id in sorted(units)
    }


def _master(product: Product, units: set[str], unit_prices: Sequence[Decimal]) -> ItemMaster:
    price = median(unit_prices) if unit_prices else Decimal(0)
    named = " ".join(part for part in (product.product_type, product.package_size) if part)
    return ItemMaster(
        item_id=str(product.product_id),
        description=named or product.department or f"Product {product.product_id}",
        unit_of_measure="GAL" if "GAL" in units else "EA",
        unit_cost=max(round_to(price * COST_SHARE, _CENT), _CENT) if price else Decimal(0),
        price=round_to(price, _CENT),
    )


def opening_quantities(real: RealInput, store: DemoStore) -> dict[str, Decimal]:
    """By item id: the pieces (fuel: gallons) that the store starts with."""
    sold: dict[str, Decimal] = defaultdict(Decimal)
    steps: dict[str, Decimal] = {}
    for line in _sold(real, store.number):
        sold[line.item_id] += line.quantity
        step = _STEPS[line.unit_of_measure]
        steps[line.item_id] = min(step, steps.get(line.item_id, step))
    return {
        item_id: (quantity * STOCK_FACTOR).quantize(steps[item_id], rounding=ROUND_CEILING)
        for item_id, quantity in sorted(sold.items())
    }


def write_store_import(path: Path, stores: Sequence[DemoStore]) -> None:
    """The CSV for `sync-server store import`."""
    rows = ((s.store_id, s.location_id, s.timezone, CURRENCY, f"{s.day_start:%H:%M}") for s in stores)
    _write(path, ("storeId", "locationId", "timezone", "currency", "dayStart"), rows)


def write_item_import(path: Path, masters: dict[str, ItemMaster]) -> None:
    """The CSV for `sync-server item import`."""
    columns = ("itemId", "description", "barcodes", "unitOfMeasure", "unitCost", "price", "safetyStock")
    rows = (
        (m.item_id, m.description, "", m.unit_of_measure, plain(m.unit_cost), plain(m.price), "0")
        for m in masters.values()
    )
    _write(path, columns, rows)


def write_stock_import(
    path: Path, real: RealInput, stores: Sequence[DemoStore], masters: dict[str, ItemMaster]
) -> None:
    """The CSV for `sync-server stock import`."""
    rows = (
        (store.store_id, item_id, plain(quantity), plain(masters[item_id].unit_cost))
        for store in stores
        for item_id, quantity in opening_quantities(real, store).items()
    )
    _write(path, ("storeId", "itemId", "quantity", "unitCost"), rows)


def _sold(real: RealInput, store: int) -> Iterator[SoldLine]:
    """Every line of the store that can be a sale of a known product."""
    for basket in real.baskets[store]:
        for number, line in enumerate(basket.lines, start=1):
            product = real.products.get(line.product_id)
            if product is not None and line.quantity > 0:
                yield sold_line(number, line, product)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
