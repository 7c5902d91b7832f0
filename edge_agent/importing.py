"""Events of an export file into this agent: a dead PC's sales, sent by the one that took its place.

They keep their ids and the stamps that they were given when they were made, and get sequences of this agent's
stream. Headquarters knows an event by its id, so that one which it has already adds nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from struct import Struct
from typing import Any

import msgspec

from edge_agent.errors import AgentRefused
from edge_agent.spool_pages import StoredRow
from edge_agent.stamped_event import Accepted, EventGroup, StampedEvent
from edge_agent.stored_event import regrouped, without_stream
from shared.export_file import ExportDamaged, ExportReader
from shared.identifiers import event_key_hex
from shared.pos_event import read_event
from shared.wire_json import encode_json

_unpack_halves = Struct(">qq").unpack
_Line = tuple[int, int, StampedEvent]
"""Sequence in the former stream, lines of its group that follow, event."""


class Imported(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of a file."""

    events: int
    accepted: int
    duplicates: int
    unreadable: int
    """Events that are no events of this version; import the file at headquarters, which holds them for a person."""


def import_events(
    path: Path, store_id: str, accept: Callable[[Sequence[EventGroup]], list[Accepted]]
) -> Imported:
    """Takes in the whole file; safe to repeat. Raises AgentRefused for a file that is damaged or another store's."""
    accepted = duplicates = unreadable = 0
    try:
        reader = ExportReader(path)
        if reader.heading.store_id != store_id:
            raise AgentRefused(
                f"The file holds the sales of {reader.heading.store_id}, and this is an agent of {store_id}."
            )
        for batch in reader.batches():
            events = batch.get("events")
            found = list(_lines(events if isinstance(events, list) else []))
            unreadable += len(events if isinstance(events, list) else []) - len(found)
            answers = accept(list(regrouped(found))) if found else []
            known = sum(answer.duplicate for answer in answers)
            accepted, duplicates = accepted + len(answers) - known, duplicates + known
    except (ExportDamaged, OSError) as error:
        raise AgentRefused(f"The file was not imported: {error}. Export it once more.") from error
    return Imported(
        events=reader.seal.events, accepted=accepted, duplicates=duplicates, unreadable=unreadable
    )


def _lines(events: Iterable[Any]) -> Iterator[_Line]:
    for raw in events:
        event = read_event(raw, "event")
        if isinstance(event, list) or event.stamp is None or event.event_id is None or event.sequence is None:
            continue
        key_high, key_low = _unpack_halves(bytes.fromhex(event_key_hex(event.event_id)))
        lines_after = max(0, event.stamp.group_first + event.stamp.group_size - 1 - event.sequence)
        row = StoredRow(
            position=event.sequence,
            key_high=key_high,
            key_low=key_low,
            content_hash=event.content_hash,
            business_day=event.stamp.business_date.toordinal(),
            lines_after=lines_after,
            body=encode_json(raw),
        )
        stamped = without_stream(row)
        if stamped is not None:
            yield event.sequence, lines_after, stamped
