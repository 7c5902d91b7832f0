"""Opening stock from a CSV file: `storeId,itemId,quantity,unitCost`.

Every store is posted in a transaction of its own. A file imported twice adds nothing: an item that has moved
in its store keeps what it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.clock import Clock
from shared.exact_decimal import parse
from shared.problems import Violation
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.opening_stock import post_opening_stock
from sync_server.accounting.remembered_chart import RememberedChart, read_chart
from sync_server.csv_import import CsvRow, CsvSource, ImportReport, RowOutcome, read_csv
from sync_server.database import Database, Work
from sync_server.people.callers import Caller
from sync_server.stores.registry import list_stores, store_number

REQUIRED = ("storeId", "itemId", "quantity", "unitCost")

_ITEM_NUMBERS = "SELECT item_id, item_no FROM item WHERE item_id = ANY(%s::varchar[])"


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """One row that can be posted."""

    row: CsvRow
    item_no: int
    quantity: Decimal
    unit_cost: Decimal

    @property
    def subject(self) -> str:
        """How a report names the row."""
        return f"{self.row.get('storeId')} {self.row.get('itemId')}"


def import_opening_stock(database: Database, clock: Clock, path: CsvSource, *, by: Caller) -> ImportReport:
    """Posts the opening stock of every store that the file names."""
    rows = list(read_csv(path, required=REQUIRED))
    report = ImportReport()
    with database.reading() as work:
        chart = RememberedChart(clock).read(work)
        stores = {store.store_id: store.store_no or 0 for store in list_stores(work)}
        wanted = sorted({row.get("itemId") for row in rows})
        items: dict[str, int] = dict(work.connection.execute(_ITEM_NUMBERS, [wanted]).fetchall())
    for store_no, lines in _by_store(rows, stores, items, report).items():
        with database.unit_of_work() as work:
            _post(work, chart, store_no, lines, report, by=by, now=clock.now())
    return report


def import_stock_of_store(
    work: Work, store_id: str, source: CsvSource, *, by: Caller, now: datetime
) -> ImportReport:
    """Posts the opening stock of one store in the transaction of `work`; rows of other stores are refused."""
    rows = list(read_csv(source, required=REQUIRED))
    report = ImportReport()
    stores = {store_id: store_number(work, store_id)}
    wanted = sorted({row.get("itemId") for row in rows})
    items: dict[str, int] = dict(work.connection.execute(_ITEM_NUMBERS, [wanted]).fetchall())
    chart = read_chart(work)
    for store_no, lines in _by_store(rows, stores, items, report).items():
        _post(work, chart, store_no, lines, report, by=by, now=now)
    return report


def _post(
    work: Work,
    chart: ChartOfAccounts,
    store_no: int,
    lines: Sequence[OpeningRow],
    report: ImportReport,
    *,
    by: Caller,
    now: datetime,
) -> None:
    amounts = [(line.item_no, line.quantity, line.unit_cost) for line in lines]
    posted = set(post_opening_stock(work, chart, store_no, amounts, by=by, now=now))
    for line in lines:
        outcome = RowOutcome.ADDED if line.item_no in posted else RowOutcome.UNCHANGED
        report.note(line.row, line.subject, outcome)


def _by_store(
    rows: list[CsvRow], stores: Mapping[str, int], items: Mapping[str, int], report: ImportReport
) -> dict[int, list[OpeningRow]]:
    """The rows that can be posted, by store; the others are refused in the report."""
    found: dict[int, list[OpeningRow]] = {}
    line_of: dict[tuple[int, int], int] = {}
    for row in rows:
        subject = f"{row.get('storeId')} {row.get('itemId')}"
        read = _read_row(row, stores, items)
        if not isinstance(read, OpeningRow):
            report.refuse(row, subject, read)
            continue
        store_no = stores[row.get("storeId")]
        earlier = line_of.setdefault((store_no, read.item_no), row.line)
        if earlier != row.line:
            report.note(
                row, subject, RowOutcome.REFUSED, f"line {earlier} states the same item of this store"
            )
        else:
            found.setdefault(store_no, []).append(read)
    return found


def _read_row(
    row: CsvRow, stores: Mapping[str, int], items: Mapping[str, int]
) -> OpeningRow | list[Violation]:
    violations = []
    if row.get("storeId") not in stores:
        violations.append(Violation("storeId", "is no store here", row.get("storeId")))
    if row.get("itemId") not in items:
        violations.append(Violation("itemId", "is no item here; import the items first", row.get("itemId")))
    numbers: dict[str, Decimal] = {}
    for column in ("quantity", "unitCost"):
        try:
            numbers[column] = parse(row.get(column))
        except ValueError as error:
            violations.append(Violation(column, str(error), row.get(column)))
    if numbers.get("quantity", Decimal(1)) <= 0:
        violations.append(Violation("quantity", "must be greater than zero", row.get("quantity")))
    if numbers.get("unitCost", Decimal(0)) < 0:
        violations.append(Violation("unitCost", "must not be negative", row.get("unitCost")))
    return violations or OpeningRow(row, items[row.get("itemId")], numbers["quantity"], numbers["unitCost"])
