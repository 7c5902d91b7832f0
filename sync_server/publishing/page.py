"""A page: what is sent to Kafka in one go, from which stores, and how far each of them has come then. Pure.

Every store gets its fair share of a page, so that one that drains a week's backlog delays nobody else, and a
page costs a few queries however many stores are in it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.messages import (
    Announced,
    ChangedAvailability,
    Message,
    PostedJournal,
    PostedLine,
    PostedVoid,
    announced_message,
    availability_message,
    journal_message,
    return_message,
    sale_message,
    void_message,
)

_RENDERED_BY: Final[Mapping[int, Callable[[Any], Message]]] = {
    OutboxKind.SALE: sale_message,
    OutboxKind.RETURN: return_message,
    OutboxKind.VOID: void_message,
    OutboxKind.JOURNAL: journal_message,
    OutboxKind.RECONCILED: announced_message,
    OutboxKind.TRANSFER: announced_message,
}


class PublishedStore(NamedTuple):
    """What messages say of their store."""

    store_no: int
    store_id: str
    currency: str


class Backlog(NamedTuple):
    """A store whose outbox reaches beyond what is in Kafka."""

    store: PublishedStore
    published: int
    """The last store sequence that is in Kafka."""
    last: int
    """The last store sequence that was given."""


class Span(NamedTuple):
    """A piece of one store's outbox: the sequences from `low` to `high`, both included."""

    store: PublishedStore
    low: int
    high: int


Entry = tuple[int, int, int, PostedLine | PostedVoid | PostedJournal | Announced | None]
"""One outbox row: store_no, store_sequence, kind, and what it refers to; None when that is missing or unknown."""


class Mark(NamedTuple):
    """How far a store's outbox is in Kafka: the store sequence before a window was sent, and after it."""

    store_no: int
    before: int
    after: int


@dataclass(slots=True)
class Page:
    """Messages of several stores, each store's in the order of posting, and where each has its row."""

    messages: list[Message] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    """(store_no, store_sequence) of each message."""
    faults: dict[int, tuple[int, str]] = field(default_factory=dict)
    """By store_no: the sequence of its first row that cannot be told, and why; nothing behind it is told."""


def share_out(backlogs: Iterable[Backlog], size: int) -> list[Span]:
    """The pieces of the stores' outboxes for a page of about `size` rows: the short ones whole."""
    waiting = sorted(backlogs, key=lambda backlog: backlog.last - backlog.published)[:size]
    spans: list[Span] = []
    for index, (store, published, last) in enumerate(waiting):
        share = max(1, size // (len(waiting) - index))
        taken = min(share, last - published)
        spans.append(Span(store, published + 1, published + taken))
        size -= taken
    return spans


def draw_up(entries: Iterable[Entry]) -> Page:
    """The page that tells of `entries`."""
    page = Page()
    for store_no, sequence, kind, posted in entries:
        if store_no in page.faults:
            continue
        render = _RENDERED_BY.get(kind)
        if render is None:
            page.faults[store_no] = sequence, f"outbox kind {kind} is unknown to this version"
        elif posted is None:
            page.faults[store_no] = sequence, f"what the row of kind {kind} refers to is not in the ledger"
        else:
            page.messages.append(render(posted))
            page.places.append((store_no, sequence))
    return page


def render(entry: Entry) -> Message | None:
    """The message that tells of one row; None for a row that this version cannot tell."""
    _, _, kind, posted = entry
    told_by = _RENDERED_BY.get(kind)
    return None if told_by is None or posted is None else told_by(posted)


def tell_availability(page: Page, changed: Iterable[tuple[int, ChangedAvailability]]) -> None:
    """Adds what has become available: (store_no, item of that store), each store's in the order of posting.

    Nothing is told of what lies behind a row that cannot be told: it would come again with every try.
    """
    for store_no, item in changed:
        fault = page.faults.get(store_no)
        if fault is None or item.store_sequence < fault[0]:
            page.messages.append(availability_message(item))
            page.places.append((store_no, item.store_sequence))


def marks_after(spans: Iterable[Span], page: Page, confirmed: Collection[int]) -> list[Mark]:
    """How far each store has come when the messages with the indexes `confirmed` are in Kafka, and no others.

    A store's mark stops before the first row that is not in Kafka, whatever was confirmed behind it.
    """
    stops = {store_no: sequence for store_no, (sequence, _) in page.faults.items()}
    if len(confirmed) < len(page.places):
        for index, (store_no, sequence) in enumerate(page.places):
            if index not in confirmed and sequence < stops.get(store_no, sequence + 1):
                stops[store_no] = sequence
    return [
        Mark(store.store_no, low - 1, after)
        for store, low, high in spans
        if (after := min(high, stops.get(store.store_no, high + 1) - 1)) >= low
    ]
