"""Store-days: whether a store and headquarters hold the same events of a stream's business date."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shared.day_digest import DayDigest
from sync_server.database import Work
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings, resolve_findings
from sync_server.stores.stream_receipts import receipt_digest


class DayState(StrEnum):
    """The outcome of the last comparison."""

    PROVEN = "PROVEN"
    DIFFERS = "DIFFERS"


@dataclass(frozen=True, slots=True)
class DayComparison:
    """What the comparison gave, and how many events headquarters holds."""

    state: DayState
    events: int


_LOCK = "SELECT 1 FROM store WHERE store_no = %s FOR NO KEY UPDATE"
"""A late event that is posted at this moment reopens the day after the comparison and never before it."""
_STREAM = "SELECT stream_no FROM stream WHERE store_no = %s AND stream_id = %s"
_KEEP = """
INSERT INTO store_day (store_no, business_date, stream_no, state, digest, events, compared_at, proven_at)
VALUES (%(store_no)s, %(business_date)s, %(stream_no)s, %(state)s, %(digest)s, %(events)s, %(now)s,
        %(proven)s)
ON CONFLICT (store_no, business_date, stream_no) DO UPDATE SET
    state = excluded.state, digest = excluded.digest, events = excluded.events,
    compared_at = excluded.compared_at, proven_at = excluded.proven_at
"""


def compare_day(
    work: Work, store_no: int, stream_id: str, business_date: date, theirs: DayDigest, *, now: datetime
) -> DayComparison:
    """Compares the agent's digest with that of the receipts here, and keeps the outcome.

    `business_date` is the date that the agent stamped, whatever date was booked.
    """
    work.connection.execute(_LOCK, [store_no])
    row = work.connection.execute(_STREAM, [store_no, stream_id]).fetchone()
    ours = receipt_digest(work, store_no, row[0], business_date) if row else DayDigest(0, "")
    state = DayState.PROVEN if row and ours == theirs else DayState.DIFFERS
    if row:
        parameters = {
            "store_no": store_no,
            "business_date": business_date,
            "stream_no": row[0],
            "state": state.value,
            "digest": bytes.fromhex(ours.digest),
            "events": ours.events,
            "now": now,
            "proven": now if state is DayState.PROVEN else None,
        }
        work.connection.execute(_KEEP, parameters)
    subject = f"{stream_id} {business_date.isoformat()}"
    if state is DayState.DIFFERS:
        raise_findings(work, store_no, [(FindingCode.DAY_DIFFERS, subject)], now=now)
    else:
        reason = "the digests of the day are equal"
        resolve_findings(work, store_no, FindingCode.DAY_DIFFERS, [subject], reason=reason, now=now)
    return DayComparison(state, ours.events)
