"""Voids whose sale does not come: found when the next business day is over, closed when the sale comes after all."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Cursor

from shared.business_date import day_begins
from shared.wire_json import decode_json
from sync_server.database import Work
from sync_server.ingestion.voids import subject_of_void
from sync_server.scheduling.job import Job
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings, resolve_findings
from sync_server.stores.locked_store import lock_store

EVERY_SECONDS = 300
MOST_AT_ONCE = 1000
_PATIENCE = timedelta(days=2)
"""A void of business date D waits until D + 2 begins."""

_STORES = "SELECT DISTINCT store_no FROM void_claim WHERE pending AND NOT reported"
_WAITING = """
SELECT c.void_sequence, e.business_date, e.details::text
FROM void_claim c JOIN pos_event e ON e.store_no = c.store_no AND e.store_sequence = c.void_sequence
WHERE c.store_no = %s AND c.pending AND NOT c.reported
ORDER BY c.void_sequence LIMIT %s
"""
_REPORTED = """
UPDATE void_claim SET reported = true
WHERE store_no = %s AND pending AND NOT reported AND void_sequence = ANY(%s::bigint[])
"""
_VOIDS = "SELECT details::text FROM pos_event WHERE store_no = %s AND store_sequence = ANY(%s::bigint[])"


def waiting_voids_job() -> Job:
    """Finds voids that have waited too long, each once."""
    return Job("find_waiting_voids", EVERY_SECONDS, find_stores=_stores, do_for_store=find_waiting_voids)


def find_waiting_voids(work: Work, store_no: int, now: datetime) -> int:
    """Raises VOID_WITHOUT_SALE for the store's voids whose time is over; returns how many."""
    cursor = work.connection.cursor()
    rule = lock_store(cursor, store_no).day_rule
    late: list[tuple[int, str]] = []
    for sequence, business_date, details in cursor.execute(_WAITING, [store_no, MOST_AT_ONCE]).fetchall():
        if day_begins(business_date + _PATIENCE, rule) <= now:
            late.append((sequence, _subject(details)))
    if late:
        cursor.execute(_REPORTED, [store_no, [sequence for sequence, _ in late]])
        found = [(FindingCode.VOID_WITHOUT_SALE, subject) for _, subject in late]
        raise_findings(work, store_no, found, now=now)
    return len(late)


def close_satisfied(work: Work, store_no: int, satisfied: Sequence[int], now: datetime) -> None:
    """Closes what was found about voids, by their store sequences, whose sale has just come."""
    cursor: Cursor[Any] = work.connection.cursor()
    rows = cursor.execute(_VOIDS, [store_no, list(satisfied)]).fetchall()
    subjects = sorted({_subject(details) for (details,) in rows})
    reason = "The sale came and is taken back."
    resolve_findings(work, store_no, FindingCode.VOID_WITHOUT_SALE, subjects, reason=reason, now=now)


def _stores(work: Work, _now: datetime) -> Iterable[int]:
    return [store_no for (store_no,) in work.connection.execute(_STORES)]


def _subject(details: str) -> str:
    """Read here and not by PostgreSQL, which cannot take apart JSON that holds \\u0000 in any of its texts."""
    return subject_of_void(decode_json(details.encode())["voids"])
