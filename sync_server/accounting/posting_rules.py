"""Which accounts a line of a POS event moves. Pure: signed amounts in, debits and credits out.

| line | money | goods |
|---|---|---|
| sale | Dr 1000 per tender / Cr 4000, Cr 2300 | Dr 5000 / Cr 1400 at cost |
| return | the reverse | Dr 1400 / Cr 5000; damaged goods Dr 6550 / Cr 5000 |
| receipt | | Dr 1400 / Cr 2100 |
| void | the exact reverse of the line it names | the exact reverse |

What inventory cannot hold (see `inventory.valuation`) goes to 5100.
"""

from collections.abc import Sequence
from decimal import Decimal

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry
from sync_server.inventory.valuation import Valuation

DIFFERENCE = "\x1fDIFFERENCE"
"""The tender share that no tender covers; booked to the tender difference account. No till can name a tender so."""

TenderShares = Sequence[tuple[str | None, Decimal]]
"""(tender type, amount) of one line; type None is the one unspecified tender."""


def book_money(
    journal: JournalEntry, chart: ChartOfAccounts, amount: Decimal, tax: Decimal, shares: TenderShares | None
) -> None:
    """Books what a customer paid, tax included; all amounts negative for what was paid back.

    `shares` sum to `amount`; None: one unspecified tender paid all of it.
    """
    if shares is None:
        journal.debit(chart.tender_clearing, amount)
    else:
        for tender, share in shares:
            if tender == DIFFERENCE:
                journal.debit(chart.tender_difference, share)
            else:
                journal.debit(chart.tender_clearing, share, tender)
    if tax:
        journal.credit(chart.tax_payable, tax)
        amount -= tax
    journal.credit(chart.sales, amount)


def book_goods(
    journal: JournalEntry, chart: ChartOfAccounts, counter_account: str, valuation: Valuation
) -> None:
    """Books a movement of goods against the account that gives or takes them (COGS, goods received…)."""
    value, variance = valuation.value, valuation.variance
    journal.debit(chart.inventory, value)
    if variance:
        journal.debit(chart.cost_variance, variance)
        value += variance
    journal.credit(counter_account, value)


def book_damaged(journal: JournalEntry, chart: ChartOfAccounts, worth: Decimal) -> None:
    """Books goods that came back unfit for sale (`worth` > 0): never inventory, at once a loss."""
    journal.credit(chart.cost_of_goods_sold, worth)
    journal.debit(chart.shrinkage, worth)
