"""DAY_CLOSE events: a till's Z report is recorded beside the event, and its day compared with what came of it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from psycopg import Cursor

from shared.pos_event import EventType
from sync_server.ingestion.event_rows import line_row
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import PostedLine
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.other_line import OtherLine, TakingBack
from sync_server.ingestion.till_proof import prove_at_close
from sync_server.ingestion.workstation_counting import NO_WORKSTATION
from sync_server.ingestion.z_totals import ZLine, read_z_totals
from sync_server.stores.locked_store import LockedStore

_RECORD = """
INSERT INTO z_total (store_no, store_sequence, place, workstation_id, business_date, kind, name, count, amount)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
Report = tuple[int, str, date, list[ZLine]]
"""The event's number, its workstation and business date, its totals."""


def _read(_cursor: Cursor[Any], _store: LockedStore, _posting: OpenPosting, _came: Sequence[Arrival]) -> None:
    """Nothing bears on a Z report before it is recorded."""


def _post(posting: OpenPosting, arrival: Arrival, _journals: GroupJournals) -> PostedLine | None:
    """Records the event; no void can name it, since a till answers a wrong report with another one."""
    number = posting.next_number()
    posting.rows.lines.append(line_row(number, arrival, posting.stream_no))
    workstation = arrival.event.workstation_id or NO_WORKSTATION
    report: Report = (number, workstation, arrival.time.business_date, read_z_totals(arrival.event))
    posting.others.setdefault(EventType.DAY_CLOSE.value, []).append(report)
    return None


def _take_back(
    _posting: OpenPosting, _line: PostedLine, _taking: TakingBack, _journals: GroupJournals
) -> None:
    raise AssertionError("a Z report is no line that a void can name")


def _write(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, now: datetime) -> None:
    """Records the totals and compares the days, as far as the store's events are counted."""
    reports: list[Report] = posting.others[EventType.DAY_CLOSE.value]
    rows = [
        (store.store_no, number, place, workstation, day, line.kind, line.name, line.count, line.amount)
        for number, workstation, day, lines in reports
        for place, line in enumerate(lines, 1)
    ]
    if rows:
        cursor.executemany(_RECORD, rows)
    prove_at_close(cursor, store, posting.sequence, now)


DAY_CLOSE = OtherLine(read=_read, post=_post, take_back=_take_back, write=_write)
