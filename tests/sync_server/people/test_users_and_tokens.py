"""Adding people and issuing tokens: safe to repeat, refused with everything that is wrong, audited."""

import pytest

from sync_server.database import Database
from sync_server.errors import Conflict, Invalid, NotFound
from sync_server.people.roles import Role
from sync_server.people.tokens import issue_person_token, issue_service_token
from sync_server.people.users import add_person, list_people
from tests.builders import OPERATOR
from tests.set_clock import START


def test_the_very_same_person_is_added_once(database: Database) -> None:
    with database.unit_of_work() as work:
        assert add_person(work, "ada", ["approver", "viewer"], by=OPERATOR, now=START)
    with database.unit_of_work() as work:
        assert not add_person(work, "ada", ["viewer", "approver"], by=OPERATOR, now=START)
    with database.reading() as work:
        people = list_people(work)
        entries = work.connection.execute("SELECT actor, action, subject, after FROM audit_entry").fetchall()
    assert [(person.name, person.roles) for person in people] == [("ada", (Role.APPROVER, Role.VIEWER))]
    assert entries == [("tester", "person.added", "ada", {"name": "ada", "roles": ["approver", "viewer"]})]


def test_a_person_with_other_roles_is_not_overwritten(database: Database) -> None:
    with database.unit_of_work() as work:
        add_person(work, "ada", ["viewer"], by=OPERATOR, now=START)
    with pytest.raises(Conflict, match="viewer"), database.unit_of_work() as work:
        add_person(work, "ada", ["admin"], by=OPERATOR, now=START)


def test_everything_that_is_wrong_with_a_person_is_named(database: Database) -> None:
    with pytest.raises(Invalid) as refusal, database.unit_of_work() as work:
        add_person(work, "", ["king", "till"], by=OPERATOR, now=START)
    assert [(each.field, each.rejected_value) for each in refusal.value.violations] == [
        ("roles", "king"),
        ("roles", "till"),
        ("name", ""),
    ]


def test_a_token_needs_a_person_that_is_there(database: Database) -> None:
    with pytest.raises(NotFound, match="user add"), database.unit_of_work() as work:
        issue_person_token(work, "nobody", by=OPERATOR, now=START)


def test_a_tills_token_needs_its_store(database: Database) -> None:
    with pytest.raises(Invalid), database.unit_of_work() as work:
        issue_service_token(work, "till-1", "till", store=None, by=OPERATOR, now=START)


def test_the_issue_of_a_token_is_audited_without_the_token(database: Database) -> None:
    with database.unit_of_work() as work:
        key = issue_service_token(work, "report", "viewer", store=None, by=OPERATOR, now=START)
    with database.reading() as work:
        entry = work.connection.execute("SELECT action, subject, after FROM audit_entry").fetchone()
    assert entry == (
        "token.issued",
        "report",
        {"service": "report", "role": "viewer", "store": None, "prefix": key[:12]},
    )
