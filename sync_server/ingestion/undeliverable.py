"""What the server refused comes back raw and is held: nothing is lost, and its sequences count as received.

An agent sets aside an event that headquarters named as impossible and hands it over here, so that support sees
it among the held events and the stream has no gap that nobody could ever fill.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.business_date import business_date
from shared.identifiers import event_key, is_identifier
from shared.wire_json import JsonError, decode_json, encode_json
from sync_server.database import Work
from sync_server.ingestion.held_groups import key_of_stamped_group
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.ingestion.stream_runs import Receipt, runs_of, sequences_of
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.findings import FindingCode, raise_findings
from sync_server.stores.locked_store import KnownStream, LockedStore, known_stream, lock_store
from sync_server.stores.stream_gaps import StreamProgress, stream_progress

MAX_REASON_CHARACTERS = 4000

_HOLD = """
INSERT INTO held_event (store_no, event_key, event_id, content_hash, stream_no, sequence, batch_id, reason, raw,
                        received_at, status, group_key, subject)
VALUES (%(store_no)s, %(key)s, %(event_id)s, %(content_hash)s, %(stream_no)s, %(sequence)s, %(batch_id)s,
        %(reason)s, %(raw)s, %(now)s, 'HELD', %(group_key)s, %(stream_id)s)
ON CONFLICT (store_no, event_key, content_hash) DO NOTHING
"""
_RECEIVE = """
WITH receipts AS (
    INSERT INTO stream_receipt (store_no, stream_no, first_sequence, last_sequence, business_date,
                                content_hashes, outcomes)
    SELECT %(store_no)s, %(stream_no)s, run.* FROM unnest(%(first)s::bigint[], %(last)s::bigint[],
        %(dates)s::date[], %(hashes)s::bytea[], %(outcomes)s::varchar[]) AS run
)
UPDATE stream SET received = received + %(received)s WHERE stream_no = %(stream_no)s RETURNING received
"""


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that the server had refused, as the agent kept it."""

    sequence: int
    content_hash: bytes
    raw: str
    """The event's JSON as it was sent."""
    reason: Any
    """The problem that the server answered with, or the agent's own words."""


def hold_refused(
    work: Work, caller: Caller, store_no: int, stream_id: str, events: Sequence[RefusedEvent], now: datetime
) -> StreamProgress:
    """Holds `events` with reason REFUSED and marks their sequences received; sent again they add nothing."""
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    stream = known_stream(cursor, store_no, stream_id, caller.device_no)
    fresh = [event for event in events if not stream.has(event.sequence)]
    if not fresh:
        return stream_progress(stream.received)
    held, receipts = 0, list[Receipt]()
    for event in sorted(fresh, key=lambda refused: refused.sequence):
        key, event_id, day = _identity(store, stream, event, now)
        row = {
            "store_no": store_no,
            "key": key,
            "event_id": event_id,
            "content_hash": event.content_hash,
            "stream_no": stream.stream_no,
            "sequence": event.sequence,
            "batch_id": f"undeliverable-{stream_id}"[:128],
            "reason": HeldReason.REFUSED.value,
            "raw": _document(event),
            "now": now,
            "group_key": _group_key(stream_id, event),
            "stream_id": stream_id,
        }
        held += cursor.execute(_HOLD, row).rowcount
        if not receipts or receipts[-1][0] != event.sequence:
            receipts.append((event.sequence, event.content_hash, day, "H"))
    runs = runs_of(receipts, stream.has)
    columns = zip(*runs, strict=True)
    names = ("first", "last", "dates", "hashes", "outcomes")
    parameters: dict[str, Any] = {name: list(column) for name, column in zip(names, columns, strict=True)}
    parameters |= {"store_no": store_no, "stream_no": stream.stream_no, "received": sequences_of(runs)}
    received = cursor.execute(_RECEIVE, parameters).fetchone()
    assert received is not None
    raise_findings(work, store_no, [(FindingCode.EVENT_REFUSED, stream_id)] * held, now=now)
    after = {"streamId": stream_id, "sequences": [event.sequence for event in fresh]}
    append_entry(
        work, store_no, facts_by(caller, at=now, action="events.held", subject=stream_id, after=after)
    )
    return stream_progress(received[0])


def _identity(
    store: LockedStore, stream: KnownStream, event: RefusedEvent, now: datetime
) -> tuple[UUID, str | None, date]:
    """The event's key, id and stamped date, as far as it can be read; made up from its sequence where not."""
    raw = _decoded(event.raw)
    event_id = raw.get("eventId") if isinstance(raw, dict) else None
    if not isinstance(event_id, str) or not is_identifier(event_id):
        event_id = None
    stamp = raw.get("stamp") if isinstance(raw, dict) else None
    try:
        day = date.fromisoformat(str(stamp["businessDate"])) if isinstance(stamp, dict) else None
    except (KeyError, ValueError):
        day = None
    key = event_key(event_id or f"undeliverable\x1f{stream.stream_no}\x1f{event.sequence}")
    return key, event_id, day or business_date(now, store.day_rule)


def _group_key(stream_id: str, event: RefusedEvent) -> UUID | None:
    """What it was to be posted with, where its stamp can be read."""
    raw = _decoded(event.raw)
    stamp = raw.get("stamp") if isinstance(raw, dict) else None
    first = stamp.get("groupFirst") if isinstance(stamp, dict) else None
    return UUID(hex=key_of_stamped_group(stream_id, first)) if type(first) is int else None


def _document(event: RefusedEvent) -> str:
    """What is kept: the event as it was sent, and why it was refused."""
    raw = _decoded(event.raw)
    reason = event.reason
    if isinstance(reason, str):
        reason = reason[:MAX_REASON_CHARACTERS]
    return encode_json({"event": event.raw if raw is None else raw, "refusal": reason}).decode()


def _decoded(text: str) -> Any:
    try:
        return decode_json(text.encode())
    except (JsonError, UnicodeEncodeError):
        return None
