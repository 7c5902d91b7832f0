"""Which events of a batch belong together: a group is posted or held as one and has one journal. Pure.

An agent stamps its groups. A till that speaks for itself hands over a group as neighbours that name the same
sale, or the same transaction of the same workstation.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from shared.event_batch import EventBatch
from shared.identifiers import batch_event_key_hex, event_key_hex, plain_key_hex
from shared.pos_event import PosEvent
from sync_server.ingestion.event_time import EventClock, EventTime


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An event as it came: its key, its raw form, and its time by HQ's reckoning."""

    event: PosEvent
    key: str
    """The 16-byte event key, as 32 hex digits."""
    spelled: str | None
    """The event's id where it is not the plain spelling of its key."""
    came_in: Sequence[Any]
    """The raw events of its batch, and where in them it is."""
    index: int
    time: EventTime

    @property
    def raw(self) -> Any:
        """The event as it came: JSON as bytes, or decoded."""
        return self.came_in[self.index]


def arrivals(batch: EventBatch, clock: EventClock) -> list[Arrival]:
    """The batch's events with their keys and times, in the batch's order."""
    read, raw_events = clock.read, batch.raw_events
    came: list[Arrival] = []
    for index, event in enumerate(batch.events):
        spelled = event.event_id
        key = None if spelled is None else plain_key_hex(spelled)
        if key is not None:
            spelled = None
        elif spelled is None:
            key = batch_event_key_hex(batch.batch_id, index)
        else:
            key = event_key_hex(spelled)
        came.append(Arrival(event, key, spelled, raw_events, index, read(event)))
    return came


def groups(of: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """The groups, in the batch's order."""
    group: list[Arrival] = []
    first: int | None = None
    name: tuple[str, object] | None = None
    for arrival in of:
        stamp = arrival.event.stamp
        if stamp is not None:
            together = first == stamp.group_first
            first, name = stamp.group_first, None
        else:
            mine = _group_name(arrival)
            together = first is None and mine is not None and mine == name
            first, name = None, mine
        if group and not together:
            yield group
            group = []
        group.append(arrival)
    if group:
        yield group


def is_whole(group: Sequence[Arrival]) -> bool:
    """Whether as many events are there as their agent stamped the group with."""
    stamp = group[0].event.stamp
    return stamp is None or stamp.group_size == len(group)


@lru_cache(maxsize=8192)
def sale_key(sale_id: str) -> str:
    """The 16-byte key of a sale id, as 32 hex digits; apart from the keys of event ids."""
    return event_key_hex(f"sale\x1f{sale_id}")


def _group_name(arrival: Arrival) -> tuple[str, object] | None:
    """What holds the events of a till that speaks for itself together; None for one that stands alone."""
    event = arrival.event
    if event.sale_id is not None:
        return ("sale", event.sale_id)
    if event.transaction_number is not None:
        return ("transaction", (event.workstation_id, event.transaction_number))
    return None
