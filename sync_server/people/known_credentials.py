"""Looks up the keys that callers sign in with, and remembers for some seconds those that were good.

The memory keeps the hot path free of a query per batch; it is short, so that a revoked key dies within it.
"""

from datetime import datetime

from shared.clock import Clock
from sync_server.database import Database, RawConnection
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.roles import Role
from sync_server.people.secret_keys import DEVICE_PREFIX, TOKEN_PREFIX, key_sha256

MAX_REMEMBERED = 20_000

_AGENT = """
SELECT d.device_no, d.device_id, s.store_no, s.store_id
FROM device d JOIN store s USING (store_no)
WHERE d.credential_sha256 = %s AND d.revoked_at IS NULL
"""
_PERSON_OR_SERVICE = """
SELECT t.name, t.role, p.name, array(SELECT role FROM person_role r WHERE r.person_no = p.person_no),
       s.store_no, s.store_id
FROM api_token t LEFT JOIN person p USING (person_no) LEFT JOIN store s ON s.store_no = t.store_no
WHERE t.token_sha256 = %(hash)s AND t.revoked_at IS NULL AND p.disabled_at IS NULL
  AND (t.expires_at IS NULL OR t.expires_at > %(now)s)
"""


class KnownCredentials:
    """The callers behind keys; safe to use from any number of threads."""

    def __init__(self, database: Database, clock: Clock, *, remember_seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._remember_seconds = remember_seconds
        self._remembered: dict[bytes, tuple[float, Caller]] = {}

    def remembered(self, key: str) -> Caller | None:
        """The caller behind `key` if it was looked up a moment ago; asks nobody."""
        entry = self._remembered.get(key_sha256(key))
        return entry[1] if entry and self._clock.monotonic() < entry[0] else None

    def look_up(self, key: str) -> Caller | None:
        """The caller behind `key`, None if nobody is; asks the database and waits for it."""
        sha256 = key_sha256(key)
        with self._database.reading() as work:
            caller = _find(work.connection, key, sha256, self._clock.now())
        if caller is not None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[sha256] = (self._clock.monotonic() + self._remember_seconds, caller)
        return caller


def _find(connection: RawConnection, key: str, sha256: bytes, now: datetime) -> Caller | None:
    if key.startswith(DEVICE_PREFIX):
        device = connection.execute(_AGENT, [sha256]).fetchone()
        return _agent(*device) if device else None
    if key.startswith(TOKEN_PREFIX):
        token = connection.execute(_PERSON_OR_SERVICE, {"hash": sha256, "now": now}).fetchone()
        return _person_or_service(*token) if token else None
    return None


def _agent(device_no: int, device_id: object, store_no: int, store_id: str) -> Caller:
    return Caller(
        kind=CallerKind.AGENT,
        name=str(device_id),
        store_no=store_no,
        store_id=store_id,
        device_no=device_no,
    )


def _person_or_service(
    name: str,
    role: str | None,
    person: str | None,
    person_roles: list[str],
    store_no: int | None,
    store_id: str | None,
) -> Caller:
    held = [role] if role is not None else person_roles
    return Caller(
        kind=CallerKind.SERVICE if person is None else CallerKind.PERSON,
        name=person or name,
        roles=frozenset(Role(each) for each in held),
        store_no=store_no,
        store_id=store_id,
    )
