"""Held events as they lie in the database: found, read with the group they came with, and decided once.

What is decided stays where it lies, with who decided and why. The store's row is locked by whoever decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg import Cursor

from shared.wire_json import decode_json
from sync_server.database import Work
from sync_server.errors import Conflict, NotFound
from sync_server.ingestion.held_groups import FINDING_OF
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.stores.findings import resolve_findings


class HeldStatus(StrEnum):
    """What has become of a held event."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    DISCARDED = "DISCARDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEventRow:
    """A held event. `event` is what the till or its agent sent; text where that is no JSON."""

    held_event_no: int
    store_no: int
    store_id: str
    event_key: UUID
    event_id: str | None
    content_hash: bytes
    reason: HeldReason
    status: HeldStatus
    event: Any
    group_key: UUID | None
    subject: str | None
    received_at: datetime
    posted_at: datetime
    """Of the batch that brought it: the time of an event that has none."""
    decided_by: str | None


_COLUMNS = """
    h.held_event_no, h.store_no, s.store_id, h.event_key, h.event_id, h.content_hash, h.reason, h.status,
    h.raw::text AS event, h.group_key, h.subject, h.received_at,
    coalesce(b.posted_at, h.received_at) AS posted_at, h.decided_by
"""
_FROM = """
    FROM held_event h JOIN store s USING (store_no)
    LEFT JOIN pos_batch b ON b.store_no = h.store_no AND b.batch_id = h.batch_id
"""
_ONE = f"SELECT {_COLUMNS} {_FROM} WHERE h.held_event_no = %s"
_GROUP = f"""
    SELECT {_COLUMNS} {_FROM} WHERE h.store_no = %s AND h.group_key = %s AND h.status = 'HELD'
    ORDER BY h.sequence NULLS FIRST, h.held_event_no
"""
_DECIDE = """
UPDATE held_event SET status = %(status)s, decided_at = %(now)s, decided_by = %(by)s, decision_reason = %(reason)s,
                      released_key = %(released_key)s
WHERE held_event_no = %(held_event_no)s
"""
_STILL_HELD = """
SELECT DISTINCT reason, subject FROM held_event
WHERE store_no = %s AND status = 'HELD' AND subject = ANY(%s::varchar[])
"""


def find_held_event(cursor: Cursor[Any], held_event_no: int) -> HeldEventRow:
    """The held event of that number, decided or not; raises NotFound."""
    row = cursor.execute(_ONE, [held_event_no]).fetchone()
    if row is None:
        raise NotFound(f"There is no held event {held_event_no}; GET /held-events lists them")
    return _read(row)


def held_group(cursor: Cursor[Any], held: HeldEventRow) -> list[HeldEventRow]:
    """Everything undecided that came in one group with `held`, itself included, in the group's order."""
    if held.group_key is None:
        return [held]
    return [_read(row) for row in cursor.execute(_GROUP, [held.store_no, held.group_key]).fetchall()]


def require_undecided(held: HeldEventRow) -> None:
    """Raises Conflict for an event about which somebody has decided; call it under the store's lock."""
    if held.status is not HeldStatus.HELD:
        raise Conflict(
            f"Held event {held.held_event_no} was {held.status.lower()} by {held.decided_by} already; nothing is done"
        )


def decide(
    work: Work,
    held: Sequence[HeldEventRow],
    status: HeldStatus,
    *,
    by: str,
    reason: str | None,
    now: datetime,
    released_keys: Mapping[int, UUID] | None = None,
) -> None:
    """Writes the decision about events of one store, and closes the findings whose last event is decided."""
    for each in held:
        released_key = None if released_keys is None else released_keys[each.held_event_no]
        facts = {"status": status.value, "now": now, "by": by, "reason": reason, "released_key": released_key}
        work.connection.execute(_DECIDE, facts | {"held_event_no": each.held_event_no})
    named = {(each.reason, each.subject) for each in held if each.subject is not None}
    if not named:
        return
    store_no, subjects = held[0].store_no, [subject for _, subject in named]
    left = set(work.connection.execute(_STILL_HELD, [store_no, subjects]).fetchall())
    for reason_held, subject in sorted(named - left):
        why = f"Its events are {status.value.lower()}."
        resolve_findings(work, store_no, FINDING_OF[reason_held], [subject], reason=why, now=now)


def _read(row: tuple[Any, ...]) -> HeldEventRow:
    number, store_no, store_id, key, event_id, content_hash, reason, status, raw, *rest = row
    group_key, subject, received_at, posted_at, decided_by = rest
    document = decode_json(raw.encode())
    refused = reason == HeldReason.REFUSED
    return HeldEventRow(
        held_event_no=number,
        store_no=store_no,
        store_id=store_id,
        event_key=key,
        event_id=event_id,
        content_hash=content_hash,
        reason=HeldReason(reason),
        status=HeldStatus(status),
        event=document["event"] if refused else document,
        group_key=group_key,
        subject=subject,
        received_at=received_at,
        posted_at=posted_at,
        decided_by=decided_by,
    )
