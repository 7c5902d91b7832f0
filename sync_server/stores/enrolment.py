"""How an agent gets into a store: a one-time code from headquarters, exchanged for a credential of its own.

The exchange is safe to repeat. An agent makes its device id and saves it before it asks; when the answer is
lost it asks again with the same code and device id, and gets a fresh credential while the former one dies.
Any other device is refused, so that a code read over somebody's shoulder after its use opens nothing.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.problems import ErrorCode
from sync_server.database import RawConnection, Work
from sync_server.errors import Refused
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.people.secret_keys import DEVICE_PREFIX, key_sha256, new_key
from sync_server.stores.registry import find_store
from sync_server.stores.tables import EnrolmentCode

DEFAULT_EXPIRY = timedelta(hours=24)
CODE_CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing that is misread over the telephone. 20 characters are 100 bits."""
CODE_GROUPS, GROUP_LENGTH = 5, 4
_MISREAD = str.maketrans("OIL", "011", "- ")

_CODE = """
SELECT c.store_no, s.store_id, c.expires_at, c.used_at, c.device_id
FROM enrolment_code c JOIN store s USING (store_no) WHERE c.code_sha256 = %s FOR NO KEY UPDATE OF c
"""
_USE_CODE = "UPDATE enrolment_code SET used_at = %s, device_id = %s WHERE code_sha256 = %s"
_DEVICE_STORE = "SELECT store_no FROM device WHERE device_id = %s"
_DEVICE = """
INSERT INTO device (store_no, device_id, device_name, credential_sha256, agent_version, enrolled_at, signing_key)
VALUES (%(store_no)s, %(device_id)s, %(device_name)s, %(credential)s, %(agent_version)s, %(now)s, %(signing_key)s)
ON CONFLICT (device_id) DO UPDATE
SET device_name = excluded.device_name, credential_sha256 = excluded.credential_sha256,
    agent_version = excluded.agent_version, enrolled_at = excluded.enrolled_at, revoked_at = NULL,
    signing_key = coalesce(excluded.signing_key, device.signing_key)
"""


@dataclass(frozen=True, slots=True)
class Applicant:
    """An agent that asks to be let in."""

    device_id: UUID
    device_name: str
    agent_version: str
    signing_key: bytes | None = None
    """The public half of its Ed25519 key; one that names none keeps what is on record."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an agent gets: its store, and a credential that is told this once. `repeated`: a further one."""

    store_no: int
    store_id: str
    credential: str
    repeated: bool


def create_enrolment_code(
    work: Work, store_id: str, *, by: Caller, now: datetime, expires_in: timedelta = DEFAULT_EXPIRY
) -> str:
    """A new one-time code for an agent of the store; told this once and kept as its SHA-256."""
    store = find_store(work, store_id)
    assert store.store_no is not None
    groups = (
        "".join(secrets.choice(CODE_CHARACTERS) for _ in range(GROUP_LENGTH)) for _ in range(CODE_GROUPS)
    )
    code = "-".join(groups)
    expires_at = now + expires_in
    work.session.add(
        EnrolmentCode(
            code_sha256=_code_sha256(code),
            store_no=store.store_no,
            created_at=now,
            created_by=by.name,
            expires_at=expires_at,
        )
    )
    after = {"expiresAt": expires_at.isoformat()}
    facts = facts_by(by, at=now, action="enrolment_code.created", subject=store_id, after=after)
    append_entry(work, store.store_no, facts)
    return code


def enrol(work: Work, code: str, applicant: Applicant, *, request: Caller, now: datetime) -> Enrolment:
    """Exchanges `code` for a credential of the applicant's; `request` says whence it comes.

    Raises Refused (ENROLMENT_REFUSED) for a code that is unknown, expired or another device's, and for a
    device that belongs to another store.
    """
    connection = work.connection
    sha256 = _code_sha256(code)
    row = connection.execute(_CODE, [sha256]).fetchone()
    if row is None or row[2] <= now:
        raise _refused("The enrolment code is unknown or expired; ask headquarters for a new one")
    store_no, store_id, _, used_at, used_by = row
    if used_at is not None and used_by != applicant.device_id:
        raise _refused("The enrolment code has been used by another device; ask headquarters for a new one")
    credential = _give_credential(connection, store_no, applicant, now)
    connection.execute(_USE_CODE, [used_at or now, applicant.device_id, sha256])
    after = {"deviceName": applicant.device_name, "agentVersion": applicant.agent_version}
    action = "device.enrolled_again" if used_at else "device.enrolled"
    facts = facts_by(request, at=now, action=action, subject=str(applicant.device_id), after=after)
    append_entry(work, store_no, facts)
    return Enrolment(store_no, store_id, credential, repeated=used_at is not None)


def _give_credential(connection: RawConnection, store_no: int, applicant: Applicant, now: datetime) -> str:
    owner = connection.execute(_DEVICE_STORE, [applicant.device_id]).fetchone()
    if owner is not None and owner[0] != store_no:
        raise _refused("This device belongs to another store; give it a data folder of its own")
    credential = new_key(DEVICE_PREFIX)
    parameters: dict[str, Any] = {
        "store_no": store_no,
        "device_id": applicant.device_id,
        "device_name": applicant.device_name,
        "credential": key_sha256(credential),
        "agent_version": applicant.agent_version,
        "now": now,
        "signing_key": applicant.signing_key,
    }
    connection.execute(_DEVICE, parameters)
    return credential


def _code_sha256(code: str) -> bytes:
    """The hash of a code however it was typed: with dashes, in lower case, with O for 0."""
    return key_sha256(code.upper().translate(_MISREAD))


def _refused(message: str) -> Refused:
    return Refused(message, code=ErrorCode.ENROLMENT_REFUSED)
