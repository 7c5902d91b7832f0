"""The audit trail: who did what to which document, when, from where; one hash-chained sequence per store.

Each entry's hash covers its content and the hash before it, so that a changed, removed or inserted entry
breaks every one after it. The chain's head lies in the store's row and moves under that row's lock.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from shared.canonical_json import canonical_bytes
from shared.clock import instant_text
from shared.wire_json import encode_json
from sync_server.database import Work
from sync_server.people.callers import Caller
from sync_server.schema import HEADQUARTERS

FIRST_PREVIOUS_HASH = bytes(32)
"""What the first entry of a chain takes for the hash before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFacts:
    """What one entry says. `before` and `after` are JSON values: the document as it was, as it is."""

    at: datetime
    actor_kind: str
    actor: str
    action: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    request_id: str
    origin: str


def facts_by(
    caller: Caller,
    *,
    at: datetime,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditFacts:
    """The facts of something that `caller` does: `action` such as `store.added`, on `subject`."""
    return AuditFacts(
        at=at,
        actor_kind=caller.kind.value,
        actor=caller.name,
        action=action,
        subject=subject,
        before=before,
        after=after,
        request_id=caller.request_id,
        origin=caller.origin,
    )


def chain_hash(previous: bytes, store_no: int, sequence: int, facts: AuditFacts) -> bytes:
    """SHA-256 (32 bytes) over the previous entry's hash and this entry's canonical JSON."""
    entry = {
        "storeNo": store_no,
        "sequence": sequence,
        "at": instant_text(facts.at),
        "actorKind": facts.actor_kind,
        "actor": facts.actor,
        "action": facts.action,
        "subject": facts.subject,
        "before": _as_object(facts.before),
        "after": _as_object(facts.after),
        "requestId": facts.request_id,
        "origin": facts.origin,
    }
    return hashlib.sha256(previous + canonical_bytes(entry)).digest()


_HEAD = "SELECT audit_sequence, audit_hash FROM store WHERE store_no = %s FOR NO KEY UPDATE"
_APPEND = """
WITH entry AS (
    INSERT INTO audit_entry (store_no, audit_sequence, at, actor_kind, actor, action, subject, before, after,
                             request_id, origin, previous_hash, hash)
    VALUES (%(store_no)s, %(sequence)s, %(at)s, %(actor_kind)s, %(actor)s, %(action)s, %(subject)s,
            %(before)s, %(after)s, %(request_id)s, %(origin)s, %(previous)s, %(hash)s)
)
UPDATE store SET audit_sequence = %(sequence)s, audit_hash = %(hash)s WHERE store_no = %(store_no)s
"""


def lock_headquarters(work: Work) -> None:
    """Waits until nobody else adds stores, people or items, so that who looks first may then add."""
    work.connection.execute(_HEAD, [HEADQUARTERS])


def append_entry(work: Work, store_no: int, facts: AuditFacts) -> int:
    """Adds `facts` to the chain of `store_no` (0: headquarters) and returns the entry's sequence.

    Locks the store's row until the transaction ends. The posting of batches writes its entry in its own
    statement instead, under the lock that it holds anyway, with the same `chain_hash`.
    """
    head = work.connection.execute(_HEAD, [store_no]).fetchone()
    if head is None:
        raise LookupError(f"there is no store number {store_no} to audit")
    sequence, previous = int(head[0]) + 1, bytes(head[1])
    parameters = {
        "store_no": store_no,
        "sequence": sequence,
        "at": facts.at,
        "actor_kind": facts.actor_kind,
        "actor": facts.actor,
        "action": facts.action,
        "subject": facts.subject,
        "before": _as_json(facts.before),
        "after": _as_json(facts.after),
        "request_id": facts.request_id,
        "origin": facts.origin,
        "previous": previous,
        "hash": chain_hash(previous, store_no, sequence, facts),
    }
    work.connection.execute(_APPEND, parameters)
    return sequence


def _as_object(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if document is None else dict(document)


def _as_json(document: Mapping[str, Any] | None) -> Jsonb | None:
    return None if document is None else Jsonb(dict(document), dumps=encode_json)
