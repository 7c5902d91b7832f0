"""Releasing held events: posted through the same door as a batch, decided and audited in one transaction.

The group goes together, since a group is posted or held as one: whoever releases an event releases what is still
held of its group. The sequences that the events had in their stream stay received as *held*; what is posted has no
place in any stream. Released once, they are posted once.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Cursor

from shared.clock import instant_text
from shared.event_batch import EventBatch, read_batch
from shared.problems import Violation
from shared.wire_json import encode_json
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid
from sync_server.ingestion.acceptance import found_by, post_arrivals
from sync_server.ingestion.batch_record import Delivery
from sync_server.ingestion.corrections import released_key, wanted_events
from sync_server.ingestion.event_time import EventClock
from sync_server.ingestion.groups import arrivals
from sync_server.ingestion.held_events import (
    HeldEventRow,
    HeldStatus,
    decide,
    find_held_event,
    held_group,
    require_undecided,
)
from sync_server.ingestion.known_state import key_array
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.posted_effects import PostedEffects, read_effects
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.locked_store import lock_store

MAX_GROUP = 2000
CHANNEL = "release"
"""How the events of a release came to be posted, as their batch says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWish:
    """Which held event to release and how; `corrections` has the fields to correct, by held event of its group."""

    held_event_no: int
    corrections: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    new_identity: bool = False
    reason: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a release posted, or would post: the events of the group, and what they did to stock and books."""

    store_id: str
    dry_run: bool
    events: Sequence[tuple[int, str]]
    """(held event, the id under which it is posted)."""
    effects: PostedEffects
    findings: Sequence[Mapping[str, str]]


def release_held(
    work: Work, chart: ChartOfAccounts, wish: ReleaseWish, *, by: Caller, now: datetime
) -> Release:
    """Posts a held event with its group, or shows what that would post and leaves nothing behind.

    Raises NotFound; Conflict for an event that is decided, and for one that could not be posted as it is wanted;
    Invalid with every violation of a corrected event.
    """
    cursor = work.connection.cursor()
    store = lock_store(cursor, find_held_event(cursor, wish.held_event_no).store_no)
    named = find_held_event(cursor, wish.held_event_no)
    require_undecided(named)
    group = held_group(cursor, named)
    strangers = sorted(wish.corrections.keys() - {held.held_event_no for held in group})
    if strangers:
        raise Conflict(
            f"Held event {strangers[0]} is not in one group with {wish.held_event_no}, or is decided"
        )
    batch = _batch(named, wanted_events(group, wish.corrections, new_identity=wish.new_identity))
    undone = work.connection.transaction(force_rollback=True) if wish.dry_run else nullcontext()
    with undone:
        clock = EventClock(store.day_rule, named.posted_at, named.received_at)
        came = arrivals(batch, clock)
        delivery = Delivery(by, batch, store, None, now, channel=CHANNEL)
        posting, _ = post_arrivals(
            work,
            chart,
            delivery,
            came,
            in_groups=lambda whole: [whole],
            hashes_under=_posted_hashes,
            require=_require_posted,
        )
        effects = read_effects(cursor, store.store_no, above=store.last_sequence)
        ids = [event.event_id or "" for event in batch.events]
        released = [(held.held_event_no, event_id) for held, event_id in zip(group, ids, strict=True)]
        keys = {number: released_key(event_id) for number, event_id in released}
        decide(work, group, HeldStatus.RELEASED, by=by.name, reason=wish.reason, now=now, released_keys=keys)
        _audit(work, group, batch, wish, released, by, now)
    return Release(
        store_id=store.store_id,
        dry_run=wish.dry_run,
        events=released,
        effects=effects,
        findings=found_by(posting),
    )


def discard_held(work: Work, held_event_no: int, *, reason: str, by: Caller, now: datetime) -> HeldEventRow:
    """Decides that one held event is never posted; the others of its group stay held. Raises NotFound, Conflict."""
    cursor = work.connection.cursor()
    lock_store(cursor, find_held_event(cursor, held_event_no).store_no)
    held = find_held_event(cursor, held_event_no)
    require_undecided(held)
    decide(work, [held], HeldStatus.DISCARDED, by=by.name, reason=reason, now=now)
    before = {"status": HeldStatus.HELD.value, "reason": held.reason.value, "eventId": held.event_id}
    after = {"status": HeldStatus.DISCARDED.value, "reason": reason}
    facts = facts_by(
        by, at=now, action="held_event.discarded", subject=str(held_event_no), before=before, after=after
    )
    append_entry(work, held.store_no, facts)
    return held


def _batch(named: HeldEventRow, events: Sequence[dict[str, Any]]) -> EventBatch:
    raw = {
        "batchId": f"release-{named.held_event_no}-{named.content_hash.hex()[:16]}",
        "postedAt": instant_text(named.posted_at),
        "events": list(events),
    }
    batch = read_batch(raw, MAX_GROUP)
    if not isinstance(batch, EventBatch):
        raise Invalid(
            "The event cannot be posted as it is; correct what is wrong with it", violations=_of_event(batch)
        )
    return batch


def _of_event(violations: Sequence[Violation]) -> list[Violation]:
    """Violations of the one event of a release, named as the request names its fields."""
    alone = all(each.field.startswith("events[0]") for each in violations)
    if not alone:
        return list(violations)
    return [
        Violation(each.field.replace("events[0]", "event", 1), each.constraint, each.rejected_value)
        for each in violations
    ]


def _posted_hashes(cursor: Cursor[Any], store_no: int, keys: Sequence[str]) -> dict[str, list[bytes]]:
    """Contents that are posted under `keys`: what else is held under them does not stand in a release's way."""
    rows = cursor.execute(
        "SELECT event_key, content_hash FROM pos_event WHERE store_no = %s AND event_key = ANY(%s::uuid[])",
        [store_no, key_array(keys)],
    ).fetchall()
    return {key.hex: [content_hash] for key, content_hash in rows}


def _require_posted(posting: OpenPosting) -> None:
    """Raises Conflict unless every event of the group is to be posted."""
    if posting.duplicates:
        raise Conflict("The same event is posted already, under its own id; discard the held one")
    if posting.held:
        reasons = sorted({row[4] for row in posting.rows.held})
        advice = {
            "EVENT_ID_REUSED": "another event is posted under its id; release it with `newIdentity`",
            "TYPE_NOT_POSTED": "this version of the server does not post its type; discard it, or update",
        }
        why = "; ".join(advice.get(reason, reason) for reason in reasons)
        raise Conflict(f"It cannot be posted like this: {why}")


def _audit(
    work: Work,
    group: Sequence[HeldEventRow],
    batch: EventBatch,
    wish: ReleaseWish,
    released: Sequence[tuple[int, str]],
    by: Caller,
    now: datetime,
) -> None:
    before = {
        "status": HeldStatus.HELD.value,
        "events": [
            {"heldEventId": held.held_event_no, "reason": held.reason.value, "eventId": held.event_id}
            for held in group
        ],
    }
    after = {
        "status": HeldStatus.RELEASED.value,
        "batchId": batch.batch_id,
        "newIdentity": wish.new_identity,
        "events": [{"heldEventId": number, "eventId": event_id} for number, event_id in released],
        # As text: PostgreSQL's jsonb cannot hold what a till's JSON may, such as \\u0000.
        "corrections": {
            str(number): encode_json(dict(fields)).decode() for number, fields in wish.corrections.items()
        },
        "reason": wish.reason,
    }
    subject = str(wish.held_event_no)
    facts = facts_by(by, at=now, action="held_event.released", subject=subject, before=before, after=after)
    append_entry(work, group[0].store_no, facts)
