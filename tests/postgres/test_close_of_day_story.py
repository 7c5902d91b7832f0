"""A store's day with its close, as the ledger has it in the end; every figure was worked out by hand first."""

from tests.postgres.conftest import NewStore
from tests.store_counts import StoreCounts, at
from tests.store_ledger import StoreLedger
from tests.till_events import receipt, sale

LEDGER = """
  1  RECEIPT     apple  +10   40.00   10 on hand
  3  SALE        apple   -3  -12.00    7 on hand
  7  COUNT       apple   -1   -4.00    6 on hand  SHRINKAGE
 10  SALE        apple   -1   -4.00    5 on hand
 12  LATE_EVENT  apple   +1    4.00    6 on hand  LATE_EVENT
 14  SALE        apple   -2   -8.00    4 on hand
"""
JOURNALS = """
  2  POS             Dr 1400 40.00, Cr 2100 40.00
  4  POS             Dr 1000 30.00, Dr 5000 12.00, Cr 1400 12.00, Cr 4000 30.00
  6  RECONCILIATION  Dr 6550 25.00, Cr 1405 25.00
  9  RECONCILIATION  Dr 1405 25.00, Dr 6550 4.00, Cr 1400 4.00, Cr 6550 25.00
 11  POS             Dr 1000 10.00, Dr 5000 4.00, Cr 1400 4.00, Cr 4000 10.00
 13  LATE_EVENT      Dr 1400 4.00, Cr 6550 4.00
 15  POS             Dr 1000 20.00, Dr 5000 8.00, Cr 1400 8.00, Cr 4000 20.00
"""


def test_a_day_with_its_close(new_store: NewStore) -> None:
    """Ten apples come in at 4.00, three are sold. 25.00 are missing and nobody knows of what, so they stand on 1405.

    Then somebody counts: 6 apples lie there at noon and the books have 7. One is lost, 4.00; the 25.00 are taken
    back. A sale of ten o'clock comes in late: the apple was sold, and nothing is lost. Two more are sold in the
    afternoon: four are left, 16.00, and account 6550 stands at nothing.
    """
    store = new_store()
    counts = StoreCounts(store)
    store.post(receipt(10, "4.00", "apple", occurredAt=at(6)))
    store.post(sale(3, "30.00", "apple", occurredAt=at(9)))
    counts.settle(counts.money("-25.00"))
    counts.settle(counts.count({"apple": "6"}))
    store.post(sale(1, "10.00", "apple", occurredAt=at(10)))
    store.post(sale(2, "20.00", "apple", occurredAt=at(14)))
    assert _ledger(store) == LEDGER
    assert _journals(store) == JOURNALS
    assert store.balances() == {
        "1000": "60", "1400": "16", "2100": "-40", "4000": "-60", "5000": "24",
    }  # fmt: skip
    store.check()


def _ledger(store: StoreLedger) -> str:
    """The movements, one a line."""
    rows = store.rows(
        """SELECT store_sequence, type, item_id, trim_scale(quantity), value, trim_scale(on_hand_after), reason_code
           FROM stock_movement JOIN item USING (item_no) WHERE store_no = %(store_no)s ORDER BY store_sequence"""
    )
    lines = [
        f"{number:>3}  {kind:<10}  {item}  {quantity:>+3}  {value:>6}  {on_hand:>3} on hand  {reason or ''}".rstrip()
        for number, kind, item, quantity, value, on_hand, reason in rows
    ]
    return "\n".join(["", *lines, ""])


def _journals(store: StoreLedger) -> str:
    """The journals, one a line: debits first, each side by account."""
    rows = store.rows(
        """SELECT store_sequence, kind, string_agg(
               concat(CASE WHEN debit > 0 THEN 'Dr ' ELSE 'Cr ' END, account, ' ', greatest(debit, credit)), ', '
               ORDER BY debit > 0 DESC, account)
           FROM journal JOIN journal_line USING (store_no, store_sequence)
           WHERE store_no = %(store_no)s GROUP BY store_sequence, kind ORDER BY store_sequence"""
    )
    return "\n".join(["", *(f"{number:>3}  {kind:<14}  {lines}" for number, kind, lines in rows), ""])
