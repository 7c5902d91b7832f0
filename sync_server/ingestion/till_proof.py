"""Till → agent: are all of a workstation's transactions here, and do they add up to its Z reports?

A day is compared once its till has closed it, and again whenever something late came for it. What does not fit is a
finding, about a workstation and a date; it closes itself when the day fits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Cursor
from psycopg.types.multirange import Multirange

from shared.wire_json import decode_json, encode_json
from sync_server.database import Work
from sync_server.ingestion.till_comparison import Difference, Totals, differences
from sync_server.ingestion.workstation_counting import (
    NO_WORKSTATION,
    PIECE,
    begin_counting,
    count_piece,
    counted_through,
)
from sync_server.scheduling.job import Job
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import keep_finding
from sync_server.stores.locked_store import LockedStore, lock_store

EVERY_SECONDS = 30
MOST_RANGES = 20
"""Runs of missing numbers that a finding names."""
MOST_HELD = 5000
"""Held events of a store that are looked through for a number that is missing."""

_TO_COUNT = """
SELECT p.store_no FROM till_proof_progress p JOIN store s USING (store_no)
WHERE s.last_sequence > p.counted_sequence
   OR EXISTS (SELECT FROM workstation_day d WHERE d.store_no = p.store_no AND d.dirty AND d.closes > 0)
"""
_DIRTY = """
SELECT workstation_id, business_date FROM workstation_day
WHERE store_no = %s AND dirty AND closes > 0 ORDER BY business_date, workstation_id LIMIT 200
"""
_Z = """
SELECT kind, name, sum(amount) FROM z_total
WHERE store_no = %(store_no)s AND workstation_id = %(workstation)s
  AND business_date = %(day)s AND amount IS NOT NULL
GROUP BY kind, name
"""
_OURS = """
SELECT kind, name, amount FROM workstation_total
WHERE store_no = %(store_no)s AND workstation_id = %(workstation)s AND business_date = %(day)s
"""
_MISSING = """
SELECT int8multirange(int8range(
           least(lower(day.numbers), coalesce(CASE WHEN before.last < lower(day.numbers) THEN before.last + 1 END,
                                              lower(day.numbers))),
           upper(day.numbers)))
       - day.numbers - coalesce(near.numbers, '{}') - coalesce(answered.numbers, '{}')
FROM workstation_day day
LEFT JOIN LATERAL (
    SELECT upper(numbers) - 1 AS last FROM workstation_day earlier
    WHERE earlier.store_no = day.store_no AND earlier.workstation_id = day.workstation_id
      AND earlier.business_date < day.business_date AND NOT isempty(earlier.numbers)
    ORDER BY business_date DESC LIMIT 1
) AS before ON true
LEFT JOIN LATERAL (
    SELECT range_agg(numbers) AS numbers FROM workstation_day other
    WHERE other.store_no = day.store_no AND other.workstation_id = day.workstation_id
      AND other.business_date BETWEEN day.business_date - 7 AND day.business_date + 7
) AS near ON true
LEFT JOIN LATERAL (
    SELECT range_agg(int8range(first_number, last_number, '[]')) AS numbers FROM transaction_gap_answer a
    WHERE a.store_no = day.store_no AND a.workstation_id = day.workstation_id AND a.answer = 'NEVER_EXISTED'
) AS answered ON true
WHERE day.store_no = %(store_no)s AND day.workstation_id = %(workstation)s AND day.business_date = %(day)s
  AND NOT isempty(day.numbers)
"""
_HELD = """
SELECT raw::text FROM held_event WHERE store_no = %s AND status <> 'DISCARDED' ORDER BY held_event_no DESC LIMIT %s
"""
_WITHOUT = """
SELECT %(missing)s::int8multirange
       - coalesce((SELECT range_agg(int8range(n, n, '[]')) FROM unnest(%(held)s::bigint[]) AS n), '{}')
"""
_KEEP = """
UPDATE workstation_day SET dirty = false, missing = %(missing)s, differences = %(differences)s
WHERE store_no = %(store_no)s AND workstation_id = %(workstation)s AND business_date = %(day)s
"""


@dataclass(frozen=True, slots=True)
class TillDay:
    """A workstation's business date."""

    workstation_id: str
    business_date: date

    @property
    def subject(self) -> str:
        """What findings about it are about."""
        return f"{self.workstation_id} {self.business_date.isoformat()}"


def prove_at_close(cursor: Cursor[Any], store: LockedStore, last_sequence: int, now: datetime) -> None:
    """Counts and compares where a Z report came; where much is to be counted, the scheduler does it."""
    begin_counting(cursor, store.store_no)
    after = counted_through(cursor, store.store_no) or 0
    if last_sequence - after <= PIECE:
        count_piece(cursor, store, after, last_sequence)
        compare_days(cursor, store.store_no, now)


def proof_job() -> Job:
    """Counts what came since, and compares the closed days for which something came late."""
    return Job("prove_tills", EVERY_SECONDS, find_stores=_stores_to_count, do_for_store=prove_tills)


def prove_tills(work: Work, store_no: int, now: datetime) -> int:
    """One piece of it for one store; returns how many days were compared."""
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    after = counted_through(cursor, store_no)
    if after is None:
        return 0
    if after < store.last_sequence:
        after = count_piece(cursor, store, after, store.last_sequence)
    return compare_days(cursor, store_no, now) if after == store.last_sequence else 0


def compare_days(cursor: Cursor[Any], store_no: int, now: datetime) -> int:
    """Compares every closed day for which something came; the store's events must be counted to the last."""
    days = [TillDay(*row) for row in cursor.execute(_DIRTY, [store_no]).fetchall()]
    for day in days:
        named = {"store_no": store_no, "workstation": day.workstation_id, "day": day.business_date}
        differing = differences(_totals(cursor, _Z, named), _totals(cursor, _OURS, named))
        missing = _missing(cursor, named)
        kept = [_as_json(each) for each in differing]
        text = encode_json(kept).decode() if kept else None
        cursor.execute(_KEEP, named | {"missing": missing, "differences": text})
        _say(cursor, store_no, day, differing, missing, now)
    return len(days)


def _say(
    cursor: Cursor[Any],
    store_no: int,
    day: TillDay,
    differing: Sequence[Difference],
    missing: Multirange[int],
    now: datetime,
) -> None:
    fits = "the till's totals and headquarters' agree"
    detail = "; ".join(map(str, differing))
    keep_finding(cursor, store_no, FindingCode.Z_TOTAL_DIFFERS, day.subject, detail, fits=fits, now=now)
    detail = spelled_ranges(missing)
    fits = "no transaction number is missing"
    keep_finding(cursor, store_no, FindingCode.TRANSACTION_GAP, day.subject, detail, fits=fits, now=now)


def spelled_ranges(missing: Iterable[Any]) -> str:
    """`5, 7-9`: the missing numbers, at most MOST_RANGES runs of them."""
    runs = [(span.lower, span.upper - 1) for span in missing]
    said = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:MOST_RANGES]]
    return ", ".join(said) + (f" and {len(runs) - MOST_RANGES} more" if len(runs) > MOST_RANGES else "")


def _totals(cursor: Cursor[Any], query: str, named: dict[str, Any]) -> Totals:
    rows = cursor.execute(query.encode(), named).fetchall()
    return {(kind, name): amount for kind, name, amount in rows}


def _missing(cursor: Cursor[Any], named: dict[str, Any]) -> Multirange[int]:
    row = cursor.execute(_MISSING, named).fetchone()
    missing: Multirange[int] = Multirange() if row is None else row[0]
    if not missing:
        return missing
    held = _held_numbers(cursor, named["store_no"], named["workstation"])
    (left,) = cursor.execute(_WITHOUT, {"missing": missing, "held": held}).fetchone() or (missing,)
    return left


def _held_numbers(cursor: Cursor[Any], store_no: int, workstation: str) -> list[int]:
    """Transaction numbers of what is held: it is here, though not posted."""
    numbers: list[int] = []
    for (raw,) in cursor.execute(_HELD, [store_no, MOST_HELD]):
        document = decode_json(raw.encode())
        event = document.get("event", document) if isinstance(document, dict) else None
        if not isinstance(event, dict) or str(event.get("workstationId", NO_WORKSTATION)) != workstation:
            continue
        number = str(event.get("transactionNumber"))
        if number.isascii() and number.isdigit() and len(number) <= 15:
            numbers.append(int(number))
    return numbers


def _stores_to_count(work: Work, _now: datetime) -> Iterable[int]:
    return [store_no for (store_no,) in work.connection.execute(_TO_COUNT)]


def _as_json(each: Difference) -> dict[str, str]:
    return {
        "kind": each.kind,
        "name": each.name,
        "till": f"{each.till:f}",
        "headquarters": f"{each.headquarters:f}",
    }
