"""Shrinkage and variance over time: by store, item, reason, and day, week or month, against what was sold.

Shrinkage is everything that the ledger moved for a reason: counts, adjustments, what came late, transfers that were
settled, and amounts of money that no count has explained yet. Variance is what counts found, with what came late taken
out of it. All signed as the ledger is: below zero is a loss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, LiteralString

from shared.exact_decimal import exact_arithmetic
from shared.money import round_to
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work

RATE_UNIT = Decimal("0.000001")


class Report(StrEnum):
    """Which of the two."""

    SHRINKAGE = "shrinkage"
    VARIANCE = "variance"


class GroupBy(StrEnum):
    """What rows are made of."""

    STORE = "store"
    ITEM = "item"
    REASON = "reason"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


PERIODS = frozenset({GroupBy.DAY, GroupBy.WEEK, GroupBy.MONTH})

_SHRINKAGE: LiteralString = """
    SELECT store_no, item_no, reason_code AS reason, accounting_date AS day, quantity, value
    FROM stock_movement
    WHERE reason_code IS NOT NULL AND (%(store_no)s::int IS NULL OR store_no = %(store_no)s::int)
      AND accounting_date BETWEEN %(first)s::date AND %(last)s::date
    UNION ALL
    SELECT store_no, NULL, reason, date, 0, variance_amount FROM reconciliation
    WHERE kind = 'MONEY' AND status = 'POSTED' AND cleared_by IS NULL
      AND (%(store_no)s::int IS NULL OR store_no = %(store_no)s::int)
      AND date BETWEEN %(first)s::date AND %(last)s::date
"""
_VARIANCE: LiteralString = """
    SELECT line.store_no, line.item_no, line.reason_code AS reason, r.date AS day,
           line.variance_quantity + coalesce(late.quantity, 0) AS quantity,
           coalesce(line.value, 0) + coalesce(late.value, 0) AS value
    FROM reconciliation AS r
    JOIN reconciliation_line AS line USING (store_no, reconciliation_id)
    LEFT JOIN LATERAL (
        SELECT sum(c.quantity) AS quantity, sum(c.value) AS value FROM count_correction AS c
        WHERE c.store_no = line.store_no AND c.reconciliation_id = line.reconciliation_id
          AND c.line_number = line.line_number
    ) AS late ON true
    WHERE r.kind = 'COUNT' AND r.status = 'POSTED' AND NOT line.withdrawn
      AND (%(store_no)s::int IS NULL OR r.store_no = %(store_no)s::int)
      AND r.date BETWEEN %(first)s::date AND %(last)s::date
"""
_CONTENT: Mapping[Report, LiteralString] = {Report.SHRINKAGE: _SHRINKAGE, Report.VARIANCE: _VARIANCE}
_SALES_OF_STORES: LiteralString = """
    SELECT j.store_no, NULL::int AS item_no, j.accounting_date AS day, line.credit - line.debit AS amount
    FROM journal AS j JOIN journal_line AS line USING (store_no, store_sequence)
    JOIN store AS s ON s.store_no = j.store_no AND s.currency = j.currency
    WHERE line.account = %(sales)s AND (%(store_no)s::int IS NULL OR j.store_no = %(store_no)s::int)
      AND j.accounting_date BETWEEN %(first)s::date AND %(last)s::date
"""
_SALES_OF_ITEMS: LiteralString = """
    SELECT e.store_no, e.item_no, e.business_date AS day,
           CASE e.type WHEN 'SALE' THEN 1 ELSE -1 END * (e.amount - coalesce(e.tax_amount, 0)) AS amount
    FROM pos_event AS e JOIN store AS s ON s.store_no = e.store_no AND s.currency = e.currency
    LEFT JOIN void_effect AS v ON v.store_no = e.store_no AND v.voided_sequence = e.store_sequence
    WHERE e.type IN ('SALE', 'RETURN') AND v.store_no IS NULL
      AND (%(store_no)s::int IS NULL OR e.store_no = %(store_no)s::int)
      AND e.business_date BETWEEN %(first)s::date AND %(last)s::date
"""
_COLUMNS: Mapping[GroupBy, LiteralString] = {
    GroupBy.STORE: "s.store_id",
    GroupBy.ITEM: "i.item_id",
    GroupBy.REASON: "moved.reason",
    GroupBy.DAY: "to_char(moved.day, 'YYYY-MM-DD')",
    GroupBy.WEEK: "to_char(moved.day, 'IYYY-\"W\"IW')",
    GroupBy.MONTH: "to_char(moved.day, 'YYYY-MM')",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWish:
    """What is asked for: `first` and `last` are accounting dates, both included."""

    report: Report
    group_by: Sequence[GroupBy]
    store_no: int | None
    first: date
    last: date
    most: int


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One group: its names in the order of `group_by`, and what was lost or found in it."""

    names: tuple[str | None, ...]
    currency: str
    quantity: Decimal
    value: Decimal
    sales: Decimal

    @property
    def rate(self) -> Decimal | None:
        """Value against sales; None where nothing was sold."""
        if not self.sales:
            return None
        with exact_arithmetic():
            return round_to(self.value / self.sales, RATE_UNIT)


def read_report(work: Work, chart: ChartOfAccounts, wish: ReportWish) -> list[ReportRow]:
    """The rows by their names, at most `wish.most`."""
    facts = {
        "store_no": wish.store_no,
        "first": wish.first,
        "last": wish.last,
        "sales": chart.sales,
        "most": wish.most,
    }
    of_sales = [each for each in wish.group_by if each is not GroupBy.REASON]
    moved = _grouped(work, _CONTENT[wish.report], wish.group_by, "sum(quantity), sum(value)", facts)
    if not moved:
        return []
    content = _SALES_OF_ITEMS if GroupBy.ITEM in wish.group_by else _SALES_OF_STORES
    sold = _grouped(work, content, of_sales, "sum(amount)", {**facts, "most": None})
    sales = {tuple(row[:-1]): row[-1] for row in sold}
    rows: list[ReportRow] = []
    for *names, currency, quantity, value in moved:
        key = tuple(
            name for name, each in zip(names, wish.group_by, strict=True) if each is not GroupBy.REASON
        )
        rows.append(
            ReportRow(tuple(names), currency, quantity, value, sales.get((*key, currency), Decimal(0)))
        )
    return rows


def _grouped(
    work: Work,
    content: LiteralString,
    group_by: Sequence[GroupBy],
    sums: LiteralString,
    facts: Mapping[str, Any],
) -> list[tuple[Any, ...]]:
    """`content` added up by the names of `group_by` and the store's currency."""
    names: LiteralString = "".join([f"{_COLUMNS[each]}, " for each in group_by])
    numbers: LiteralString = ", ".join([str(number) for number in _NUMBERS[: len(group_by) + 1]])
    query: LiteralString = f"""
        SELECT {names}s.currency, {sums} FROM ({content}) AS moved
        JOIN store AS s USING (store_no) LEFT JOIN item AS i ON i.item_no = moved.item_no
        GROUP BY {numbers} ORDER BY {numbers} LIMIT %(most)s
    """  # noqa: S608  # built from constants
    return work.connection.execute(query, facts).fetchall()


_NUMBERS: Sequence[LiteralString] = ("1", "2", "3", "4", "5", "6", "7")
