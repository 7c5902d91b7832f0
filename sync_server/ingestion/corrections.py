"""A held event as it shall be posted: as it is, with corrected fields, or under a new identity. Pure.

What the agent wrote about the event's place in its stream is left out: that place was taken when it was held.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.identifiers import event_key_hex, uuid_text
from shared.problems import Violation
from sync_server.errors import Invalid
from sync_server.ingestion.held_events import HeldEventRow

_PLACE = frozenset({"sequence", "streamId"})
_TIMES = frozenset({"occurredAt", "businessDate"})
"""Fields that the agent's stamp was read from; corrected, they are read anew."""


def wanted_events(
    group: Sequence[HeldEventRow], corrections: Mapping[int, Mapping[str, Any]], *, new_identity: bool
) -> list[dict[str, Any]]:
    """The events of `group` as they shall be posted, as a till's JSON.

    `corrections`: fields by held event; a field of null is taken away. Raises Invalid for an event that has to be
    given whole and is not.
    """
    events = [_corrected(held, corrections.get(held.held_event_no, {})) for held in group]
    if any(_TIMES & fields.keys() for fields in corrections.values()):
        events = [_without(event, {"stamp"}) for event in events]
    if new_identity:
        own = [derived_identity(held) for held in group]
        renamed = {event["eventId"]: event_id for event, event_id in zip(events, own, strict=True)}
        events = [_renamed(event, event_id, renamed) for event, event_id in zip(events, own, strict=True)]
    return events


def derived_identity(held: HeldEventRow) -> str:
    """The new id of a held event: the same whenever it is asked for, so that a restored headquarters gives it again."""
    words = f"released\x1f{held.event_key.hex}\x1f{held.content_hash.hex()}"
    return uuid_text(event_key_hex(words))


def _corrected(held: HeldEventRow, fields: Mapping[str, Any]) -> dict[str, Any]:
    event = held.event if isinstance(held.event, dict) else {}
    if not event and not fields:
        raise Invalid(
            f"Held event {held.held_event_no} is no JSON object; give the whole event in `event`, or discard it",
            violations=[Violation("event", "Event is required", held.event)],
        )
    # A key is its own id where the till gave none, or one that nobody can read.
    event_id = fields.get("eventId") or held.event_id or str(held.event_key)
    if not isinstance(event_id, str):
        raise Invalid(
            "The event's id must be text",
            violations=[Violation("event.eventId", "Event id must be a text", event_id)],
        )
    kept = {name: value for name, value in event.items() if name not in _PLACE}
    corrected = {name: value for name, value in fields.items() if name not in _PLACE | {"stamp"}}
    merged = {name: value for name, value in {**kept, **corrected}.items() if value is not None}
    return {**merged, "eventId": event_id}


def _renamed(event: dict[str, Any], event_id: str, renamed: Mapping[str, str]) -> dict[str, Any]:
    """The event under its new id; a void of an event that is renamed with it follows."""
    voids = event.get("voids")
    if isinstance(voids, dict) and voids.get("eventId") in renamed:
        event = {**event, "voids": {**voids, "eventId": renamed[voids["eventId"]]}}
    elif isinstance(voids, str) and voids in renamed:
        event = {**event, "voids": renamed[voids]}
    return {**event, "eventId": event_id}


def _without(event: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


def released_key(event_id: str) -> UUID:
    """The key under which a released event is posted."""
    return UUID(hex=event_key_hex(event_id))
