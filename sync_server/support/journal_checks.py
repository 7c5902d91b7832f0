"""Journals balance, every movement of value has one, and the books' inventory is the stock's value."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

JOURNAL_CHECKS: Final = (
    LedgerCheck(
        "Every journal has lines, and its debits equal its credits.",
        """
        SELECT store_no, store_sequence, concat('journal ', store_sequence),
               CASE WHEN journal.kind IS NULL THEN 'there are lines of it and no journal'
                    WHEN debit IS NULL THEN 'it has no lines'
                    ELSE concat('debits of ', debit, ' stand against credits of ', credit) END
        FROM (SELECT * FROM journal WHERE OF_STORE) AS journal
        FULL JOIN (
            SELECT store_no, store_sequence, sum(debit) AS debit, sum(credit) AS credit
            FROM journal_line WHERE OF_STORE GROUP BY store_no, store_sequence
        ) AS lines USING (store_no, store_sequence)
        WHERE journal.kind IS NULL OR debit IS NULL OR debit <> credit
        """,
    ),
    LedgerCheck(
        "Every movement of value is booked in a journal of its own group and accounting date.",
        """
        SELECT moved.store_no, moved.store_sequence, concat('movement ', moved.store_sequence),
               CASE WHEN journal_sequence IS NULL THEN concat('it is worth ', value, ' and names no journal')
                    WHEN kind IS NULL THEN concat('its journal ', journal_sequence, ' does not exist')
                    ELSE concat('its journal ', journal_sequence, ' books numbers from ', first_sequence,
                                ' on ', journal.accounting_date, ', itself is of ', moved.accounting_date) END
        FROM (SELECT * FROM stock_movement WHERE OF_STORE) AS moved
        LEFT JOIN journal ON journal.store_no = moved.store_no AND journal.store_sequence = journal_sequence
        WHERE (value <> 0 AND journal_sequence IS NULL)
           OR (journal_sequence IS NOT NULL AND (
               kind IS NULL OR moved.store_sequence NOT BETWEEN first_sequence AND journal_sequence
               OR moved.accounting_date <> journal.accounting_date))
        """,
    ),
    LedgerCheck(
        "Every event of money is booked in a journal of its own group and currency.",
        """
        SELECT event.store_no, event.store_sequence, concat('event ', event.store_sequence),
               CASE WHEN journal_sequence IS NULL THEN concat(type, ' of ', amount, ' names no journal')
                    WHEN kind IS NULL THEN concat('its journal ', journal_sequence, ' does not exist')
                    ELSE concat('its journal ', journal_sequence, ' in ', journal.currency, ' books numbers from ',
                                first_sequence, ', itself is in ', event.currency) END
        FROM (SELECT * FROM pos_event WHERE OF_STORE) AS event
        LEFT JOIN journal ON journal.store_no = event.store_no AND journal.store_sequence = journal_sequence
        WHERE (type IN ('SALE', 'RETURN') AND amount <> 0 AND journal_sequence IS NULL)
           OR (journal_sequence IS NOT NULL AND (
               kind IS NULL OR event.store_sequence NOT BETWEEN first_sequence AND journal_sequence
               OR (type IN ('SALE', 'RETURN') AND amount <> 0 AND event.currency <> journal.currency)))
        """,
    ),
    LedgerCheck(
        "A journal's inventory lines are worth what its movements are.",
        """
        SELECT store_no, number, concat('journal ', number),
               concat('it books ', coalesce(booked, 0), ' on inventory; its movements are worth ', coalesce(moved, 0))
        FROM (
            SELECT store_no, journal_sequence AS number, sum(value) AS moved FROM stock_movement
            WHERE OF_STORE AND journal_sequence IS NOT NULL GROUP BY store_no, journal_sequence
        ) AS movements
        FULL JOIN (
            SELECT store_no, store_sequence AS number, sum(debit - credit) AS booked FROM journal_line
            WHERE OF_STORE AND account IN (SELECT account FROM account_use WHERE purpose = 'inventory')
            GROUP BY store_no, store_sequence
        ) AS books USING (store_no, number)
        WHERE coalesce(booked, 0) <> coalesce(moved, 0)
        """,
    ),
    LedgerCheck(
        "On every accounting date the inventory account changes by what the movements are worth.",
        """
        SELECT store_no, 0, concat('accounting date ', accounting_date),
               concat('the inventory account changes by ', coalesce(booked, 0), '; the movements are worth ',
                      coalesce(moved, 0))
        FROM (
            SELECT store_no, accounting_date, sum(debit - credit) AS booked
            FROM (SELECT * FROM journal WHERE OF_STORE) AS posted JOIN journal_line USING (store_no, store_sequence)
            WHERE account IN (SELECT account FROM account_use WHERE purpose = 'inventory')
            GROUP BY store_no, accounting_date
        ) AS books
        FULL JOIN (
            SELECT store_no, accounting_date, sum(value) AS moved FROM stock_movement
            WHERE OF_STORE GROUP BY store_no, accounting_date
        ) AS movements USING (store_no, accounting_date)
        WHERE coalesce(booked, 0) <> coalesce(moved, 0)
        """,
    ),
    LedgerCheck(
        "A store's inventory account is the value of its stock.",
        """
        SELECT store_no, 0, 'inventory account',
               concat('it stands at ', coalesce(booked, 0), '; the stock is worth ', coalesce(worth, 0))
        FROM (
            SELECT store_no, sum(debit - credit) AS booked FROM journal_line
            WHERE OF_STORE AND account IN (SELECT account FROM account_use WHERE purpose = 'inventory')
            GROUP BY store_no
        ) AS books
        FULL JOIN (
            SELECT store_no, sum(value) AS worth FROM store_stock WHERE OF_STORE GROUP BY store_no
        ) AS stock USING (store_no)
        WHERE coalesce(booked, 0) <> coalesce(worth, 0)
        """,
    ),
)
