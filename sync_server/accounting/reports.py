"""The books added up: the trial balance, and the daily proof that inventory is what the stock is worth.

Both add up journals and movements themselves, by accounting date; nothing is kept that could differ from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg.rows import class_row

from sync_server.database import Work

_TRIAL_BALANCE = """
SELECT l.account,
       (SELECT string_agg(a.name, ', ' ORDER BY a.purpose) FROM account a WHERE a.account = l.account) AS name,
       j.currency, sum(l.debit) AS debit, sum(l.credit) AS credit, sum(l.debit - l.credit) AS balance
FROM journal j JOIN journal_line l USING (store_no, store_sequence)
WHERE (%(store_no)s::int IS NULL OR j.store_no = %(store_no)s::int)
  AND (%(as_of)s::date IS NULL OR j.accounting_date <= %(as_of)s::date)
GROUP BY l.account, j.currency ORDER BY l.account, j.currency
"""
_DAILY_PROOF = """
WITH booked AS (
    SELECT j.accounting_date AS day, sum(l.debit - l.credit) AS amount
    FROM journal j JOIN journal_line l USING (store_no, store_sequence)
    WHERE j.store_no = %(store_no)s AND l.account IN (SELECT account FROM account_use WHERE purpose = 'inventory')
    GROUP BY j.accounting_date
), moved AS (
    SELECT accounting_date AS day, sum(value) AS amount, sum(coalesce(in_transit_value, 0)) AS in_transit
    FROM stock_movement WHERE store_no = %(store_no)s GROUP BY accounting_date
), transit AS (
    SELECT j.accounting_date AS day, sum(l.debit - l.credit) AS amount
    FROM journal j JOIN journal_line l USING (store_no, store_sequence)
    WHERE j.store_no = %(store_no)s AND l.account IN (SELECT account FROM account_use WHERE purpose = 'in_transit')
    GROUP BY j.accounting_date
), legs AS (
    SELECT m.accounting_date AS day, sum(step.value) AS amount FROM (
        SELECT store_sequence, value FROM transfer_leg WHERE store_no = %(store_no)s
        UNION ALL SELECT store_sequence, -value FROM transfer_arrival WHERE store_no = %(store_no)s
    ) AS step JOIN stock_movement m ON m.store_no = %(store_no)s AND m.store_sequence = step.store_sequence
    GROUP BY m.accounting_date
), standing AS (
    SELECT day, sum(coalesce(booked.amount, 0)) OVER upto AS inventory_account,
           sum(coalesce(moved.amount, 0)) OVER upto AS stock_value,
           sum(coalesce(transit.amount, 0)) OVER upto AS in_transit_account,
           sum(coalesce(moved.in_transit, 0)) OVER upto AS in_transit_value,
           sum(coalesce(legs.amount, 0)) OVER upto AS legs_value
    FROM booked FULL JOIN moved USING (day) FULL JOIN transit USING (day) FULL JOIN legs USING (day)
    WINDOW upto AS (ORDER BY day)
)
SELECT day, inventory_account, stock_value, in_transit_account, in_transit_value, legs_value FROM standing
WHERE (%(before)s::date IS NULL OR day < %(before)s::date)
  AND (%(first)s::date IS NULL OR day >= %(first)s::date) AND (%(last)s::date IS NULL OR day <= %(last)s::date)
ORDER BY day DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What was booked on an account in one currency."""

    account: str
    name: str | None
    currency: str
    debit: Decimal
    credit: Decimal
    balance: Decimal
    """Debits less credits."""


@dataclass(frozen=True, slots=True)
class DayProof:
    """How the books of a store stand at the end of an accounting date, beside what its movements add up to."""

    day: date
    inventory_account: Decimal
    stock_value: Decimal
    in_transit_account: Decimal
    in_transit_value: Decimal
    """Value of what is under way to the store, as far as it has arrived in its books."""
    legs_value: Decimal
    """Value of the legs that left the store, less that of those that arrived; see docs/transfers.md."""

    @property
    def proven(self) -> bool:
        """Whether both accounts are what stock, goods in transit and legs are worth."""
        in_transit = self.in_transit_value + self.legs_value
        return self.inventory_account == self.stock_value and self.in_transit_account == in_transit


def trial_balance(work: Work, store_no: int | None, as_of: date | None) -> Sequence[AccountBalance]:
    """Every account that was booked on, by account and currency, of one store or of all, up to a date or ever."""
    with work.connection.cursor(row_factory=class_row(AccountBalance)) as cursor:
        return cursor.execute(_TRIAL_BALANCE, {"store_no": store_no, "as_of": as_of}).fetchall()


def daily_proof(
    work: Work, store_no: int, *, first: date | None, last: date | None, before: date | None, limit: int
) -> Sequence[DayProof]:
    """The accounting dates of a store on which anything was booked, the latest first."""
    parameters: dict[str, Any] = {
        "store_no": store_no,
        "first": first,
        "last": last,
        "before": before,
        "limit": limit,
    }
    with work.connection.cursor(row_factory=class_row(DayProof)) as cursor:
        return cursor.execute(_DAILY_PROOF, parameters).fetchall()
