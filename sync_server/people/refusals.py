"""What callers who proved who they are were not allowed to do, in headquarters' own audit chain.

Not in the store's: that chain moves under the store's lock, and nobody shall hold up a store by being refused.
"""

from datetime import datetime

from sync_server.database import Database
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.schema import HEADQUARTERS

MAX_SUBJECT_CHARACTERS = 300


def record_refusal(database: Database, caller: Caller, what: str, why: str, now: datetime) -> None:
    """Audits that `caller` asked for `what` (method and path) and was refused."""
    subject = what[:MAX_SUBJECT_CHARACTERS].replace("\x00", "")
    facts = facts_by(caller, at=now, action="request.refused", subject=subject, after={"reason": why})
    with database.unit_of_work() as work:
        append_entry(work, HEADQUARTERS, facts)
