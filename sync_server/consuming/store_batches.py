"""Messages in the order of their partitions, gathered into one batch per store. Pure.

A batch's id follows from its events, ids and content: the same cut again is the same batch, and another cut is
another batch of events that are known already. Neither can contradict what was posted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.clock import instant_text
from shared.event_batch import EventBatch, batch_hash
from shared.pos_event import PosEvent
from sync_server.consuming.inbound import Inbound

MOST_EVENTS: Final = 1000
ONE_TIME: Final = timedelta(minutes=1)
"""An event without a time is dated by its message; a batch has one date for all of those."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it was received, its value read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, str | bytes | None]]
    at: datetime
    """When it was produced, or received where nobody said."""
    content: Any = None
    """`Inbound` or `Unusable`."""


@dataclass(slots=True)
class StoreBatch:
    """Messages of one store that are posted together."""

    store_id: str
    from_till: bool
    posted_at: datetime
    messages: list[Received] = field(default_factory=list)

    def as_batch(self) -> EventBatch:
        """The batch as ingestion takes it."""
        inbound: list[Inbound] = [message.content for message in self.messages]
        events = [one.event for one in inbound]
        content_hash = batch_hash(events)
        return EventBatch(
            batch_id=f"kafka-{content_hash.hex()[:32]}",
            posted_at=instant_text(self.posted_at),
            events=events,
            content_hash=content_hash,
            raw_events=[one.raw for one in inbound],
        )


def batches_by_store(messages: Iterable[Received]) -> list[StoreBatch]:
    """The batches of these messages, each store's in the order in which they came; all of them `Inbound`."""
    open_batches: dict[tuple[str, bool], StoreBatch] = {}
    batches: list[StoreBatch] = []
    for message in messages:
        inbound: Inbound = message.content
        name = inbound.store_id, inbound.from_till
        batch = open_batches.get(name)
        if batch is None or _is_apart(batch, message):
            batch = open_batches[name] = StoreBatch(*name, message.at)
            batches.append(batch)
        batch.messages.append(message)
    return batches


def without_open_group(messages: Sequence[Received]) -> Sequence[Received]:
    """A partition's messages without its last ones that may be of a sale whose next lines come yet.

    Lines of one sale are one group where they come together. What is one group as a whole is given back whole.
    """
    if not messages:
        return messages
    last = _group(messages[-1])
    if last is None:
        return messages
    end = len(messages)
    while end and _group(messages[end - 1]) == last:
        end -= 1
    return messages[:end] or messages


def _is_apart(batch: StoreBatch, message: Received) -> bool:
    event: PosEvent = message.content.event
    if len(batch.messages) >= MOST_EVENTS:
        return True
    return event.occurred_at is None and abs(message.at - batch.posted_at) > ONE_TIME


def _group(message: Received) -> tuple[str, str, str | None, str] | None:
    """The sale or transaction that a message is a line of; None for what stands alone."""
    if not isinstance(message.content, Inbound):
        return None
    store_id, event = message.content.store_id, message.content.event
    if event.sale_id is not None:
        return store_id, "sale", None, event.sale_id
    if event.transaction_number is not None:
        return store_id, "transaction", event.workstation_id, event.transaction_number
    return None
