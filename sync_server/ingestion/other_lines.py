"""Event types that are not a sale, return, receipt or void: which there are, and the walk through them.

A batch without such events pays nothing for them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from shared.pos_event import EventType
from sync_server.ingestion.adjustment_lines import ADJUSTMENT_LINES
from sync_server.ingestion.count_lines import COUNT_LINES
from sync_server.ingestion.day_close import DAY_CLOSE
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.held_reasons import PLAIN_TYPES
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.other_line import OtherLine
from sync_server.ingestion.transfer_lines import TRANSFER_LINES
from sync_server.stores.locked_store import LockedStore

OTHER_LINES: Mapping[str, OtherLine] = {
    **TRANSFER_LINES,
    **COUNT_LINES,
    **ADJUSTMENT_LINES,
    EventType.DAY_CLOSE.value: DAY_CLOSE,
}
"""By event type."""
POSTED_TYPES = PLAIN_TYPES | OTHER_LINES.keys()
"""What this version posts; events of other types are held."""


def read_others(
    cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, came: Sequence[Arrival]
) -> None:
    """What the other types among `came` need to know, and those among the lines that voids of the batch name."""
    referred = {line.type for line in posting.state.lines_by_key.values()}
    for kind, other in OTHER_LINES.items():
        mine = [arrival for arrival in came if arrival.event.type == kind]
        if mine or kind in referred:
            other.read(cursor, store, posting, mine)


def write_others(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, now: datetime) -> None:
    """What the other types have noted, behind the batch's own rows and in the same transaction."""
    for kind in posting.others:
        OTHER_LINES[kind].write(cursor, store, posting, now)
