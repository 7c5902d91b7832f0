"""API tokens: a person's, who acts with the roles they hold, or a service's, with one role of its own."""

from datetime import datetime

from shared.identifiers import is_identifier
from shared.problems import Violation
from sync_server.database import Work
from sync_server.errors import Invalid
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.people.roles import SERVICE_ROLES, Role
from sync_server.people.secret_keys import SHOWN_CHARACTERS, TOKEN_PREFIX, key_sha256, new_key
from sync_server.people.tables import ApiToken
from sync_server.people.users import find_person
from sync_server.schema import HEADQUARTERS


def issue_person_token(
    work: Work, name: str, *, by: Caller, now: datetime, expires_at: datetime | None = None
) -> str:
    """A new token for the person `name`; it is returned this once and kept as its SHA-256."""
    token = ApiToken(
        name=name,
        person_no=find_person(work, name).person_no,
        prefix="",
        token_sha256=b"",
        issued_at=now,
        expires_at=expires_at,
    )
    return _issue(work, token, by, now, {"person": name})


def issue_service_token(
    work: Work,
    name: str,
    role: str,
    *,
    store: tuple[int, str] | None,
    by: Caller,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """A new token for the service `name`, with `role` and, where given, for `store` (number, id) alone.

    Raises Invalid for a role that a service may not hold; a till must be bound to its store.
    """
    violations = _service_violations(name, role, bound=store is not None)
    if violations:
        raise Invalid("The token cannot be issued", violations=violations)
    token = ApiToken(
        name=name,
        role=role,
        store_no=store[0] if store else None,
        prefix="",
        token_sha256=b"",
        issued_at=now,
        expires_at=expires_at,
    )
    return _issue(work, token, by, now, {"service": name, "role": role, "store": store[1] if store else None})


def _issue(work: Work, token: ApiToken, by: Caller, now: datetime, after: dict[str, str | None]) -> str:
    key = new_key(TOKEN_PREFIX)
    token.prefix = key[: len(TOKEN_PREFIX) + SHOWN_CHARACTERS]
    token.token_sha256 = key_sha256(key)
    work.session.add(token)
    facts = facts_by(
        by, at=now, action="token.issued", subject=token.name, after={**after, "prefix": token.prefix}
    )
    append_entry(work, HEADQUARTERS, facts)
    return key


def _service_violations(name: str, role: str, *, bound: bool) -> list[Violation]:
    violations = []
    if role not in {each.value for each in SERVICE_ROLES}:
        allowed = ", ".join(sorted(SERVICE_ROLES))
        violations.append(
            Violation("role", f"a service may be {allowed}; approving and administering is for people", role)
        )
    if role == Role.TILL.value and not bound:
        violations.append(Violation("store", "a till's token is for one store; name it"))
    if not is_identifier(name):
        violations.append(Violation("name", "must be 1 to 128 characters without control characters", name))
    return violations
