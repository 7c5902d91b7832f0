"""Sending again: for a broker that lost its topics, or a consumer that needs the past once more.

Moving the marks back is all it takes: whoever leads the relay goes on from there, with the same ids as before.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.clock import read_instant
from shared.identifiers import is_store_id
from sync_server.database import Database, Work
from sync_server.publishing.errors import PositionInvalid
from sync_server.publishing.progress import (
    move_back_one_store,
    move_back_to_beginning,
    move_back_to_instant,
)

BEGINNING: Final = "beginning"


@dataclass(frozen=True, slots=True)
class StorePosition:
    """A place in one store's outbox."""

    store_id: str
    store_sequence: int


Position = StorePosition | datetime | None
"""Where sending begins: in one store, at what was posted since an instant, or, None, at the beginning."""


@dataclass(frozen=True, slots=True)
class Republished:
    """What will be sent again."""

    stores: int
    messages: int
    pruned: int
    """Stores of which older messages are pruned and cannot be sent again."""


def read_position(text: str) -> Position:
    """`beginning`, an instant such as `2026-02-10T23:00:00Z`, or `STORE-01:1201`.

    Raises PositionInvalid for anything else.
    """
    if text == BEGINNING:
        return None
    store_id, colon, sequence = text.rpartition(":")
    try:
        return read_instant(text)
    except ValueError:
        if colon and is_store_id(store_id) and sequence.isascii() and sequence.isdigit():
            return StorePosition(store_id, int(sequence))
        raise PositionInvalid(
            f"{text!r} is no position. Give `beginning`, an instant with an offset such as "
            "2026-02-10T23:00:00Z, or a store and its sequence such as STORE-01:1201."
        ) from None


def publish_from(database: Database, position: Position) -> Republished:
    """Has everything from `position` on published again; what is not yet published comes behind it as ever.

    Raises PositionInvalid for an unknown store.
    """
    with database.unit_of_work() as work:
        if isinstance(position, StorePosition):
            _require_store(work, position.store_id)
            moved = move_back_one_store(work, position.store_id, position.store_sequence)
        elif isinstance(position, datetime):
            moved = move_back_to_instant(work, position)
        else:
            moved = move_back_to_beginning(work)
        return Republished(*moved)


def _require_store(work: Work, store_id: str) -> None:
    if work.connection.execute("SELECT FROM store WHERE store_id = %s", [store_id]).fetchone() is None:
        raise PositionInvalid(f"There is no store {store_id}; `sync-server store list` names them all.")
