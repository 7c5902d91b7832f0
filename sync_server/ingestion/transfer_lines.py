"""TRANSFER_OUT and TRANSFER_IN: goods that a till scans on their way to or from another store.

Posted whatever is known of the transfer, each in its own store alone. A line without a `transferId` gets one made of
its transaction, under which a person can request the transfer afterwards.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.identifiers import MAX_LENGTH
from shared.pos_event import EventType
from sync_server.accounting.posting_rules import book_goods
from sync_server.ingestion.event_rows import Movement, line_row, movement_row
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import BARCODE_MARK, KnownItem, PostedLine
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.other_line import OtherLine, TakingBack
from sync_server.inventory.valuation import current_cost, move
from sync_server.stores.findings import FindingCode
from sync_server.stores.locked_store import LockedStore
from sync_server.transfers.scans import (
    KnownTransfers,
    ScannedReceipts,
    Telling,
    read_ids,
    write_scanned_receipts,
)
from sync_server.transfers.transit_ledger import Step, UndoneStep, undo_legs, write_legs

_OUT, _IN, _VOID = EventType.TRANSFER_OUT.value, EventType.TRANSFER_IN.value, EventType.VOID.value
_KNOWN = "TRANSFERS"
"""What both types share in `known_to_others`."""


def _known(posting: OpenPosting) -> KnownTransfers:
    known: KnownTransfers = posting.known_to_others[_KNOWN]
    return known


def _read_out(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, came: Sequence[Arrival]) -> None:
    known = posting.known_to_others.setdefault(_KNOWN, KnownTransfers(store.store_no))
    read_ids(cursor, known, _ids(store, came), receiving=False)


def _read_in(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, came: Sequence[Arrival]) -> None:
    known = posting.known_to_others.setdefault(_KNOWN, KnownTransfers(store.store_no))
    earlier = [line.store_sequence for line in posting.state.lines_by_key.values() if line.type == _IN]
    read_ids(cursor, known, _ids(store, came), receiving=True, receipts=earlier)


def _ids(store: LockedStore, came: Iterable[Arrival]) -> dict[str, str]:
    return {arrival.key: arrival.event.transfer_id or _made_up(store, arrival) for arrival in came}


def _made_up(store: LockedStore, arrival: Arrival) -> str:
    """An id for what was scanned together without one."""
    event, day = arrival.event, arrival.time.business_date
    transaction = event.sale_id or event.transaction_number
    if transaction is not None:
        name = f"{store.store_id}:{event.workstation_id or '-'}:{day}:{transaction}"
        if len(name) <= MAX_LENGTH:
            return name
    return f"{store.store_id}:{arrival.key}"


def _post_out(posting: OpenPosting, arrival: Arrival, journals: GroupJournals) -> PostedLine:
    """On hand − at the store's cost; Dr in transit / Cr inventory."""
    line = _line(posting, arrival)
    assert line.item is not None
    line.cost = current_cost(line.item.position, line.quantity, posting.coin)
    movement = _move(posting, line.item, -line.quantity, -line.cost, line.store_sequence, journals)
    row = line_row(
        line.store_sequence,
        arrival,
        posting.stream_no,
        line.item.item_no,
        line.cost,
        movement=movement,
        accounting_date=journals.accounting_date,
    )
    posting.rows.lines.append(row)
    posting.others.setdefault(_OUT, []).append(_step(posting, arrival, line))
    _note(posting, arrival, line, outward=True)
    return line


def _post_in(posting: OpenPosting, arrival: Arrival, journals: GroupJournals) -> PostedLine:
    """In transit − and on hand + at the leg's cost; Dr inventory / Cr in transit."""
    known, line = _known(posting), _line(posting, arrival)
    item, quantity = line.item, line.quantity
    assert item is not None
    transfer_id = known.ids[arrival.key]
    position = item.position
    line.cost = worth = known.transit(transfer_id, item.item_no).receive(
        quantity, lambda beyond: current_cost(position, beyond, posting.coin), posting.coin
    )
    number = line.store_sequence
    movement = _move(posting, item, quantity, worth, number, journals)
    posting.rows.lines.append(line_row(number, arrival, posting.stream_no, item.item_no, worth))
    posting.rows.movements.append(
        movement_row(
            number,
            item.item_no,
            _IN,
            movement,
            number,
            arrival.time,
            journals.accounting_date,
            in_transit=-quantity,
            in_transit_value=-worth,
        )
    )
    posting.rows.allocations.append((item.item_no, Decimal(0), -quantity, -worth))
    known.of_receipt[number] = transfer_id
    notes = _receipts(posting)
    notes.received.append(_step(posting, arrival, line))
    _tell(posting, transfer_id, f"{transfer_id} EVENT {arrival.key}")
    _note(posting, arrival, line, outward=False)
    return line


def _take_back_out(
    posting: OpenPosting, line: PostedLine, taking: TakingBack, journals: GroupJournals
) -> None:
    """The goods are on the shelf again, and a leg of the opposite sign follows the one that left."""
    assert line.item is not None
    movement = _move(posting, line.item, line.quantity, line.cost, taking.number, journals)
    posting.rows.movements.append(_movement_row(line.item, movement, taking, journals))
    posting.others.setdefault(_OUT, []).append(UndoneStep(taking.number, line.store_sequence))


def _take_back_in(
    posting: OpenPosting, line: PostedLine, taking: TakingBack, journals: GroupJournals
) -> None:
    """The goods are under way again, at what they were received at."""
    item, quantity, worth = line.item, line.quantity, line.cost
    assert item is not None
    known = _known(posting)
    transfer_id = known.of_receipt[line.store_sequence]
    known.transit(transfer_id, item.item_no).put_back(quantity, worth)
    movement = _move(posting, item, -quantity, -worth, taking.number, journals)
    row = _movement_row(item, movement, taking, journals, in_transit=quantity, in_transit_value=worth)
    posting.rows.movements.append(row)
    posting.rows.allocations.append((item.item_no, Decimal(0), quantity, worth))
    _receipts(posting).undone.append(UndoneStep(taking.number, line.store_sequence))
    _tell(posting, transfer_id, f"{transfer_id} VOID {line.key}")


def _write_out(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, now: datetime) -> None:
    notes = posting.others[_OUT]
    legs = [note for note in notes if isinstance(note, Step)]
    write_legs(cursor, store.store_no, store.currency, legs, now)
    undone = [note for note in notes if isinstance(note, UndoneStep)]
    undo_legs(cursor, store.store_no, undone, now)


def _write_in(cursor: Cursor[Any], store: LockedStore, posting: OpenPosting, now: datetime) -> None:
    write_scanned_receipts(cursor, store.store_no, _receipts(posting), now)


def _line(posting: OpenPosting, arrival: Arrival) -> PostedLine:
    """The line under its number; what it costs is still to be found out."""
    event, none = arrival.event, Decimal(0)
    item = posting.state.items[event.item_id or f"{BARCODE_MARK}{event.barcode}"]
    return PostedLine(
        store_sequence=posting.next_number(),
        key=arrival.key,
        type=event.type,
        item=item,
        quantity=event.quantity or none,
        amount=none,
        tax=none,
        cost=none,
        currency=None,
        tenders=None,
        sale_id=event.sale_id,
        line_number=event.line_number,
        damaged=False,
    )


def _move(
    posting: OpenPosting,
    item: KnownItem,
    quantity: Decimal,
    worth: Decimal,
    number: int,
    journals: GroupJournals,
) -> Movement:
    valuation = move(item.position, quantity, worth, posting.coin)
    chart = posting.context.chart
    books = posting.books(journals, posting.context.currency)
    book_goods(books.goods, chart, chart.in_transit, valuation)
    previous, item.last_sequence = item.last_sequence, number
    return quantity, valuation.value, item.position.on_hand, previous


def _movement_row(
    item: KnownItem,
    movement: Movement,
    taking: TakingBack,
    journals: GroupJournals,
    in_transit: Decimal | None = None,
    in_transit_value: Decimal | None = None,
) -> tuple[Any, ...]:
    return movement_row(
        taking.number,
        item.item_no,
        _VOID,
        movement,
        taking.void_sequence,
        taking.time,
        journals.accounting_date,
        in_transit=in_transit,
        in_transit_value=in_transit_value,
    )


def _step(posting: OpenPosting, arrival: Arrival, line: PostedLine) -> Step:
    assert line.item is not None
    return Step(
        number=line.store_sequence,
        transfer_id=_known(posting).ids[arrival.key],
        item_no=line.item.item_no,
        quantity=line.quantity,
        value=line.cost,
        cashier_id=arrival.event.cashier_id,
    )


def _receipts(posting: OpenPosting) -> ScannedReceipts:
    notes = posting.others.setdefault(_IN, [])
    if not notes:
        notes.append(ScannedReceipts())
    receipts: ScannedReceipts = notes[0]
    return receipts


def _tell(posting: OpenPosting, transfer_id: str, cause: str) -> None:
    """A destination says once for a batch where the transfer stands, in the state that the batch leaves."""
    if _known(posting).has_to_tell(transfer_id):
        telling = Telling(posting.next_number(), transfer_id, cause)
        _receipts(posting).tellings.append(telling)


def _note(posting: OpenPosting, arrival: Arrival, line: PostedLine, *, outward: bool) -> None:
    item, known = line.item, _known(posting)
    assert item is not None
    transfer_id = known.ids[arrival.key]
    odd = known.odd_about(transfer_id, outward=outward)
    if odd is not None:
        posting.find(odd, transfer_id)
    if item.placeholder:
        posting.find(FindingCode.UNKNOWN_ITEM, item.item_id)
    if not line.cost and not item.position.unit_cost:
        posting.find(FindingCode.COST_UNKNOWN, item.item_id)


TRANSFER_LINES = {
    _OUT: OtherLine(_read_out, _post_out, _take_back_out, _write_out),
    _IN: OtherLine(_read_in, _post_in, _take_back_in, _write_in),
}
"""Both types, for `other_lines`."""
