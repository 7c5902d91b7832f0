"""Nobody approves what they made: by person, in the program and in the database, whatever role they get later."""

from typing import Any

import psycopg
import pytest

from sync_server.errors import Forbidden
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.roles import Role
from sync_server.people.users import give_cashier
from sync_server.reconciliation.makers import add_makers, maker_at_till
from tests.builders import OPERATOR
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_counts import StoreCounts, at, person
from tests.till_events import receipt

APPROVE = """
UPDATE reconciliation SET status = 'APPROVED', approved_at = now(), approved_hash = '\\x00', complete = true,
    approved_by = (SELECT person_no FROM person WHERE name = %s)
WHERE reconciliation_id = %s
"""


@pytest.fixture
def counts(new_store: NewStore) -> StoreCounts:
    """A store with ten apples."""
    store = new_store()
    store.post(receipt(10, "4.00", "apple", occurredAt=at(6)))
    return StoreCounts(store)


def _grant(counts: StoreCounts, name: str) -> None:
    with counts.store.database.unit_of_work() as work:
        work.connection.execute(
            """INSERT INTO person_role (person_no, role, granted_at)
               SELECT person_no, 'approver', now() FROM person WHERE name = %s ON CONFLICT DO NOTHING""",
            [name],
        )


def _in_the_database(counts: StoreCounts, statement: str, *parameters: Any) -> None:
    with counts.store.database.unit_of_work() as work:
        work.connection.execute(statement.encode(), parameters)


def _cashier(counts: StoreCounts, name: str, cashier_id: str) -> None:
    store = (counts.store.store_no, counts.store.store_id)
    with counts.store.database.unit_of_work() as work:
        give_cashier(work, name, store, cashier_id, by=OPERATOR, now=START)


def _counted_at_till(counts: StoreCounts, cashier_id: str | None) -> str:
    """A document that a cashier made alone."""
    document = counts.count({"apple": "6"})
    with counts.store.database.unit_of_work() as work:
        cursor = work.connection.cursor()
        add_makers(cursor, counts.store.store_no, document, [maker_at_till(cashier_id)])
    return document


def test_a_maker_does_not_approve_not_even_with_a_role_that_came_later(counts: StoreCounts) -> None:
    both = person(counts.store, f"both {counts.store.store_id}", Role.STOCK_CONTROLLER)
    counts.ada = both
    document = counts.count({"apple": "6"})
    _grant(counts, both.name)
    with pytest.raises(Forbidden, match="Nobody approves what they made"):
        counts.approve(document, by=both)
    with pytest.raises(psycopg.errors.CheckViolation, match="nobody approves what they made"):
        _in_the_database(counts, APPROVE, both.name, document)
    counts.settle(document)
    counts.store.check()


def test_a_cashier_does_not_approve_what_they_counted_at_the_till(counts: StoreCounts) -> None:
    document = _counted_at_till(counts, "7")
    carl = person(counts.store, f"carl {counts.store.store_id}", Role.APPROVER)
    _cashier(counts, carl.name, "7")
    with pytest.raises(Forbidden):
        counts.approve(document, by=carl)
    with pytest.raises(psycopg.errors.CheckViolation, match="nobody approves what they made"):
        _in_the_database(counts, APPROVE, carl.name, document)
    counts.approve(document)


@pytest.mark.parametrize("cashier_id", [None, "99"])
def test_without_a_known_cashier_nobody_of_that_store_approves(
    counts: StoreCounts, cashier_id: str | None
) -> None:
    """Of a store is who has a cashier id there; bob works elsewhere and may."""
    document = _counted_at_till(counts, cashier_id)
    dora = person(counts.store, f"dora {counts.store.store_id}", Role.APPROVER)
    _cashier(counts, dora.name, "8")
    with pytest.raises(Forbidden, match="nobody of that store"):
        counts.approve(document, by=dora)
    with pytest.raises(psycopg.errors.CheckViolation, match="nobody of that store"):
        _in_the_database(counts, APPROVE, dora.name, document)
    counts.approve(document)


def test_a_token_of_a_service_is_not_a_person(counts: StoreCounts) -> None:
    service = Caller(kind=CallerKind.SERVICE, name="nightly", request_id="r", origin="test")
    with pytest.raises(Forbidden, match="not for a service"):
        counts.approve(counts.count({"apple": "6"}), by=service)


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (
            APPROVE.replace("approved_hash = '\\x00', ", "").replace("%s)", "'bob') -- %s"),
            "content that was seen",
        ),
        ("UPDATE reconciliation SET status = 'POSTED' WHERE reconciliation_id = %s", "cannot become POSTED"),
        (APPROVE.replace("true", "false").replace("%s)", "'bob') -- %s"), "needs a reason"),
    ],
)
def test_the_database_refuses_a_way_around_the_approval(
    counts: StoreCounts, statement: str, refusal: str
) -> None:
    document = counts.count({"apple": "6"})
    statement = statement.replace(" -- %s", "")
    with pytest.raises(psycopg.errors.CheckViolation, match=refusal):
        _in_the_database(counts, statement, document)


def test_the_database_refuses_a_document_that_is_born_approved(counts: StoreCounts) -> None:
    document = counts.count({"apple": "6"})
    copy = """INSERT INTO reconciliation (store_no, reconciliation_id, date, variance_amount, reason, status, complete,
                                          made_by, made_at)
              SELECT store_no, reconciliation_id || '-2', date, 0, reason, 'APPROVED', true, 'eve', now()
              FROM reconciliation WHERE reconciliation_id = %s"""
    with pytest.raises(psycopg.errors.CheckViolation, match="begins OPEN"):
        _in_the_database(counts, copy, document)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reconciliation_line SET variance_quantity = 0 WHERE reconciliation_id = %s",
        "UPDATE reconciliation_line SET withdrawn = true WHERE reconciliation_id = %s",
        "UPDATE reconciliation_tender SET expected = 0 WHERE reconciliation_id = %s",
        "UPDATE reconciliation SET approved_hash = '\\x01' WHERE reconciliation_id = %s",
        "UPDATE reconciliation SET status = 'OPEN' WHERE reconciliation_id = %s",
        """INSERT INTO reconciliation_line (store_no, reconciliation_id, line_number, item_no, counted, counted_at,
                                            reason_code)
           SELECT store_no, reconciliation_id, 99, item_no, 0, counted_at, reason_code FROM reconciliation_line
           WHERE reconciliation_id = %s""",
    ],
)
def test_what_was_approved_is_past_changing(counts: StoreCounts, statement: str) -> None:
    document = counts.count({"apple": "6"}, tenders={"CASH": "1"})
    counts.approve(document)
    with pytest.raises(psycopg.errors.CheckViolation):
        _in_the_database(counts, statement, document)


@pytest.mark.parametrize("table", ["reconciliation_maker", "person_cashier", "count_correction"])
def test_who_made_it_cannot_be_changed(counts: StoreCounts, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        _in_the_database(counts, f"DELETE FROM {table}")
