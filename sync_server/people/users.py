"""People and the roles they hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from shared.identifiers import is_identifier
from shared.problems import Violation
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid, NotFound
from sync_server.people.audit_log import append_entry, facts_by, lock_headquarters
from sync_server.people.callers import Caller
from sync_server.people.roles import PERSON_ROLES, Role
from sync_server.people.tables import Person, PersonCashier, PersonRole
from sync_server.schema import HEADQUARTERS


@dataclass(frozen=True, slots=True)
class PersonWithRoles:
    """A person, the roles they hold now, and whether they may still sign in."""

    name: str
    roles: tuple[Role, ...]
    created_at: datetime
    disabled: bool


def add_person(work: Work, name: str, roles: Iterable[str], *, by: Caller, now: datetime) -> bool:
    """Adds a person with `roles`; false if the very same person is there already, so it is safe to repeat.

    Raises Invalid for a name or role that cannot be, Conflict if the person is there with other roles.
    """
    wanted = _person_roles(name, roles)
    lock_headquarters(work)
    there = work.session.exec(select(Person).where(Person.name == name)).first()
    if there is not None:
        held = _roles_of(work, there)
        if set(held) != wanted:
            raise Conflict(f"{name} is there already, with other roles: {', '.join(held)}")
        return False
    person = Person(name=name, created_at=now)
    work.session.add(person)
    work.flush()
    assert person.person_no is not None
    for role in sorted(wanted):
        work.session.add(PersonRole(person_no=person.person_no, role=role.value, granted_at=now))
    after = {"name": name, "roles": [role.value for role in sorted(wanted)]}
    append_entry(work, HEADQUARTERS, facts_by(by, at=now, action="person.added", subject=name, after=after))
    return True


def give_cashier(
    work: Work, name: str, store: tuple[int, str], cashier_id: str, *, by: Caller, now: datetime
) -> bool:
    """Writes down that `name` stands at the tills of `store` (number, id) as `cashier_id`; false if it is known.

    It stays for ever: whoever made something under the id may never approve it. Raises Invalid, NotFound.
    """
    if not is_identifier(cashier_id):
        rule = "must be 1 to 128 characters without control characters"
        raise Invalid("The id cannot be given", violations=[Violation("cashierId", rule, cashier_id)])
    lock_headquarters(work)
    store_no, store_id = store
    person = find_person(work, name)
    if work.session.get(PersonCashier, (store_no, cashier_id, person.person_no)) is not None:
        return False
    work.session.add(
        PersonCashier(
            store_no=store_no, cashier_id=cashier_id, person_no=person.person_no or 0, assigned_at=now
        )
    )
    after = {"storeId": store_id, "cashierId": cashier_id}
    append_entry(work, HEADQUARTERS, facts_by(by, at=now, action="person.cashier", subject=name, after=after))
    return True


def list_people(work: Work) -> list[PersonWithRoles]:
    """Everybody, by name."""
    people = work.session.exec(select(Person).order_by(col(Person.name))).all()
    return [
        PersonWithRoles(
            name=person.name,
            roles=_roles_of(work, person),
            created_at=person.created_at,
            disabled=person.disabled_at is not None,
        )
        for person in people
    ]


def find_person(work: Work, name: str) -> Person:
    """The person of that name; raises NotFound with what to do."""
    person = work.session.exec(select(Person).where(Person.name == name)).first()
    if person is None:
        raise NotFound(f"There is nobody called {name!r}; add them with `sync-server user add`")
    return person


def _person_roles(name: str, roles: Iterable[str]) -> set[Role]:
    wanted = set(roles)
    unknown = sorted(wanted - {role.value for role in PERSON_ROLES})
    violations = [
        Violation("roles", f"must be one of {', '.join(sorted(PERSON_ROLES))}", role) for role in unknown
    ]
    if not wanted:
        violations.append(Violation("roles", "at least one role is required"))
    if not is_identifier(name):
        violations.append(Violation("name", "must be 1 to 128 characters without control characters", name))
    if violations:
        raise Invalid("The person cannot be added", violations=violations)
    return {Role(role) for role in wanted}


def _roles_of(work: Work, person: Person) -> tuple[Role, ...]:
    query = select(PersonRole.role).where(PersonRole.person_no == person.person_no)
    return tuple(sorted(Role(role) for role in work.session.exec(query)))
