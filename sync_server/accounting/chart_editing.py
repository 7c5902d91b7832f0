"""The chart of accounts as a person reads and changes it.

What is posted from then on is booked on the new account, by every process within REMEMBER_SECONDS; journals keep
the account of their day. The accounts of inventory and of goods in transit serve nothing else, nor ever did:
the daily proof rests on that, and PostgreSQL refuses anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from shared.identifiers import is_identifier
from shared.problems import Violation
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid, NotFound
from sync_server.people.audit_log import append_entry, facts_by, lock_headquarters
from sync_server.people.callers import Caller
from sync_server.schema import HEADQUARTERS

MAX_ACCOUNT_CHARACTERS = 32
_LIST = """
SELECT a.purpose, a.account, a.name,
       ARRAY(SELECT u.account FROM account_use u
             WHERE u.purpose = a.purpose AND u.account <> a.account ORDER BY u.since) AS formerly
FROM account a ORDER BY a.account, a.purpose
"""
_TAKEN = """
SELECT purpose FROM account_use
WHERE account = %(account)s AND purpose <> %(purpose)s
  AND (purpose IN ('inventory', 'in_transit') OR %(purpose)s IN ('inventory', 'in_transit')) LIMIT 1
"""
_USE = "INSERT INTO account_use (purpose, account, since) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_SET = "UPDATE account SET account = %s, name = %s WHERE purpose = %s"


@dataclass(frozen=True, slots=True)
class ServingAccount:
    """The account that serves a purpose, and those that did before it."""

    purpose: str
    account: str
    name: str
    formerly: Sequence[str]


def list_accounts(work: Work) -> Sequence[ServingAccount]:
    """The whole chart, by account."""
    with work.connection.cursor(row_factory=class_row(ServingAccount)) as cursor:
        return cursor.execute(_LIST).fetchall()


def set_account(
    work: Work, purpose: str, account: str, name: str | None, *, reason: str, by: Caller, now: datetime
) -> tuple[ServingAccount, bool]:
    """Lets `account` serve `purpose` from now on; whether anything changed. `name` None keeps the name.

    Raises NotFound for an unknown purpose, Conflict for an account that the daily proof keeps apart.
    """
    violations = [
        Violation(field, f"must be 1 to {most} characters without control characters", text)
        for field, text, most in (("account", account, MAX_ACCOUNT_CHARACTERS), ("name", name, 128))
        if text is not None and (not is_identifier(text) or len(text) > most)
    ]
    if violations:
        raise Invalid("The account cannot be set", violations=violations)
    lock_headquarters(work)
    before = _find(work, purpose)
    wanted = name or before.name
    if (before.account, before.name) == (account, wanted):
        return before, False
    taken = work.connection.execute(_TAKEN, {"account": account, "purpose": purpose}).fetchone()
    if taken is not None:
        raise Conflict(
            f"Account {account} serves {taken[0]}, or did; the accounts of inventory and of goods in transit "
            "are kept apart from all others. Choose another account."
        )
    work.connection.execute(_USE, [purpose, account, now])
    work.connection.execute(_SET, [account, wanted, purpose])
    facts = facts_by(
        by,
        at=now,
        action="account.set",
        subject=purpose,
        before={"account": before.account, "name": before.name},
        after={"account": account, "name": wanted, "reason": reason},
    )
    append_entry(work, HEADQUARTERS, facts)
    return _find(work, purpose), True


def _find(work: Work, purpose: str) -> ServingAccount:
    found = next((each for each in list_accounts(work) if each.purpose == purpose), None)
    if found is None:
        raise NotFound(f"There is no purpose {purpose!r}; `sync-server account list` names them all")
    return found
