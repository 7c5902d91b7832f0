"""The outbox is pruned: rows that were published a while ago go, and a mark says up to where they are gone.

A row does not know when it was published. So once a day it is noted how far each store has been published, and
what lies below a note of long ago goes. `publish --from` can send again what is still there.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sync_server.database import Work
from sync_server.scheduling.job import Job

EVERY_SECONDS: Final = 60
ROWS_AT_ONCE: Final = 20_000
"""Of one store: what a transaction deletes is bounded."""
NOTE_EVERY: Final = timedelta(days=1)

_STORES = """
SELECT p.store_no FROM relay_progress p
WHERE p.published_sequence > p.pruned_sequence AND (
    NOT EXISTS (SELECT FROM published_mark m WHERE m.store_no = p.store_no AND m.noted_at > %(noted_before)s)
    OR EXISTS (SELECT FROM published_mark m WHERE m.store_no = p.store_no AND m.noted_at <= %(published_before)s
               AND least(m.published_sequence, p.published_sequence) > p.pruned_sequence))
ORDER BY p.store_no
"""
_LOCK = "SELECT published_sequence, pruned_sequence FROM relay_progress WHERE store_no = %s FOR UPDATE"
_NOTE = """
INSERT INTO published_mark (store_no, noted_at, published_sequence)
SELECT %(store_no)s, %(now)s, %(published)s
WHERE NOT EXISTS (SELECT FROM published_mark WHERE store_no = %(store_no)s AND noted_at > %(noted_before)s)
"""
_LONG_PUBLISHED = "SELECT max(published_sequence) FROM published_mark WHERE store_no = %s AND noted_at <= %s"
_MOVE_MARK = "UPDATE relay_progress SET pruned_sequence = %s WHERE store_no = %s"
_PRUNE = "DELETE FROM outbox WHERE store_no = %s AND store_sequence > %s AND store_sequence <= %s"
_FORGET_NOTES = (
    "DELETE FROM published_mark WHERE store_no = %s AND noted_at <= %s AND published_sequence <= %s"
)


def pruning_job(keep_days: int) -> Job:
    """Prunes what was published at least `keep_days` days ago, and at most a day more."""
    keep = timedelta(days=keep_days)

    def find_stores(work: Work, now: datetime) -> Iterable[int]:
        limits = {"noted_before": now - NOTE_EVERY, "published_before": now - keep}
        return [store_no for (store_no,) in work.connection.execute(_STORES, limits)]

    def prune(work: Work, store_no: int, now: datetime) -> int:
        return prune_store(work, store_no, now, published_before=now - keep)

    return Job("prune_outbox", EVERY_SECONDS, find_stores, prune)


def prune_store(work: Work, store_no: int, now: datetime, *, published_before: datetime) -> int:
    """Notes how far the store has been published, deletes what was so before then; returns the rows deleted."""
    connection = work.connection
    row = connection.execute(_LOCK, [store_no]).fetchone()
    if row is None:
        return 0
    published, pruned = row
    note = {"store_no": store_no, "now": now, "published": published, "noted_before": now - NOTE_EVERY}
    connection.execute(_NOTE, note)
    long_published = connection.execute(_LONG_PUBLISHED, [store_no, published_before]).fetchone()
    assert long_published is not None
    mark = min(long_published[0] or 0, published, pruned + ROWS_AT_ONCE)
    if mark <= pruned:
        return 0
    connection.execute(_MOVE_MARK, [mark, store_no])
    connection.execute(_FORGET_NOTES, [store_no, published_before, mark])
    return connection.execute(_PRUNE, [store_no, pruned, mark]).rowcount
