"""Things that tests need in the database, with defaults for all that does not matter to the test at hand."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sync_server.database import Database
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.roles import Role
from sync_server.people.tokens import issue_person_token, issue_service_token
from sync_server.people.users import add_person
from sync_server.stores.enrolment import Applicant, create_enrolment_code, enrol
from sync_server.stores.registry import NewStore, add_store, find_store
from tests.set_clock import START

OPERATOR = Caller(kind=CallerKind.COMMAND_LINE, name="tester", request_id="req-test", origin="test")


@dataclass(frozen=True, slots=True)
class EnrolledAgent:
    """An agent as it is after enrolment."""

    store_id: str
    store_no: int
    device_id: UUID
    credential: str


def build_store(
    database: Database,
    store_id: str = "STORE-01",
    *,
    timezone: str = "UTC",
    day_start: str = "00:00",
    currency: str = "USD",
    now: datetime = START,
) -> int:
    """Adds a store and returns its number."""
    new = NewStore(
        store_id=store_id,
        location_id=f"LOC-{store_id}",
        timezone=timezone,
        day_start=day_start,
        currency=currency,
    )
    with database.unit_of_work() as work:
        add_store(work, new, by=OPERATOR, now=now)
        store_no = find_store(work, store_id).store_no
    assert store_no is not None
    return store_no


def build_agent(database: Database, store_id: str = "STORE-01", *, now: datetime = START) -> EnrolledAgent:
    """Enrols an agent of a store that is there."""
    device_id = uuid4()
    with database.unit_of_work() as work:
        code = create_enrolment_code(work, store_id, by=OPERATOR, now=now)
        enrolment = enrol(work, code, Applicant(device_id, "till PC", "0.1.0"), request=OPERATOR, now=now)
    return EnrolledAgent(store_id, enrolment.store_no, device_id, enrolment.credential)


def build_person(database: Database, name: str = "ada", *roles: Role, now: datetime = START) -> str:
    """Adds a person, a viewer unless other roles are named, and returns a token of theirs."""
    with database.unit_of_work() as work:
        add_person(work, name, [role.value for role in roles or (Role.VIEWER,)], by=OPERATOR, now=now)
        return issue_person_token(work, name, by=OPERATOR, now=now)


def build_till(database: Database, store_id: str = "STORE-01", *, now: datetime = START) -> str:
    """Issues a token for a till of the store that posts straight to headquarters."""
    with database.unit_of_work() as work:
        store_no = find_store(work, store_id).store_no
        assert store_no is not None
        return issue_service_token(
            work, "till-1", Role.TILL.value, store=(store_no, store_id), by=OPERATOR, now=now
        )
