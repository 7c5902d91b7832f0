"""What the demo reads in the database, and that every fault in the books shows in the proof."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import psycopg
import pytest

from shared.identifiers import event_key
from sync_server.database import Database
from sync_server.demo.ledger_evidence import LedgerEvidence, read_ledger
from sync_server.demo.proof import BooksEvidence
from sync_server.embedded.postgres import EmbeddedPostgres

DAY = date(2017, 9, 4)
STORE = """
INSERT INTO store (store_id, location_id, timezone, day_start, currency, created_at)
VALUES ('STORE-292', 'LOC-292', 'Europe/Berlin', '00:00', 'USD', now()) RETURNING store_no
"""
POSTED = """
INSERT INTO pos_event (store_no, store_sequence, event_key, event_id, content_hash, type, item_no, quantity,
    amount, occurred_at, time_reading, business_date, journal_sequence, details)
VALUES (%(store)s, %(sequence)s, %(key)s, %(id)s, '', %(type)s, 1, 2, 5.00, now(), 'OFFSET', '2017-09-04',
    %(journal)s, %(details)s)
"""
MOVED = """
INSERT INTO stock_movement (store_no, store_sequence, item_no, type, quantity, value, on_hand_after,
    event_sequence, business_date, accounting_date, occurred_at)
VALUES (%s, %s, 1, 'SALE', %s, %s, 0, %s, '2017-09-04', '2017-09-04', now())
"""
BOOKED = """
INSERT INTO journal (store_no, store_sequence, first_sequence, kind, currency, business_date, accounting_date,
    posted_at)
VALUES (%s, %s, %s, 'POS', 'USD', '2017-09-04', '2017-09-04', now())
"""
JOURNAL_LINES = """
INSERT INTO journal_line (store_no, store_sequence, line_number, account, debit, credit)
VALUES (%(store)s, %(sequence)s, 1, '1000', 5.00, 0), (%(store)s, %(sequence)s, 2, '4000', 0, %(credit)s)
"""


class Ledger:
    """Books written by hand: opening stock of ten, one sale of two, one voided; `owner` may break rules."""

    def __init__(self, owner: psycopg.Connection[tuple[object, ...]]) -> None:
        self.owner = owner
        row = owner.execute(STORE).fetchone()
        assert row is not None
        self.store_no = row[0]
        self.move(1, "10", "17.50", None)
        self.post(2, "292-1-1", "SALE", journal=4)
        self.move(3, "-2", "-3.50", 2)
        self.book(4)
        owner.execute(
            "INSERT INTO store_stock (store_no, item_no, on_hand, value) VALUES (%s, 1, 8, 14.00)",
            [self.store_no],
        )

    def post(
        self, sequence: int, event_id: str, kind: str, *, journal: int | None, details: str | None = None
    ) -> None:
        """A posted event."""
        self.owner.execute(
            POSTED,
            {
                "store": self.store_no,
                "sequence": sequence,
                "key": event_key(event_id),
                "id": event_id,
                "type": kind,
                "journal": journal,
                "details": details,
            },
        )

    def move(self, sequence: int, quantity: str, value: str, event_sequence: int | None) -> None:
        """A stock movement."""
        self.owner.execute(MOVED, [self.store_no, sequence, quantity, value, event_sequence])

    def book(self, sequence: int, credit: str = "5.00") -> None:
        """A journal over 5.00."""
        self.owner.execute(BOOKED, [self.store_no, sequence, sequence])
        self.owner.execute(JOURNAL_LINES, {"store": self.store_no, "sequence": sequence, "credit": credit})

    def say(self, statement: str) -> None:
        """Any other statement; `{store}` stands for the store's number."""
        self.owner.execute(statement.replace("{store}", str(self.store_no)).encode())


@pytest.fixture
def ledger(postgres: EmbeddedPostgres, database_name: str) -> Iterator[Ledger]:
    """Books that hold, open to somebody who may switch the database's own rules off."""
    url = postgres.url(database_name, "postgres")
    with psycopg.connect(url, autocommit=True) as owner:
        yield Ledger(owner)


GOOD = BooksEvidence(
    journals=1, unbalanced_journals=0, stock_rows=1, stock_differences=0, events_without_movement_or_journal=0
)


def read(database: Database) -> LedgerEvidence:
    """The evidence."""
    return read_ledger(database)


def test_books_that_hold_are_read_as_such(ledger: Ledger, database: Database) -> None:
    found = read(database)

    assert found.books == GOOD
    assert found.posted == {"STORE-292": [event_key("292-1-1")]}
    assert found.held == {}


def test_a_stock_row_that_somebody_changed_is_found(ledger: Ledger, database: Database) -> None:
    ledger.say("UPDATE store_stock SET on_hand = 9")

    assert read(database).books == replace(GOOD, stock_differences=1)


def test_a_stock_value_that_is_a_cent_off_is_found(ledger: Ledger, database: Database) -> None:
    ledger.say("UPDATE store_stock SET value = value + 0.01")

    assert read(database).books == replace(GOOD, stock_differences=1)


def test_a_reservation_or_a_transfer_that_no_movement_explains_is_found(
    ledger: Ledger, database: Database
) -> None:
    ledger.say("UPDATE store_stock SET in_transit = 1")

    assert read(database).books == replace(GOOD, stock_differences=1)


def test_a_stock_row_that_is_gone_is_found(ledger: Ledger, database: Database) -> None:
    ledger.say("DELETE FROM store_stock")

    assert read(database).books.stock_differences == 1


def test_a_movement_that_is_gone_is_found_in_stock_and_at_its_event(
    ledger: Ledger, database: Database
) -> None:
    ledger.say(
        "ALTER TABLE stock_movement DISABLE TRIGGER USER; DELETE FROM stock_movement WHERE store_sequence = 3"
    )

    assert read(database).books == replace(GOOD, stock_differences=1, events_without_movement_or_journal=1)


def test_a_journal_that_does_not_balance_is_found(ledger: Ledger, database: Database) -> None:
    ledger.say("ALTER TABLE journal_line DISABLE TRIGGER USER")
    ledger.book(9, credit="4.99")

    assert read(database).books == replace(GOOD, journals=2, unbalanced_journals=1)


def test_a_journal_without_lines_is_found(ledger: Ledger, database: Database) -> None:
    ledger.owner.execute(BOOKED, [ledger.store_no, 9, 9])

    assert read(database).books == replace(GOOD, journals=2, unbalanced_journals=1)


def test_lines_without_a_journal_are_found(ledger: Ledger, database: Database) -> None:
    ledger.say("ALTER TABLE journal DISABLE TRIGGER USER; DELETE FROM journal")
    books = read(database).books

    assert books.unbalanced_journals == 2
    assert books.events_without_movement_or_journal == 1


def test_a_sale_without_a_journal_is_found(ledger: Ledger, database: Database) -> None:
    ledger.post(10, "292-1-2", "SALE", journal=None)
    ledger.move(11, "0", "0", 10)

    assert read(database).books.events_without_movement_or_journal == 1


def test_damaged_goods_that_came_back_move_no_stock(ledger: Ledger, database: Database) -> None:
    ledger.post(10, "292-2-1", "RETURN", journal=4, details='{"disposition": "DAMAGED", "note": "\\u0000"}')
    ledger.post(11, "292-2-2", "RETURN", journal=4)

    assert read(database).books.events_without_movement_or_journal == 1


def test_a_void_that_had_no_effect_is_found(ledger: Ledger, database: Database) -> None:
    ledger.post(10, "292-1-0-VOID", "VOID", journal=None)
    assert read(database).books.events_without_movement_or_journal == 1

    ledger.say("INSERT INTO void_effect VALUES ({store}, 11, 10, 2)")
    assert read(database).books.events_without_movement_or_journal == 0


def test_held_events_are_counted_until_somebody_has_dealt_with_them(
    ledger: Ledger, database: Database
) -> None:
    ledger.say(
        "INSERT INTO held_event (store_no, event_key, content_hash, batch_id, reason, raw, received_at,"
        " status, decided_at, decided_by)"
        " SELECT {store}, gen_random_uuid(), '', 'B', 'EVENT_ID_REUSED', '{}', now(), status, decided_at, 'sam'"
        " FROM (VALUES ('HELD', NULL), ('DISCARDED', now())) AS held (status, decided_at)"
    )

    assert read(database).held == {"STORE-292": 1}


def test_a_day_is_proven_when_every_stream_of_it_is(ledger: Ledger, database: Database) -> None:
    ledger.say("INSERT INTO stream (store_no, stream_id) VALUES ({store}, 'a'), ({store}, 'b')")
    ledger.say(
        "INSERT INTO store_day (store_no, business_date, stream_no, state, digest, events, compared_at)"
        " SELECT {store}, day::date, stream_no, CASE WHEN stream_id = 'b' AND day = '2017-09-05'"
        " THEN 'DIFFERS' ELSE 'PROVEN' END, '', 1, now() FROM stream, unnest(ARRAY['2017-09-04', '2017-09-05']) AS day"
    )

    assert read(database).day_states == {"STORE-292": {DAY: "PROVEN", date(2017, 9, 5): "DIFFERS"}}
