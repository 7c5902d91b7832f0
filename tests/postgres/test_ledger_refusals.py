"""What the database itself refuses, whoever asks: changed or deleted ledger rows, unbalanced books, doubles."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.publishing.kinds import OutboxKind
from tests.agent_stream import AgentStream
from tests.announcing import announce
from tests.database_for_many import database_for_many
from tests.postgres.reserving_crowd import Reserver
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, basket, returned, sale, void

NAME = "test_refusals"
LEDGER = [
    "pos_batch", "pos_event", "void_effect", "sale_return", "stream_receipt", "stock_movement", "journal",
    "journal_line", "audit_entry", "announcement", "reservation_sale",
]  # fmt: skip
CHANGES: dict[str, LiteralString] = {
    "UPDATE": "UPDATE {} SET store_no = store_no",
    "DELETE": "DELETE FROM {}",
    "TRUNCATE": "TRUNCATE {}",
}


@pytest.fixture(scope="module")
def ledger(postgres: EmbeddedPostgres) -> Iterator[StoreLedger]:
    """A store with a row in every table of the ledger; nothing that is tried here changes it."""
    with database_for_many(postgres, NAME) as database:
        store = StoreLedger(database)
        store.open_with({ITEM: ("10", "4.00")})
        stream = AgentStream()
        events = [*basket("S-1", sale(2)), returned(1, originalSaleId="S-1", eventId="R-1"), void("S-1/1")]
        store.post(*stream.groups(*events), stream=stream)
        reservation = Reserver(database, store.store_no).reserve(3)
        store.post(*stream.groups(sale(1, reservationId=reservation)), stream=stream)
        announce(database, store.store_no, (OutboxKind.TRANSFER, "TR-1", {"transferId": "TR-1"}), now=START)
        yield store
        store.check()


@pytest.mark.parametrize("table", LEDGER)
@pytest.mark.parametrize("change", CHANGES)
def test_the_application_may_not_change_or_delete_what_is_in_the_ledger(
    ledger: StoreLedger, table: str, change: str
) -> None:
    statement = sql.SQL(CHANGES[change]).format(sql.Identifier(table))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.database.unit_of_work() as work:
        work.connection.execute(statement)


@pytest.mark.parametrize("table", LEDGER)
@pytest.mark.parametrize("change", CHANGES)
def test_not_even_the_owner_changes_or_deletes_it_by_mistake(
    ledger: StoreLedger, postgres: EmbeddedPostgres, table: str, change: str
) -> None:
    statement = sql.SQL(CHANGES[change]).format(sql.Identifier(table))
    with (
        psycopg.connect(postgres.url(NAME, OWNER_ROLE)) as owner,
        pytest.raises(psycopg.errors.RestrictViolation, match="never changed or deleted"),
    ):
        owner.execute(statement)


@pytest.mark.parametrize(
    "table", ["reservation", "store_stock", "pos_sale", "void_claim", "held_event", "stream", "store", "item"]
)
def test_the_application_deletes_nothing_it_posts_to(ledger: StoreLedger, table: str) -> None:
    statement = sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.database.unit_of_work() as work:
        work.connection.execute(statement)


def _insert_lines(ledger: StoreLedger, *lines: tuple[int, str, str]) -> None:
    rows = ",".join(
        f"({ledger.store_no}, 999, {number}, '1000', {debit}, {credit})" for number, debit, credit in lines
    )
    columns = "store_no, store_sequence, line_number, account, debit, credit"
    statement = f"INSERT INTO journal_line ({columns}) VALUES {rows}"
    with ledger.database.unit_of_work() as work:
        work.connection.execute(statement.encode())


@pytest.mark.parametrize(
    "lines",
    [[(1, "5.00", "0")], [(1, "5.00", "0"), (2, "0", "4.99")], [(1, "5", "0"), (2, "0", "3"), (3, "0", "1")]],
)
def test_a_journal_that_does_not_balance_is_refused(
    ledger: StoreLedger, lines: list[tuple[int, str, str]]
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="does not balance"):
        _insert_lines(ledger, *lines)


@pytest.mark.parametrize(("debit", "credit"), [("0", "0"), ("5", "5"), ("-5", "0"), ("0", "-5")])
def test_a_line_of_a_journal_has_one_side(ledger: StoreLedger, debit: str, credit: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="one_side"):
        _insert_lines(ledger, (1, debit, credit))


def test_one_event_key_is_in_the_ledger_once(ledger: StoreLedger) -> None:
    copy = """INSERT INTO pos_event (store_no, store_sequence, event_key, content_hash, type, occurred_at, time_reading,
                                     business_date)
              SELECT store_no, 999, event_key, content_hash, type, occurred_at, time_reading, business_date
              FROM pos_event LIMIT 1"""
    with pytest.raises(psycopg.errors.UniqueViolation), ledger.database.unit_of_work() as work:
        work.connection.execute(copy)


def test_one_line_is_taken_back_once(ledger: StoreLedger) -> None:
    again = """INSERT INTO void_effect (store_no, store_sequence, void_sequence, voided_sequence)
               SELECT store_no, 999, void_sequence, voided_sequence FROM void_effect LIMIT 1"""
    with pytest.raises(psycopg.errors.UniqueViolation), ledger.database.unit_of_work() as work:
        work.connection.execute(again)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE store_stock SET reserved = -1",
        "UPDATE reservation SET remaining = remaining + 100",
        "UPDATE reservation SET remaining = 0",
        "UPDATE reservation SET taken = -1",
        "UPDATE reservation SET billed = shipped + 1",
        "UPDATE reservation SET status = 'FULFILLED', remaining = 0, closed_at = made_at",
        "UPDATE reservation SET status = 'LOST', remaining = 0, closed_at = made_at",
        "UPDATE reservation SET status = 'RELEASED', remaining = 0",
    ],
)
def test_a_reservation_that_contradicts_itself_is_refused(ledger: StoreLedger, change: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), ledger.database.unit_of_work() as work:
        work.connection.execute(change.encode())


@pytest.mark.parametrize("column", ["quantity", "item_no", "expires_at", "made_by"])
def test_what_was_granted_is_never_changed(ledger: StoreLedger, column: str) -> None:
    statement = sql.SQL("UPDATE reservation SET {0} = {0}").format(sql.Identifier(column))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.database.unit_of_work() as work:
        work.connection.execute(statement)
