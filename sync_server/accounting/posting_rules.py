"""Which accounts a line of a POS event moves. Pure: a posted line in, debits and credits out.

| line | books |
|---|---|
| sale | Dr 1000 per tender / Cr 4000, Cr 2300; Dr 5000 / Cr 1400 at cost |
| return | the reverse; damaged goods Dr 6550 instead of 1400 |
| receipt | Dr 1400 / Cr 2100 |
| void | the exact reverse of the line it names |

What inventory cannot hold (see `inventory.valuation`) goes to 5100.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry

ZERO = Decimal(0)
DIFFERENCE = "#DIFFERENCE"
"""The tender share that no tender covers; booked to the tender difference account."""

TenderShares = Sequence[tuple[str | None, Decimal]]
"""(tender type, amount) of one line; type None is the one unspecified tender."""


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """A line as it is booked: money signed from the store's view (+ sale, − return), goods likewise.

    `worth` is what the counter account of the goods takes: + goods go out at cost, − they come in.
    `stock_value` is what inventory gives (0 for damaged goods); the rest of `worth` is cost variance.
    """

    revenue: Decimal
    tax: Decimal
    worth: Decimal
    stock_value: Decimal
    tenders: TenderShares

    def reversed(self, stock_value: Decimal) -> "LineAmounts":
        """The exact reverse, with what inventory really takes back."""
        return LineAmounts(
            revenue=-self.revenue,
            tax=-self.tax,
            worth=-self.worth,
            stock_value=stock_value,
            tenders=[(tender, -amount) for tender, amount in self.tenders],
        )


def book_sale(journal: JournalEntry, chart: ChartOfAccounts, line: LineAmounts) -> None:
    """Books a sale line, or, with its amounts negative, a return to stock or the void of either."""
    _book_money(journal, chart, line)
    journal.debit(chart.cost_of_goods_sold, line.worth)
    journal.credit(chart.inventory, line.stock_value)
    journal.credit(chart.cost_variance, line.worth - line.stock_value)


def book_damaged_return(journal: JournalEntry, chart: ChartOfAccounts, line: LineAmounts) -> None:
    """Books a return whose goods are written off: nothing reaches inventory."""
    _book_money(journal, chart, line)
    journal.debit(chart.cost_of_goods_sold, line.worth)
    journal.credit(chart.shrinkage, line.worth)


def book_receipt(journal: JournalEntry, chart: ChartOfAccounts, line: LineAmounts) -> None:
    """Books goods received (`worth` negative: they come in), or, reversed, the void of a receipt."""
    journal.debit(chart.goods_received, line.worth)
    journal.credit(chart.inventory, line.stock_value)
    journal.credit(chart.cost_variance, line.worth - line.stock_value)


def book_opening_stock(
    journal: JournalEntry, chart: ChartOfAccounts, stock_value: Decimal, variance: Decimal
) -> None:
    """Books stock that was there before the first event."""
    journal.debit(chart.inventory, stock_value)
    journal.debit(chart.cost_variance, variance)
    journal.credit(chart.opening_balance, stock_value + variance)


def _book_money(journal: JournalEntry, chart: ChartOfAccounts, line: LineAmounts) -> None:
    for tender, amount in line.tenders:
        if tender == DIFFERENCE:
            journal.debit(chart.tender_difference, amount)
        else:
            journal.debit(chart.tender_clearing, amount, tender)
    journal.credit(chart.sales, line.revenue)
    journal.credit(chart.tax_payable, line.tax)
