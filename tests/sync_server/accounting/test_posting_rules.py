"""Which accounts a line moves, and that no journal leaves unbalanced."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_server.accounting.chart_of_accounts import ACCOUNT_NAMES, ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry, UnbalancedJournal
from sync_server.accounting.posting_rules import DIFFERENCE, book_damaged, book_goods, book_money
from sync_server.inventory.valuation import Valuation

CHART = ChartOfAccounts()
CENTS = st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents).scaleb(-2))


def booked(journal: JournalEntry) -> dict[tuple[str, str | None], Decimal]:
    """Debits less credits by account and tender."""
    sums: dict[tuple[str, str | None], Decimal] = {}
    for account, tender, debit, credit in journal.lines():
        sums[account, tender] = sums.get((account, tender), Decimal(0)) + debit - credit
    return sums


def test_a_sale_debits_its_tenders_and_credits_sales_and_tax() -> None:
    journal = JournalEntry()
    book_money(journal, CHART, Decimal(50), Decimal(10), [("CASH", Decimal(30)), ("CARD", Decimal(20))])
    assert booked(journal) == {
        ("1000", "CASH"): 30,
        ("1000", "CARD"): 20,
        ("4000", None): -40,
        ("2300", None): -10,
    }


def test_what_no_tender_covers_stands_on_the_tender_difference() -> None:
    journal = JournalEntry()
    book_money(journal, CHART, Decimal(50), Decimal(0), [("CASH", Decimal(45)), (DIFFERENCE, Decimal(5))])
    assert booked(journal) == {("1000", "CASH"): 45, ("1090", None): 5, ("4000", None): -50}


def test_goods_go_from_inventory_to_cost_of_goods_sold() -> None:
    journal = JournalEntry()
    book_goods(journal, CHART, CHART.cost_of_goods_sold, Valuation(Decimal(-15), Decimal(0)))
    assert booked(journal) == {("5000", None): 15, ("1400", None): -15}


def test_goods_received_are_owed_and_what_inventory_cannot_hold_is_variance() -> None:
    journal = JournalEntry()
    book_goods(journal, CHART, CHART.goods_received, Valuation(Decimal(28), Decimal(2)))
    assert booked(journal) == {("1400", None): 28, ("5100", None): 2, ("2100", None): -30}


def test_damaged_goods_are_a_loss_at_once() -> None:
    journal = JournalEntry()
    book_damaged(journal, CHART, Decimal(12))
    assert booked(journal) == {("6550", None): 12, ("5000", None): -12}


@given(CENTS, CENTS, st.lists(CENTS, max_size=4), CENTS, CENTS)
def test_a_line_and_its_mirror_leave_nothing(
    revenue: Decimal, tax: Decimal, paid: list[Decimal], value: Decimal, variance: Decimal
) -> None:
    shares = [(f"T{number}", amount) for number, amount in enumerate(paid)]
    shares.append(("REST", revenue + tax - sum(paid)))
    journal = JournalEntry()
    for sign in (1, -1):
        paid_in = [(name, each * sign) for name, each in shares]
        book_money(journal, CHART, (revenue + tax) * sign, tax * sign, paid_in)
        book_goods(journal, CHART, CHART.cost_of_goods_sold, Valuation(value * sign, variance * sign))
        book_damaged(journal, CHART, value * sign)
    assert not any(booked(journal).values())


def test_both_sides_of_one_account_are_shown() -> None:
    journal = JournalEntry()
    journal.debit("4000", Decimal(5))
    journal.credit("4000", Decimal(8))
    journal.debit("1000", Decimal(3))
    assert sorted(journal.lines()) == sorted(
        [("4000", None, Decimal(5), 0), ("4000", None, 0, Decimal(8)), ("1000", None, Decimal(3), 0)]
    )


def test_nothing_of_value_is_no_line() -> None:
    journal = JournalEntry()
    journal.debit("1000", Decimal(0))
    journal.credit("4000", Decimal("0.00"))
    assert journal.lines() == []


def test_a_journal_that_does_not_balance_is_refused() -> None:
    journal = JournalEntry()
    journal.debit("1000", Decimal("50.00"))
    journal.credit("4000", Decimal("49.99"))
    with pytest.raises(UnbalancedJournal):
        journal.lines()


def test_every_account_of_the_chart_has_a_name_and_a_number_of_its_own() -> None:
    purposes = ChartOfAccounts.__dataclass_fields__
    assert set(ACCOUNT_NAMES) == set(purposes)
    assert len({getattr(CHART, purpose) for purpose in purposes}) == len(purposes)
