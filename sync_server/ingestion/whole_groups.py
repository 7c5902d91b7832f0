"""Groups that were held because lines were missing, and are whole now: nothing is wrong with them any more."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Final

from shared.wire_json import decode_json
from sync_server.accounting.remembered_chart import read_chart
from sync_server.database import Work
from sync_server.errors import Refused
from sync_server.ingestion.held_release import ReleaseWish, release_held
from sync_server.people.callers import Caller, CallerKind
from sync_server.scheduling.job import Job
from sync_server.stores.locked_store import lock_store

EVERY_SECONDS = 30
MOST_AT_ONCE = 200
ITSELF: Final = Caller(
    kind=CallerKind.SERVICE, name="tillsync", request_id="release_whole_groups", origin="tillsync"
)
WHOLE = "All lines of its group have come."

_STORES = "SELECT DISTINCT store_no FROM held_event WHERE status = 'HELD' AND reason = 'GROUP_INCOMPLETE'"
_GROUPS = """
SELECT min(held_event_no), count(DISTINCT sequence), (array_agg(raw::text ORDER BY held_event_no))[1]
FROM held_event WHERE store_no = %s AND status = 'HELD' AND group_key IS NOT NULL
GROUP BY group_key HAVING every(reason = 'GROUP_INCOMPLETE') ORDER BY 1 LIMIT %s
"""


def whole_groups_job() -> Job:
    """Releases what was held for the sake of lines that have come since."""
    return Job("release_whole_groups", EVERY_SECONDS, find_stores=_stores, do_for_store=release_whole_groups)


def release_whole_groups(work: Work, store_no: int, now: datetime) -> int:
    """Releases the store's groups that are whole now; returns how many. One that cannot be posted stays held."""
    cursor = work.connection.cursor()
    lock_store(cursor, store_no)
    chart = read_chart(work)
    released = 0
    for held_event_no, lines, raw in cursor.execute(_GROUPS, [store_no, MOST_AT_ONCE]).fetchall():
        if decode_json(raw.encode())["stamp"]["groupSize"] != lines:
            continue
        with suppress(Refused), work.connection.transaction():
            wish = ReleaseWish(held_event_no=held_event_no, reason=WHOLE)
            release_held(work, chart, wish, by=ITSELF, now=now)
            released += 1
    return released


def _stores(work: Work, _now: datetime) -> Iterable[int]:
    return [store_no for (store_no,) in work.connection.execute(_STORES)]
