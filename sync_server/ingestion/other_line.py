"""How an event that is not a sale, return, receipt or void is posted: one value per type."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from sync_server.ingestion.event_time import EventTime
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import PostedLine
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.stores.locked_store import LockedStore


@dataclass(frozen=True, slots=True)
class TakingBack:
    """A line being taken back: the number of that effect, the void that asks for it, when it happens."""

    number: int
    void_sequence: int
    time: EventTime


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Reading, posting and writing of one type, all in the batch's transaction and under the store's lock.

    `read` gets the batch's events of the type (none where a void of the batch names an earlier line of it) and looks
    up what bears on them, into `posting.known_to_others`; items, stock and the lines that voids name are known then.
    `post` is pure: it appends the event's `line_row`, and where goods move a `movement_row` under the same
    number; what it wants written beside those it notes in `posting.others` under the type's name. It returns
    the line where a void can name it.
    `take_back` is pure: it undoes such a line exactly, with a `movement_row` under the effect's number where goods
    move.
    `write` writes what was noted, behind the batch's own rows.
    """

    read: Callable[[Cursor[Any], LockedStore, OpenPosting, Sequence[Arrival]], None]
    post: Callable[[OpenPosting, Arrival, GroupJournals], PostedLine | None]
    take_back: Callable[[OpenPosting, PostedLine, TakingBack, GroupJournals], None]
    write: Callable[[Cursor[Any], LockedStore, OpenPosting, datetime], None]
