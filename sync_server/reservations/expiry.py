"""The job that closes reservations whose time is over; until it comes by they promise nothing already."""

from collections.abc import Iterable
from datetime import datetime

from sync_server.database import Work
from sync_server.reservations.reserving import expire_lapsed
from sync_server.scheduling.job import Job

_STORES = "SELECT DISTINCT store_no FROM reservation WHERE status = 'OPEN' AND expires_at <= %s"


def expiry_job(every_seconds: int) -> Job:
    """Expires reservations store by store; what one run leaves, the next one takes."""
    return Job("expire_reservations", every_seconds, find_stores=_stores, do_for_store=expire_lapsed)


def _stores(work: Work, now: datetime) -> Iterable[int]:
    return [store_no for (store_no,) in work.connection.execute(_STORES, [now])]
