"""How an event that is not a sale, return, receipt or void is posted: one value per type."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.stores.locked_store import LockedStore


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Reading, posting and writing of one type, all in the batch's transaction and under the store's lock.

    `read` gets the batch's events of the type and looks up what bears on them; items and stock are known then.
    `post` is pure: it appends the event's `line_row`, and where goods move a `movement_row` under the same
    number; what it wants written beside those it notes in `posting.others` under the type's name.
    `write` writes what was noted, behind the batch's own rows.
    """

    read: Callable[[Cursor[Any], LockedStore, OpenPosting, Sequence[Arrival]], None]
    post: Callable[[OpenPosting, Arrival, GroupJournals], None]
    write: Callable[[Cursor[Any], LockedStore, OpenPosting, datetime], None]
