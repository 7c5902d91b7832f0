"""Posting a batch, decided purely: what is known and what came in, the ledger's new rows out.

Groups are posted in the order of the batch, lines in the order of their group; every number of the store's
sequence is given here, without a gap. Nothing is read and nothing is written.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from shared.money import minor_unit
from shared.pos_event import EventType
from shared.wire_json import encode_json
from sync_server.accounting.posting_rules import TenderShares
from sync_server.accounting.tender_shares import share_tenders
from sync_server.ingestion.event_rows import line_row
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival, is_whole, sale_key
from sync_server.ingestion.held_groups import FINDING_OF, is_half, key_of_group, subject_of
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.ingestion.known_state import KnownItem, PostedLine, spelled_item
from sync_server.ingestion.ledger_rows import RETURN, SALE
from sync_server.ingestion.line_effects import apply_line
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.other_lines import OTHER_LINES, POSTED_TYPES
from sync_server.ingestion.plain_sales import is_plain_sale, note_line, sell
from sync_server.ingestion.referred_lines import remember
from sync_server.ingestion.reserved_sales import cost_with_part, move_reserved, take_reserved
from sync_server.ingestion.returns import settle_return
from sync_server.ingestion.voids import claim_lines, post_void, voided_within
from sync_server.inventory.valuation import current_cost, worth_at
from sync_server.stores.findings import FindingCode

ZERO = Decimal(0)
_OUTBOX_KINDS: dict[str, int] = {EventType.SALE: SALE, EventType.RETURN: RETURN}
_VOID, _RETURN, _RECEIPT = EventType.VOID.value, EventType.RETURN.value, EventType.RECEIPT.value
_NO_SHARES: TenderShares = ()


def post_group(posting: OpenPosting, group: Sequence[Arrival]) -> None:
    """Posts one group, or holds it; what has been received before is counted and skipped."""
    if posting.all_new and is_whole(group):
        _post_lines(posting, group)
        return
    fresh: list[Arrival] = []
    reasons: dict[str, HeldReason] = {}
    hashes = posting.state.hashes
    for arrival in group:
        key, content_hash = arrival.key, arrival.event.content_hash
        known = hashes.get(key)
        if known is not None and content_hash in known:
            posting.duplicates += 1
            _receive(posting, arrival, "D")
            continue
        if (reason := _reason_to_hold(posting, arrival, known)) is not None:
            reasons[key] = reason
        hashes[key] = [content_hash] if known is None else [*known, content_hash]
        fresh.append(arrival)
    if fresh and is_half(posting, group):
        reasons.setdefault(fresh[0].key, HeldReason.GROUP_INCOMPLETE)
    if reasons:
        _hold(posting, fresh, reasons)
    elif fresh:
        _post_lines(posting, fresh)


def _reason_to_hold(
    posting: OpenPosting, arrival: Arrival, known: Sequence[bytes] | None
) -> HeldReason | None:
    if posting.held_for is not None:
        return posting.held_for
    if known:
        return HeldReason.EVENT_ID_REUSED
    sequence, stream = arrival.event.sequence, posting.context.stream
    if sequence is not None and stream is not None and stream.has(sequence):
        return HeldReason.STREAM_CONFLICT
    if arrival.event.type not in POSTED_TYPES:
        return HeldReason.TYPE_NOT_POSTED
    return None


def _hold(posting: OpenPosting, group: Sequence[Arrival], reasons: Mapping[str, HeldReason]) -> None:
    """Holds a group for the sake of those of its events, by key, that have a reason of their own."""
    stream, whole = posting.context.stream, [*reasons.values()][-1]
    group_key = key_of_group(None if stream is None else stream.stream_id, group[0])
    for arrival in group:
        event, own = arrival.event, reasons.get(arrival.key)
        subject = None if own is None else subject_of(own, arrival, posting)
        if own is not None and subject is not None:
            posting.find(FINDING_OF[own], subject)
        posting.rows.held.append(
            (
                arrival.key,
                arrival.spelled,
                event.content_hash,
                event.sequence,
                (own or whole).value,
                encode_json(arrival.raw).decode(),
                group_key,
                subject,
            )
        )
        posting.held += 1
        _receive(posting, arrival, "H")


def _receive(posting: OpenPosting, arrival: Arrival, outcome: str) -> None:
    event = arrival.event
    if event.sequence is not None and event.stamp is not None:
        receipt = (event.sequence, event.content_hash, event.stamp.business_date, outcome)
        posting.rows.receipts.append(receipt)


def _post_lines(posting: OpenPosting, group: Sequence[Arrival]) -> None:
    first = posting.sequence + 1
    journals = posting.journals_of(group[0].time.business_date)
    posted: list[PostedLine] = []
    posting.accepted += len(group)
    posting.rows.receipts += [
        (event.sequence, event.content_hash, event.stamp.business_date, "P")
        for event in [arrival.event for arrival in group]
        if event.sequence is not None and event.stamp is not None
    ]
    for arrival, shares in zip(group, _shares(posting, group), strict=True):
        if arrival.time.suspicious:
            _note_time(posting, arrival)
        if arrival.event.type == _VOID:
            post_void(posting, arrival, journals)
        elif arrival.event.type in OTHER_LINES:
            line = OTHER_LINES[arrival.event.type].post(posting, arrival, journals)
            if line is not None:
                posted.append(line)
                remember(posting.state, line)
        else:
            item = posting.state.items[spelled_item(arrival.event)]
            if is_plain_sale(posting, arrival, item):
                sell(posting, arrival, item, shares, journals)
            else:
                posted.append(_post_line(posting, arrival, item, shares, journals))
    last_event = posting.sequence
    posting.sequence = journals.close(posting.rows, first, last_event)
    for sale_id in {arrival.event.sale_id for arrival in group if arrival.event.type != _VOID} - {None}:
        posting.rows.sales.append((sale_key(sale_id), first, last_event))
    if posted and posting.state.claims:
        claim_lines(posting, posted, group)


def _shares(posting: OpenPosting, group: Sequence[Arrival]) -> Sequence[TenderShares | None]:
    """Each line's shares of the group's tenders, unsigned as its amount is; None where nobody named a tender."""
    if not [True for arrival in group if arrival.event.tenders]:
        return [None] * len(group)
    signs = [_sign(arrival) for arrival in group]
    tenders: dict[str, Decimal] = {}
    for arrival in group:
        for tender in arrival.event.tenders or ():
            tenders[tender["type"]] = tenders.get(tender["type"], ZERO) + tender["amount"]
    voided = voided_within(group)
    lines = [(index, sign) for index, sign in enumerate(signs) if sign and index not in voided]
    amounts = [(group[index].event.amount or ZERO) * sign for index, sign in lines]
    shares: list[TenderShares | None] = [_NO_SHARES] * len(group)
    for index in voided:
        shares[index] = None
    if not amounts:
        return shares
    currency = group[lines[0][0]].event.currency or posting.context.currency
    split, differs = share_tenders(amounts, list(tenders.items()), minor_unit(currency))
    for (index, sign), line in zip(lines, split, strict=True):
        shares[index] = [(tender, share * sign) for tender, share in line]
    if differs:
        posting.find(FindingCode.TENDER_MISMATCH, _transaction_name(group[0]))
    return shares


def _post_line(
    posting: OpenPosting,
    arrival: Arrival,
    item: KnownItem,
    shares: TenderShares | None,
    journals: GroupJournals,
) -> PostedLine:
    event, context = arrival.event, posting.context
    number = posting.next_number()
    kind = event.type
    currency = event.currency or context.currency
    line = PostedLine(
        number,
        arrival.key,
        kind,
        item,
        event.quantity or ZERO,
        event.amount or ZERO,
        event.tax_amount or ZERO,
        ZERO,
        currency,
        shares,
        event.sale_id,
        event.line_number,
        kind == _RETURN and event.disposition == "DAMAGED",
    )
    if event.reservation_id is not None and kind == EventType.SALE:
        take_reserved(posting, line, event.reservation_id)
    line.cost = cost = _cost(posting, arrival, line, item)
    movement = apply_line(line, number, posting.books(journals, currency))
    if line.part is not None:
        movement = move_reserved(posting, line, movement, arrival, journals.accounting_date)
    outbox_kind = _OUTBOX_KINDS.get(kind)
    posting.rows.lines.append(
        line_row(
            number,
            arrival,
            posting.stream_no,
            item.item_no,
            cost,
            None if outbox_kind is None and currency == context.currency else currency,
            shares,
            movement,
            journals.accounting_date,
            outbox_kind,
        )
    )
    remember(posting.state, line)
    if item.placeholder or not cost or currency != context.currency:
        note_line(posting, kind, cost, item, currency)
    return line


def _cost(posting: OpenPosting, arrival: Arrival, line: PostedLine, item: KnownItem) -> Decimal:
    """What the goods of a line cost: sold at the average, returned at the sale's, received at the invoice's.

    A cost in another currency says nothing in the store's own: such a receipt comes in at the average, or at the
    master's cost, and what the till said stays in the event.
    """
    kind = line.type
    if kind == _RETURN:
        return settle_return(posting, arrival, line, item)
    unit_cost = arrival.event.unit_cost
    if unit_cost is not None and kind == _RECEIPT and line.currency == posting.context.currency:
        return worth_at(unit_cost, line.quantity, posting.coin)
    if line.part is not None:
        return cost_with_part(posting, line)
    return current_cost(item.position, line.quantity, posting.coin)


def _note_time(posting: OpenPosting, arrival: Arrival) -> None:
    subject = arrival.event.workstation_id or "-"
    if arrival.time.date_mismatch:
        posting.find(FindingCode.BUSINESS_DATE_MISMATCH, subject)
    if arrival.time.clock_suspect:
        posting.find(FindingCode.CLOCK_SUSPECT, subject)


def _sign(arrival: Arrival) -> int:
    """+1 for money in, −1 for money back, 0 for none."""
    kind = arrival.event.type
    return 1 if kind == EventType.SALE else -1 if kind == EventType.RETURN else 0


def _transaction_name(arrival: Arrival) -> str:
    event = arrival.event
    return event.sale_id or event.transaction_number or event.event_id or str(arrival.key)
