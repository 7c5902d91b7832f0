"""Findings about items that close themselves: the item is described, or is known to cost nothing.

One that does cost something is valued first: `accounting/late_costs.py` closes its findings. Whoever changes items
closes them at once; the job makes up for what was raised at that same moment.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sync_server.database import Work
from sync_server.scheduling.job import Job
from sync_server.stores.locked_store import lock_store

EVERY_SECONDS = 60
_SETTLED = """
    SELECT f.finding_no FROM finding f JOIN item i ON i.item_id = f.subject
    WHERE f.status = 'OPEN' AND (%(store_no)s::int IS NULL OR f.store_no = %(store_no)s::int)
      AND (%(items)s::varchar[] IS NULL OR f.subject = ANY(%(items)s::varchar[]))
      AND (f.code = 'UNKNOWN_ITEM' AND NOT i.placeholder OR f.code = 'COST_UNKNOWN' AND i.unit_cost = 0)
"""
_CLOSE = f"""
UPDATE finding SET status = 'RESOLVED', closed_by = 'tillsync', last_seen = %(now)s, close_reason =
    CASE code WHEN 'UNKNOWN_ITEM' THEN 'The item is described now.' ELSE 'The item is known to cost nothing.' END
WHERE finding_no IN ({_SETTLED} ORDER BY f.store_no, f.code, f.subject FOR UPDATE OF f)
"""  # noqa: S608  # built from constants
_STORES = """
SELECT DISTINCT f.store_no FROM finding f JOIN item i ON i.item_id = f.subject
WHERE f.status = 'OPEN'
  AND (f.code = 'UNKNOWN_ITEM' AND NOT i.placeholder OR f.code = 'COST_UNKNOWN' AND i.unit_cost = 0)
"""


def close_item_findings(work: Work, item_ids: Sequence[str], now: datetime) -> int:
    """Closes, in all stores, what was found about these items and is settled now; returns how many.

    Rows are taken in the order in which postings raise them, so that neither waits for the other crosswise.
    """
    facts = {"store_no": None, "items": list(item_ids), "now": now}
    return work.connection.execute(_CLOSE, facts).rowcount


def item_findings_job() -> Job:
    """Closes what is settled, store by store."""
    return Job("close_item_findings", EVERY_SECONDS, find_stores=_stores, do_for_store=_close_in_store)


def _close_in_store(work: Work, store_no: int, now: datetime) -> int:
    lock_store(work.connection.cursor(), store_no)
    facts = {"store_no": store_no, "items": None, "now": now}
    return work.connection.execute(_CLOSE, facts).rowcount


def _stores(work: Work, _now: datetime) -> Iterable[int]:
    return [store_no for (store_no,) in work.connection.execute(_STORES)]
