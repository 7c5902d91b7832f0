"""ADJUSTMENT: goods that a till writes off or finds, signed, for a reason; above the store's limit it waits.

Up to the limit, or without one, it is posted at once against the reason's account. Above it the event is recorded,
and a reconciliation of kind ADJUSTMENT waits for another person than its cashier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.pos_event import EventType
from sync_server.accounting.posting_rules import book_goods
from sync_server.ingestion.event_rows import Movement, line_row, movement_row
from sync_server.ingestion.event_time import EventTime
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import KnownItem, PostedLine, spelled_item
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.other_line import OtherLine, TakingBack
from sync_server.ingestion.till_lines import till_line
from sync_server.inventory.valuation import ZERO, current_cost, move, unit_cost_of, worth_at
from sync_server.reconciliation.reason_codes import SHRINKAGE, ReasonAccounts, accounts_by_reason
from sync_server.reconciliation.till_documents import (
    TillLine,
    add_waiting_adjustments,
    lines_of_events,
    take_back_lines,
)
from sync_server.stores.findings import FindingCode
from sync_server.stores.locked_store import LockedStore

_ADJUSTMENT, _VOID = EventType.ADJUSTMENT.value, EventType.VOID.value
_LIMIT = "SELECT adjustment_limit FROM store WHERE store_no = %s"
_REASONS = """
SELECT store_sequence, reason_code FROM stock_movement WHERE store_no = %s AND store_sequence = ANY(%s::bigint[])
"""


@dataclass(slots=True)
class _Known:
    """What bears on a batch's adjustments: the limit, accounts by reason, and the earlier ones that it voids."""

    limit: Decimal | None
    accounts: Mapping[str, ReasonAccounts]
    reasons: dict[int, str] = field(default_factory=dict)
    """By the number of an adjustment that was posted at once."""

    def of(self, reason: str) -> ReasonAccounts:
        return self.accounts.get(reason) or self.accounts[SHRINKAGE]


def _read(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, _: Sequence[Arrival]) -> None:
    row = cursor.execute(_LIMIT, [store.store_no]).fetchone()
    assert row is not None
    known = _Known(row[0], accounts_by_reason(cursor, posting.context.chart))
    earlier = {
        line.store_sequence for line in posting.state.lines_by_key.values() if line.type == _ADJUSTMENT
    }
    if earlier:
        at_once = earlier - lines_of_events(cursor, store.store_no, earlier).keys()
        known.reasons = dict(cursor.execute(_REASONS, [store.store_no, list(at_once)]).fetchall())
    posting.known_to_others[_ADJUSTMENT] = known


def _post(posting: OpenPosting, arrival: Arrival, journals: GroupJournals) -> PostedLine:
    event, number = arrival.event, posting.next_number()
    item, quantity = posting.state.items[spelled_item(event)], event.quantity or ZERO
    known: _Known = posting.known_to_others[_ADJUSTMENT]
    reason = event.reason_code or SHRINKAGE
    worth = _worth(posting, item, quantity, event.unit_cost)
    posting.rows.lines.append(line_row(number, arrival, posting.stream_no, item.item_no, abs(worth)))
    if reason not in known.accounts:
        posting.find(FindingCode.UNKNOWN_REASON, reason)
    if item.placeholder:
        posting.find(FindingCode.UNKNOWN_ITEM, item.item_id)
    if known.limit is not None and abs(worth) > known.limit:
        waiting = till_line(
            posting, arrival, number, item.item_no, reason=reason, variance=quantity, value=worth
        )
        posting.others.setdefault(_ADJUSTMENT, []).append(waiting)
    else:
        known.reasons[number] = reason
        account, place = known.of(reason).of(quantity), _at(number, number, arrival.time, reason)
        _move(posting, item, quantity, worth, account, journals, place)
    return _line(arrival, number, item, quantity, abs(worth))


def _take_back(posting: OpenPosting, line: PostedLine, taking: TakingBack, journals: GroupJournals) -> None:
    """The exact reverse where it was posted at once; where a document stands for it, that is taken back."""
    known: _Known = posting.known_to_others[_ADJUSTMENT]
    reason = known.reasons.get(line.store_sequence)
    if reason is None:
        posting.others.setdefault(_ADJUSTMENT, []).append(line.store_sequence)
        return
    assert line.item is not None
    worth = line.cost if line.quantity > ZERO else -line.cost
    account = known.of(reason).of(line.quantity)
    place = _at(taking.number, taking.void_sequence, taking.time, reason, kind=_VOID)
    _move(posting, line.item, -line.quantity, -worth, account, journals, place)


def _write(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, now: datetime) -> None:
    noted, chart = posting.others[_ADJUSTMENT], posting.context.chart
    waiting = [each for each in noted if isinstance(each, TillLine)]
    add_waiting_adjustments(cursor, chart, store.store_no, waiting, now)
    take_back_lines(cursor, chart, store.store_no, [each for each in noted if isinstance(each, int)], now)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a movement stands in the ledger."""

    number: int
    event_sequence: int
    time: EventTime
    reason: str
    kind: str


def _at(number: int, event: int, time: EventTime, reason: str, *, kind: str = _ADJUSTMENT) -> _Place:
    return _Place(number, event, time, reason, kind)


def _move(
    posting: OpenPosting,
    item: KnownItem,
    quantity: Decimal,
    worth: Decimal,
    account: str,
    journals: GroupJournals,
    place: _Place,
) -> None:
    valuation = move(item.position, quantity, worth, posting.coin)
    book_goods(journals.entry(posting.context.currency), posting.context.chart, account, valuation)
    movement: Movement = (quantity, valuation.value, item.position.on_hand, item.last_sequence)
    item.last_sequence = place.number
    posting.rows.movements.append(
        movement_row(
            place.number,
            item.item_no,
            place.kind,
            movement,
            place.event_sequence,
            place.time,
            journals.accounting_date,
            reason_code=place.reason,
        )
    )


def _worth(posting: OpenPosting, item: KnownItem, quantity: Decimal, unit_cost: Decimal | None) -> Decimal:
    if quantity < ZERO:
        return -current_cost(item.position, -quantity, posting.coin)
    each = unit_cost_of(item.position) if unit_cost is None else unit_cost
    return worth_at(each, quantity, posting.coin)


def _line(arrival: Arrival, number: int, item: KnownItem, quantity: Decimal, cost: Decimal) -> PostedLine:
    event = arrival.event
    return PostedLine(
        number,
        arrival.key,
        event.type,
        item,
        quantity,
        ZERO,
        ZERO,
        cost,
        None,
        None,
        event.sale_id,
        event.line_number,
        damaged=False,
    )


ADJUSTMENT_LINES = {_ADJUSTMENT: OtherLine(read=_read, post=_post, take_back=_take_back, write=_write)}
