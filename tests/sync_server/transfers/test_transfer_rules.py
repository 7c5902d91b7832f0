"""What PostgreSQL itself refuses about transfers, tried with the application's own role and with the owner's."""

from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.people.users import give_cashier
from tests.builders import OPERATOR
from tests.database_for_many import database_for_many
from tests.http_door import http_door
from tests.set_clock import START, SetClock
from tests.sync_server.transfers.two_stores import TwoStores, scan_in, scan_out

NAME = "test_transfer_rules"
LEDGER = ["transfer_line", "transfer_leg", "transfer_arrival", "transfer_receipt", "transfer_settlement"]
CHANGES: dict[str, LiteralString] = {
    "UPDATE": "UPDATE {} SET item_no = item_no",
    "DELETE": "DELETE FROM {}",
    "TRUNCATE": "TRUNCATE {}",
}
SETTLE = """
INSERT INTO transfer_settlement (store_no, store_sequence, transfer_id, item_no, quantity, value, reason_code,
                                 settled_by, settled_at)
VALUES (1, 999, %s, 1, -1, -4, 'THEFT', %s, now())
"""


@pytest.fixture(scope="module")
def settled(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoStores]:
    """A transfer with every step behind it, in every table; nothing that is tried here changes it."""
    folder: Path = tmp_path_factory.mktemp("data")
    with database_for_many(postgres, NAME) as database, http_door(database, folder) as http:
        stores = TwoStores(database, http, SetClock())
        stores.request(4, transferId="T-1")
        stores.ship("T-1", 2)
        stores.source.post(scan_out(2, cashierId="c-1"))
        stores.receive("T-1", 1)
        stores.destination.post(scan_in(1, cashierId="c-2"))
        stores.deliver()
        assert stores.settle("T-1").status_code == 200
        yield stores
        stores.check()


@pytest.mark.parametrize("table", LEDGER)
@pytest.mark.parametrize("change", CHANGES)
def test_the_application_may_not_change_or_delete_what_happened_to_goods(
    settled: TwoStores, table: str, change: str
) -> None:
    statement = sql.SQL(CHANGES[change]).format(sql.Identifier(table))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), settled.database.unit_of_work() as work:
        work.connection.execute(statement)


@pytest.mark.parametrize("table", LEDGER)
@pytest.mark.parametrize("change", CHANGES)
def test_not_even_the_owner_does_so_by_mistake(
    settled: TwoStores, postgres: EmbeddedPostgres, table: str, change: str
) -> None:
    statement = sql.SQL(CHANGES[change]).format(sql.Identifier(table))
    with (
        psycopg.connect(postgres.url(NAME, OWNER_ROLE)) as owner,
        pytest.raises(psycopg.errors.RestrictViolation),
    ):
        owner.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfer SET to_store_no = 1",
        "UPDATE transfer SET made_by = 'otto'",
        "DELETE FROM transfer",
        "UPDATE transfer_leg_waiting SET transfer_id = 'T-2'",
    ],
)
def test_the_application_may_not_send_goods_elsewhere(settled: TwoStores, statement: LiteralString) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), settled.database.unit_of_work() as work:
        work.connection.execute(statement)


def test_a_leg_cannot_arrive_twice(settled: TwoStores) -> None:
    again = """INSERT INTO transfer_arrival SELECT from_store_no, leg_sequence, store_no, 999, transfer_id, item_no,
               quantity, value, variance FROM transfer_arrival LIMIT 1"""
    with pytest.raises(psycopg.errors.UniqueViolation), settled.database.unit_of_work() as work:
        work.connection.execute(again)


def test_postgresql_refuses_a_settlement_by_whoever_shipped_or_received(settled: TwoStores) -> None:
    with (
        pytest.raises(psycopg.errors.RestrictViolation, match="took part"),
        settled.database.unit_of_work() as work,
    ):
        work.connection.execute(SETTLE, ["T-1", "ada"])


def test_who_stood_at_the_till_took_part(stores: TwoStores) -> None:
    """otto is c-7 at the source: what c-7 or an unknown cashier scanned there is not for him to settle."""
    source_no = stores.source.store_no
    with stores.database.unit_of_work() as work:
        give_cashier(work, "otto", (source_no, "FROM"), "c-7", by=OPERATOR, now=START)
    for name, cashier, status in (("T-1", "c-7", 403), ("T-2", None, 403), ("T-3", "c-9", 403)):
        stores.request(2, transferId=name)
        who = {} if cashier is None else {"cashierId": cashier}
        stores.source.post(scan_out(2, name, **who))
        stores.receive(name, 1)
        assert stores.settle(name).status_code == status, name
    # c-9 turns out to be somebody else; otto may settle what they scanned.
    with stores.database.unit_of_work() as work:
        give_cashier(work, "ada", (source_no, "FROM"), "c-9", by=OPERATOR, now=START)
    assert stores.settle("T-3").status_code == 200
    with pytest.raises(psycopg.errors.RestrictViolation), stores.database.unit_of_work() as work:
        work.connection.execute(SETTLE, ["T-1", "otto"])
    stores.check()
