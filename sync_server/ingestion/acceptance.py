"""The one posting transaction: a batch of one store is deduplicated, posted, told and answered, or nothing is.

    lock the store → is this batch known? → what is known that bears on it? → decide (pure) → one write → receipt

The transaction is committed by the unit of work around it, before the answer leaves.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor
from psycopg.types.multirange import Multirange

from shared.clock import read_instant
from shared.event_batch import BatchReceipt, EventBatch
from shared.exact_decimal import exact_arithmetic
from shared.problems import ErrorCode
from shared.zone_data import zone_data_version
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.errors import Conflict
from sync_server.ingestion.batch_record import Delivery, record_batch
from sync_server.ingestion.event_time import EventClock
from sync_server.ingestion.groups import Arrival, arrivals, groups, sale_key
from sync_server.ingestion.held_groups import begins_inside, keys_of_groups
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.ingestion.known_reservations import KnownReservations
from sync_server.ingestion.known_state import (
    ZERO,
    HashReader,
    KnownState,
    read_claims,
    read_hashes,
    read_held_groups,
    read_stock,
)
from sync_server.ingestion.late_movements import correct_settled_counts
from sync_server.ingestion.named_items import conflicting_barcodes, read_items
from sync_server.ingestion.open_posting import OpenPosting, PostingContext
from sync_server.ingestion.other_lines import POSTED_TYPES, read_others, write_others
from sync_server.ingestion.posting import post_group
from sync_server.ingestion.receipts import Answering, BatchAsPosted, BatchCounts, read_known, receipt_for
from sync_server.ingestion.references import references
from sync_server.ingestion.referred_lines import read_referred_lines
from sync_server.ingestion.second_channel import known_by_natural_key
from sync_server.ingestion.waiting_voids import close_satisfied
from sync_server.inventory.stock_findings import note_shortages
from sync_server.people.callers import Caller, CallerKind
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings, resolve_findings
from sync_server.stores.intake import Intake, claim_intake, claims_intake
from sync_server.stores.locked_store import LockedStore, lock_store, new_stream


def accept_batch(
    work: Work,
    chart: ChartOfAccounts,
    caller: Caller,
    store_no: int,
    batch: EventBatch,
    now: datetime,
    channel: Intake | None = None,
    *,
    from_till: bool = True,
) -> BatchReceipt:
    """Posts `batch` for the store, once, and returns its receipt.

    The same batch again gets the counts of the first time. `channel` is the way by which it came; None: an
    agent's, or a till's own. What comes by another way than the store's intake is held, unless no
    till said it (`from_till`). Raises Conflict (BATCH_CONFLICT) when the batch id was used for other content.
    """
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    known = read_known(cursor, store_no, batch.stream_id, batch.batch_id)
    stream = known.stream
    if stream is None and batch.stream_id is not None:
        stream = new_stream(cursor, store_no, batch.stream_id, caller.device_no)
    if channel is None:
        channel = Intake.AGENT if caller.kind is CallerKind.AGENT else Intake.DIRECT
    comes_by_intake = store.intake == channel or not from_till
    claims = not comes_by_intake and claims_intake(store, channel)
    delivery = Delivery(caller, batch, store, stream, now, channel.value, claims)
    answering = Answering(caller, store_no, store.store_id, batch.batch_id, now, known.asks)
    if known.batch is not None:
        return _same_again(cursor, answering, known.batch, delivery)
    came = arrivals(batch, EventClock(store.day_rule, read_instant(batch.posted_at), now))
    if claims:
        claim_intake(work, store_no, channel)
    if claims or comes_by_intake:
        posting, received = post_arrivals(work, chart, delivery, came)
    else:
        under = known_by_natural_key(store.store_id, came)
        second = HeldReason.SECOND_CHANNEL
        posting, received = post_arrivals(work, chart, delivery, came, hashes_under=under, held_for=second)
    counts = BatchCounts(posting.accepted, posting.duplicates, posting.held, found_by(posting))
    return receipt_for(cursor, answering, counts, received, duplicate=False)


def post_arrivals(
    work: Work,
    chart: ChartOfAccounts,
    delivery: Delivery,
    came: Sequence[Arrival],
    *,
    in_groups: Callable[[Sequence[Arrival]], Iterable[Sequence[Arrival]]] = groups,
    hashes_under: HashReader = read_hashes,
    require: Callable[[OpenPosting], None] | None = None,
    held_for: HeldReason | None = None,
) -> tuple[OpenPosting, Multirange[int]]:
    """Posts the events of `delivery`, whose store is locked; returns what became of them, and what its stream has.

    `hashes_under` says which contents count as received: for a batch all of them, for a release those posted.
    `require` refuses, by raising, what was decided; nothing has been written then.
    With `held_for` whatever is not a duplicate is held for that reason.
    """
    cursor, store = work.connection.cursor(), delivery.store
    context = PostingContext(
        store.currency, chart, store.last_sequence, delivery.stream, store.accounting_date
    )
    posting = OpenPosting(context, KnownState(KnownReservations(delivery.now)))
    posting.held_for, posting.channel = held_for, delivery.channel or ""
    _read_state(cursor, posting, came, store, hashes_under)
    with exact_arithmetic():
        for group in in_groups(came):
            post_group(posting, group)
    if require is not None:
        require(posting)
    _note_zone_data(posting, delivery.batch)
    replenished = _note_shortages(posting)
    received = record_batch(work.connection, delivery, posting)
    write_others(cursor, store, posting, delivery.now)
    posting.state.reservations.write(cursor, store.store_no)
    _write_findings(work, delivery, posting, replenished)
    if store.counted_until is not None:
        correct_settled_counts(work, chart, delivery, posting, came)
    return posting, received


def found_by(posting: OpenPosting) -> list[dict[str, Any]]:
    """What a posting found, as receipts say it."""
    return [{"code": code, "subject": subject} for code, subject in posting.rows.findings]


def _read_state(
    cursor: Cursor[Any],
    posting: OpenPosting,
    came: Sequence[Arrival],
    store: LockedStore,
    hashes_under: HashReader,
) -> None:
    """Everything known that bears on the batch. Pure duplicates end here: nothing more is read for them."""
    state, keys, store_no = posting.state, [arrival.key for arrival in came], store.store_no
    state.hashes = hashes_under(cursor, store_no, keys)
    if state.hashes:
        came = [
            arrival for arrival in came if arrival.event.content_hash not in state.hashes.get(arrival.key, ())
        ]
        if not came:
            return
        keys = [arrival.key for arrival in came]
    if posting.held_for is not None:
        return
    named = references(came)
    state.claims = read_claims(cursor, store_no, [*keys, *map(sale_key, named.sales)])
    state.items = read_items(cursor, store_no, named)
    posting.named_keys = named.events | state.claims.keys()
    posting.named_sales = named.voided_sales
    posting.returned_goods = {(sale, state.items[item].item_no) for sale, item in named.returned}
    if state.claims:
        posting.named_sales |= {sale_id for sale_id in named.sales if sale_key(sale_id) in state.claims}
    for barcode in conflicting_barcodes(cursor, named.named_twice):
        posting.find(FindingCode.BARCODE_CONFLICT, barcode)
    posting.all_new = (
        not state.hashes
        and named.others <= POSTED_TYPES
        and len(set(keys)) == len(keys)
        and _ahead(posting, came)
    )
    if posting.context.stream is not None and (not posting.all_new or begins_inside(came[0])):
        state.held_groups = read_held_groups(cursor, store_no, keys_of_groups(posting.context.stream, came))
    if named.reservations:
        state.reservations.read(cursor, store_no, named.reservations)
    if named.refers:
        read_stock(cursor, store_no, read_referred_lines(cursor, store_no, state, named))
    if named.others or state.lines_by_key:
        read_others(cursor, store, posting, came)


def _ahead(posting: OpenPosting, came: Sequence[Arrival]) -> bool:
    """Whether the batch's sequences, which rise, begin above everything received of its stream."""
    stream, first = posting.context.stream, came[0].event.sequence
    return stream is None or first is None or first >= stream.end


def _note_zone_data(posting: OpenPosting, batch: EventBatch) -> None:
    if batch.timezone_data is not None and batch.timezone_data != zone_data_version():
        posting.find(FindingCode.TIMEZONE_DATA_DIFFERS, batch.timezone_data)


def _note_shortages(posting: OpenPosting) -> list[str]:
    """Finds what the batch left below zero; returns the items whose shortage it ended."""
    replenished: list[str] = []
    for item in {item.item_no: item for item in posting.state.items.values()}.values():
        if item.position.on_hand < ZERO:
            posting.find(FindingCode.NEGATIVE_STOCK, item.item_id)
        elif item.was_short:
            replenished.append(item.item_id)
    return sorted(replenished)


def _write_findings(work: Work, delivery: Delivery, posting: OpenPosting, replenished: Sequence[str]) -> None:
    store_no, now = delivery.store.store_no, delivery.now
    found = [(FindingCode(code), subject) for code, subject in posting.rows.findings.elements()]
    raise_findings(work, store_no, found, now=now)
    if posting.rows.satisfied_claims:
        close_satisfied(work, store_no, posting.rows.satisfied_claims, now)
    resolve_findings(
        work, store_no, FindingCode.NEGATIVE_STOCK, replenished, reason="Stock is back.", now=now
    )
    promised = {item.item_no for item in posting.state.items.values() if item.reserved is not None}
    promised |= {item_no for item_no, reserved, *_ in posting.rows.allocations if reserved}
    note_shortages(work, store_no, sorted(promised), now=now)


def _same_again(
    cursor: Cursor[Any], answering: Answering, known: BatchAsPosted, delivery: Delivery
) -> BatchReceipt:
    """The receipt of the first time, with what has become of the stream since."""
    # The hash says nothing of the stream: the same events in another stream would never be received there.
    stream_no = None if delivery.stream is None else delivery.stream.stream_no
    if known.content_hash != delivery.batch.content_hash or known.stream_no != stream_no:
        raise Conflict(
            f"Batch {answering.batch_id} was posted before with other content or in another stream; "
            "send these events under a new batch id.",
            code=ErrorCode.BATCH_CONFLICT,
            details={"batchId": answering.batch_id},
        )
    received = delivery.stream.received if delivery.stream else Multirange()
    return receipt_for(cursor, answering, known.counts, received, duplicate=True)
