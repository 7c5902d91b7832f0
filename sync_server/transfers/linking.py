"""Transfers that nobody requested: once one store has scanned goods out and another has scanned them in under the
same id, it is known from where to where they went.

Where it stays ambiguous (two sources, two destinations, one side missing) a person requests the transfer under
that id.
"""

from collections.abc import Iterable
from datetime import datetime

from sync_server.database import Work
from sync_server.people.callers import Caller, CallerKind
from sync_server.scheduling.job import Job
from sync_server.transfers.requests import TransferRequest, request_transfer

TRANSFERS_AT_ONCE = 100
_LINKER = Caller(
    kind=CallerKind.SERVICE, name="tillsync", request_id="link_scanned_transfers", origin="tillsync"
)

_SCANNED = """
SELECT stray.transfer_id, min(stray.store_no) AS from_no, min(got.store_no) AS to_no
FROM (
    SELECT DISTINCT leg.transfer_id, leg.store_no
    FROM transfer_leg_waiting w JOIN transfer_leg leg USING (transfer_id)
    WHERE NOT EXISTS (SELECT FROM transfer t WHERE t.transfer_id = w.transfer_id)
) AS stray
JOIN (SELECT DISTINCT transfer_id, store_no FROM transfer_receipt) AS got USING (transfer_id)
JOIN store f ON f.store_no = stray.store_no JOIN store d ON d.store_no = got.store_no AND d.currency = f.currency
GROUP BY stray.transfer_id
HAVING count(DISTINCT stray.store_no) = 1 AND count(DISTINCT got.store_no) = 1
   AND min(stray.store_no) <> min(got.store_no)
"""
_SOURCES = f"SELECT DISTINCT from_no FROM ({_SCANNED}) AS scanned ORDER BY 1"  # noqa: S608  # built from constants
_OF_SOURCE = f"""
SELECT scanned.transfer_id, f.store_id, d.store_id
FROM ({_SCANNED}) AS scanned JOIN store f ON f.store_no = from_no JOIN store d ON d.store_no = to_no
WHERE from_no = %s ORDER BY scanned.transfer_id LIMIT %s
"""  # noqa: S608  # built from constants


def linking_job() -> Job:
    """Makes transfers of what two stores have scanned, source by source."""
    return Job("link_scanned_transfers", 5, find_stores=_sources, do_for_store=_link)


def _sources(work: Work, _now: datetime) -> Iterable[int]:
    return [row[0] for row in work.connection.execute(_SOURCES)]


def _link(work: Work, store_no: int, now: datetime) -> int:
    """The transfers get no lines: nothing was requested of them."""
    found = work.connection.execute(_OF_SOURCE, [store_no, TRANSFERS_AT_ONCE]).fetchall()
    for transfer_id, from_id, to_id in found:
        request = TransferRequest(from_store_id=from_id, to_store_id=to_id, lines={}, transfer_id=transfer_id)
        request_transfer(work, request, by=_LINKER, now=now)
    return len(found)
