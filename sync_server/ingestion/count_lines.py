"""COUNT: how many of an item lay there, said by a till. Nothing moves: it is a line of a count that others approve."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from shared.pos_event import EventType
from sync_server.ingestion.event_rows import line_row
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import PostedLine, spelled_item
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.other_line import OtherLine, TakingBack
from sync_server.ingestion.till_lines import till_line
from sync_server.inventory.valuation import ZERO
from sync_server.reconciliation.documents import OPEN
from sync_server.reconciliation.reason_codes import SHRINKAGE, accounts_by_reason
from sync_server.reconciliation.till_documents import (
    LineOfEvent,
    TillLine,
    add_counted_lines,
    lines_of_events,
    take_back_lines,
)
from sync_server.stores.findings import FindingCode
from sync_server.stores.locked_store import LockedStore

_COUNT = EventType.COUNT.value
_Known = tuple[Mapping[str, object], Mapping[int, LineOfEvent]]
"""Reason codes, and the earlier counts that voids of the batch name."""


def _read(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, _: Sequence[Arrival]) -> None:
    earlier = [line.store_sequence for line in posting.state.lines_by_key.values() if line.type == _COUNT]
    known: _Known = (
        accounts_by_reason(cursor, posting.context.chart),
        lines_of_events(cursor, store.store_no, earlier) if earlier else {},
    )
    posting.known_to_others[_COUNT] = known


def _post(posting: OpenPosting, arrival: Arrival, _: GroupJournals) -> PostedLine:
    event, number = arrival.event, posting.next_number()
    item, counted = posting.state.items[spelled_item(event)], event.quantity or ZERO
    known: _Known = posting.known_to_others[_COUNT]
    reason = event.reason_code or SHRINKAGE
    if reason not in known[0]:
        posting.find(FindingCode.UNKNOWN_REASON, reason)
    if item.placeholder:
        posting.find(FindingCode.UNKNOWN_ITEM, item.item_id)
    posting.rows.lines.append(line_row(number, arrival, posting.stream_no, item.item_no))
    line = till_line(posting, arrival, number, item.item_no, reason=reason, counted=counted)
    posting.others.setdefault(_COUNT, []).append(line)
    return PostedLine(
        number,
        arrival.key,
        event.type,
        None,
        counted,
        ZERO,
        ZERO,
        ZERO,
        None,
        None,
        event.sale_id,
        event.line_number,
        damaged=False,
    )


def _take_back(posting: OpenPosting, line: PostedLine, _: TakingBack, __: GroupJournals) -> None:
    """It leaves the open document; what was approved stands, and somebody counts again."""
    known: _Known = posting.known_to_others[_COUNT]
    document = known[1].get(line.store_sequence)
    if document is not None and document.status != OPEN:
        posting.find(FindingCode.COUNT_TAKEN_BACK, document.reconciliation_id)
        return
    posting.others.setdefault(_COUNT, []).append(line.store_sequence)


def _write(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, now: datetime) -> None:
    noted, chart = posting.others[_COUNT], posting.context.chart
    counted = [each for each in noted if isinstance(each, TillLine)]
    add_counted_lines(cursor, chart, store.store_no, counted, now)
    take_back_lines(cursor, chart, store.store_no, [each for each in noted if isinstance(each, int)], now)


COUNT_LINES = {_COUNT: OtherLine(read=_read, post=_post, take_back=_take_back, write=_write)}
