"""`verify` finds each kind of damage: every promise is broken here on purpose, as the tables' owner could."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database, Work
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.errors import NotFound
from sync_server.reservations.reserving import Wish, fulfil, reserve
from sync_server.support.ledger_check import MOST_FAULTS
from sync_server.support.verify import CHECKS, verify
from tests.agent_stream import AgentStream
from tests.builders import OPERATOR
from tests.database_for_many import database_for_many
from tests.postgres.damage import AUDIT, DAMAGES, Damage
from tests.set_clock import START
from tests.store_counts import StoreCounts, at
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, basket, cash, receipt, returned, sale, void

NAME = "test_verify"


class _Undo(Exception):
    """Takes back what a test has planted."""


def _a_day(store: StoreLedger) -> None:
    store.open_with({ITEM: ("10", "4.00"), "item-002": ("5", "2.00")})
    stream = AgentStream()
    z = {"type": "DAY_CLOSE", "totals": {"SALE": "20.00"}}
    store.post(sale(1, eventId="known"), sale(2, eventId="from a till"), z)
    events = [
        *stream.group(*basket("S-1", sale(2, "20.00", tenders=[cash(20)]), sale(1, "5.00", item="item-002"))),
        *stream.group(*basket("S-2", sale(3, "30.00"))),
        *stream.groups(
            returned(1, originalSaleId="S-1", eventId="R-1"),
            returned(1, originalSaleId="S-1", eventId="R-2", item="item-002", disposition="DAMAGED"),
            void("S-2/1", eventId="V-1"),
            void("later", eventId="V-2"),
            receipt(3, "5.00"),
            sale(9, eventId="known"),
            sale(2, eventId="from a till"),
        ),
    ]
    _reserve(store)
    _count(store)
    scanned = {"itemId": ITEM, "transferId": f"T-{store.store_id}"}
    store.post(
        {"type": "TRANSFER_OUT", "quantity": 1, **scanned}, {"type": "TRANSFER_IN", "quantity": 2, **scanned}
    )
    store.post(*events, batch_id="the day", stream=stream)


def _count(store: StoreLedger) -> None:
    """Of 5 there are 4 left at noon; a sale of the morning comes later and explains it."""
    store.post(receipt(5, "1.00", "item-004", occurredAt=at(6)))
    counts = StoreCounts(store)
    counts.settle(counts.count({"item-004": "4"}))
    store.post(sale(1, item="item-004", occurredAt=at(9)))


def _reserve(store: StoreLedger) -> None:
    """Of 3 reserved 1 is shipped, and 2 are sold: one of them the shipped one."""
    store.open_with({"item-003": ("5", "1.00")})
    with store.database.unit_of_work() as work:
        wish = Wish("item-003", Decimal(3), START + timedelta(days=1))
        reservation = reserve(work, store.store_no, wish, by=OPERATOR, now=START).reservation_id
        fulfil(work, ChartOfAccounts(), reservation, Decimal(1), by=OPERATOR, now=START)
    store.post(sale(2, item="item-003", reservationId=reservation))


@pytest.fixture(scope="module")
def owner(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Two stores after the same day, worked on as the tables' owner."""
    with database_for_many(postgres, NAME) as application:
        for store_id in ("STORE-01", "STORE-02"):
            _a_day(StoreLedger(application, store_id))
        owner = Database(postgres.url(NAME, OWNER_ROLE), role=None)
        yield owner
        owner.close()


@pytest.fixture
def damaged(owner: Database) -> Iterator[Work]:
    """A transaction in which anything may be done to the ledger; it is taken back."""
    try:
        with owner.unit_of_work() as work:
            tables = work.connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (table,) in tables:
                work.connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            yield work
            raise _Undo
    except _Undo:
        pass


def test_a_database_that_was_only_posted_to_is_whole(owner: Database) -> None:
    with owner.reading() as work:
        assert verify(work) == []
        assert verify(work, "STORE-01") == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.name))
def test_every_kind_of_damage_is_found_and_named(damaged: Work, damage: Damage) -> None:
    done = damaged.connection.execute(damage.statement.encode(), {"store": "STORE-02"})
    assert done.rowcount > 0
    faults = verify(damaged)
    assert faults
    assert {fault.store_id for fault in faults} == {"STORE-02"}
    assert any(damage.found in str(fault) for fault in faults), "\n".join(map(str, faults))
    assert verify(damaged, "STORE-02") == faults
    assert verify(damaged, "STORE-01") == []
    if damage.promise != AUDIT:
        broken = [check.promise for check in CHECKS if check.faults(damaged.connection, None)]
        assert damage.promise in broken


def test_every_promise_has_been_broken_here() -> None:
    assert {damage.promise for damage in DAMAGES} == {check.promise for check in CHECKS} | {AUDIT}


def test_much_damage_is_named_in_part(damaged: Work) -> None:
    damaged.connection.execute(
        """INSERT INTO outbox (store_no, store_sequence, kind)
           SELECT 1, number, 1 FROM generate_series(1000, 2000) AS number"""
    )
    assert len(verify(damaged)) == MOST_FAULTS


def test_the_chain_of_headquarters_is_verified_too(damaged: Work) -> None:
    damaged.connection.execute("UPDATE store SET audit_sequence = 7 WHERE store_no = 0")
    assert [fault.store_id for fault in verify(damaged)] == ["HEADQUARTERS"]


def test_a_store_that_does_not_exist_cannot_be_verified(owner: Database) -> None:
    with owner.reading() as work, pytest.raises(NotFound, match="STORE-99"):
        verify(work, "STORE-99")
