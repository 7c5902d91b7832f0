"""The registry of stores: adding them one by one or from a file, finding and listing them.

Adding the very same store again changes nothing and is a success; a store that differs is refused, since what
its zone and day start were decides the business dates of everything posted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from sqlmodel import col, select

from shared.identifiers import is_identifier, is_store_id
from shared.problems import ErrorCode, Violation
from shared.zone_data import zone_named
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid, NotFound
from sync_server.people.audit_log import append_entry, facts_by, lock_headquarters
from sync_server.people.callers import Caller
from sync_server.schema import HEADQUARTERS
from sync_server.stores.intake import Intake
from sync_server.stores.tables import Store

DEFAULT_CURRENCY = "USD"
DEFAULT_DAY_START = "00:00"
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_DAY_START = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStore:
    """A store to be added, as somebody wrote it down; `violations` says what cannot be."""

    store_id: str
    location_id: str
    timezone: str
    currency: str = DEFAULT_CURRENCY
    day_start: str = DEFAULT_DAY_START
    intake: str | None = None
    """The declared way of its events; None leaves it to the first batch."""

    def violations(self) -> list[Violation]:
        """Everything that is wrong with it, by the field's name on the wire."""
        found = []
        if not is_store_id(self.store_id):
            rule = "must be 1 to 64 letters, digits, dots, dashes or underscores"
            found.append(Violation("storeId", rule, self.store_id))
        if not is_identifier(self.location_id):
            rule = "must be 1 to 128 characters without control characters"
            found.append(Violation("locationId", rule, self.location_id))
        if not _CURRENCY.fullmatch(self.currency):
            found.append(Violation("currency", "must be an ISO 4217 code such as USD", self.currency))
        if not _DAY_START.fullmatch(self.day_start):
            found.append(Violation("dayStart", "must be a local time such as 04:00", self.day_start))
        if self.intake is not None and self.intake not in tuple(Intake):
            found.append(Violation("intake", f"must be one of {', '.join(Intake)}", self.intake))
        try:
            zone_named(self.timezone)
        except ValueError as error:
            found.append(Violation("timezone", str(error), self.timezone))
        return found


def add_store(work: Work, new: NewStore, *, by: Caller, now: datetime) -> bool:
    """Adds a store; false if the very same store is there already.

    Raises Invalid with every violation, Conflict if a store of that id is there and differs.
    """
    violations = new.violations()
    if violations:
        raise Invalid("The store cannot be added", violations=violations)
    lock_headquarters(work)
    there = work.session.exec(select(Store).where(Store.store_id == new.store_id)).first()
    if there is not None:
        if _written_down(there) != new:
            raise Conflict(f"Store {new.store_id} is there already and differs: {_written_down(there)}")
        return False
    store = Store(
        store_id=new.store_id,
        location_id=new.location_id,
        timezone=new.timezone,
        day_start=time.fromisoformat(new.day_start),
        currency=new.currency,
        created_at=now,
        intake=new.intake,
        intake_declared=new.intake is not None,
    )
    work.session.add(store)
    work.flush()
    assert store.store_no is not None
    after = {
        "storeId": new.store_id,
        "locationId": new.location_id,
        "timezone": new.timezone,
        "currency": new.currency,
        "dayStart": new.day_start,
    }
    if new.intake is not None:
        after["intake"] = new.intake
    facts = facts_by(by, at=now, action="store.added", subject=new.store_id, after=after)
    append_entry(work, store.store_no, facts)
    return True


def find_store(work: Work, store_id: str) -> Store:
    """The store of that id; raises NotFound (STORE_NOT_FOUND) with what to do."""
    query = select(Store).where(Store.store_id == store_id, Store.store_no != HEADQUARTERS)
    store = work.session.exec(query).first() if is_store_id(store_id) else None
    if store is None:
        raise no_such_store(store_id)
    return store


def store_number(work: Work, store_id: str) -> int:
    """The number of the store of that id; raises NotFound (STORE_NOT_FOUND)."""
    store_no = find_store(work, store_id).store_no
    assert store_no is not None
    return store_no


def no_such_store(store_id: str) -> NotFound:
    """The refusal of a request for a store that nobody has added."""
    message = f"There is no store {store_id!r}; add it with `sync-server store add`"
    return NotFound(message, code=ErrorCode.STORE_NOT_FOUND)


def declare_intake(work: Work, store_id: str, intake: Intake | None, *, by: Caller, now: datetime) -> bool:
    """Declares a store's intake, or, with None, that the next batch shall claim it; false if it was so. Audited.

    Raises NotFound.
    """
    store = find_store(work, store_id)
    assert store.store_no is not None
    query = "SELECT intake, intake_declared FROM store WHERE store_no = %s FOR NO KEY UPDATE"
    before = work.connection.execute(query, [store.store_no]).fetchone()
    after = (intake and intake.value, intake is not None)
    if before == after:
        return False
    work.connection.execute(
        "UPDATE store SET intake = %s, intake_declared = %s WHERE store_no = %s", [*after, store.store_no]
    )
    assert before is not None
    facts = facts_by(
        by,
        at=now,
        action="store.intake",
        subject=store_id,
        before={"intake": before[0], "declared": before[1]},
        after={"intake": after[0], "declared": after[1]},
    )
    append_entry(work, store.store_no, facts)
    return True


def list_stores(work: Work, *, after: str = "", limit: int | None = None) -> Sequence[Store]:
    """Stores by id, from the one after `after` on, at most `limit`."""
    query = select(Store).where(Store.store_no != HEADQUARTERS, col(Store.store_id) > after)
    return work.session.exec(query.order_by(col(Store.store_id)).limit(limit)).all()


def day_start_text(day_start: time) -> str:
    """A day start as it is written: `04:00`."""
    return day_start.strftime("%H:%M")


def _written_down(store: Store) -> NewStore:
    return NewStore(
        store_id=store.store_id,
        location_id=store.location_id,
        timezone=store.timezone,
        currency=store.currency,
        day_start=day_start_text(store.day_start),
        intake=store.intake if store.intake_declared else None,
    )


def set_adjustment_limit(
    work: Work, store_id: str, limit: Decimal | None, *, by: Caller, now: datetime
) -> bool:
    """Sets what the store's tills may adjust at once, in its currency; None: any amount. False if it is so already.

    Raises Invalid for a limit below zero, NotFound.
    """
    if limit is not None and limit < 0:
        raise Invalid(
            "The limit cannot be set", violations=[Violation("limit", "must not be negative", limit)]
        )
    store = find_store(work, store_id)
    assert store.store_no is not None
    row = work.connection.execute(
        "SELECT adjustment_limit FROM store WHERE store_no = %s FOR NO KEY UPDATE", [store.store_no]
    ).fetchone()
    assert row is not None
    if row[0] == limit:
        return False
    work.connection.execute(
        "UPDATE store SET adjustment_limit = %s WHERE store_no = %s", [limit, store.store_no]
    )
    before, after = {"adjustmentLimit": row[0]}, {"adjustmentLimit": limit}
    facts = facts_by(
        by, at=now, action="store.adjustment_limit", subject=store_id, before=before, after=after
    )
    append_entry(work, store.store_no, facts)
    return True
