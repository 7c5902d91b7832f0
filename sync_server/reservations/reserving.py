"""Reserving goods in a store, releasing, expiring and fulfilling them: each in one posting under the store's lock.

What is reserved moves through the stock ledger like what is on hand, so that it is the sum of its movements at
every step. Whoever else sells, ships or counts in the store waits for the same lock: nothing is promised twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.business_date import business_date
from shared.clock import instant_text
from shared.exact_decimal import exact_arithmetic, plain
from shared.identifiers import new_event_id
from shared.problems import ErrorCode, Violation
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid, NotFound
from sync_server.inventory.stock_findings import note_negative_stock, note_shortages
from sync_server.inventory.valuation import current_cost
from sync_server.people.audit_log import AuditFacts, append_entry, facts_by
from sync_server.people.callers import Caller, CallerKind
from sync_server.reservations.reservation import ReservationStatus, ReservedGoods
from sync_server.reservations.reservation_rows import (
    add_reservation,
    change_reservations,
    read_lapsed,
    read_reservations,
)
from sync_server.stores.locked_store import LockedStore, lock_store

KIND = "RESERVATION"
FULFILMENT = "FULFILMENT"
MOST_EXPIRED_AT_ONCE = 200
"""Reservations that one transaction expires; the store is locked meanwhile."""
NOTHING_BOOKED = ChartOfAccounts()
"""For what changes no value: reserving, releasing and expiring have no journal."""
HEADQUARTERS_ITSELF = Caller(kind=CallerKind.SERVICE, name="tillsync")
"""Who lets reservations expire, as the audit trail has it."""

_ITEM = "SELECT item_no FROM item WHERE item_id = %s"
_STORE_OF = "SELECT store_no FROM reservation WHERE reservation_id = %s"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants reserved; quantity > 0 in the item's unit of measure, expiry an aware instant."""

    item_id: str
    quantity: Decimal
    expires_at: datetime


def reserve(work: Work, store_no: int, wish: Wish, *, by: Caller, now: datetime) -> ReservedGoods:
    """Grants `wish` in the store, or refuses it: on hand − reserved − safety stock must reach for all of it.

    Raises Invalid for an unknown item or an expiry that is past, Conflict (INSUFFICIENT_AVAILABLE, with what is
    available). What others reserved and let expire no longer counts, whether or not the scheduler has come by.
    """
    item_no = _item_no(work, wish, now)
    store = _free_lapsed(work, store_no, item_no, now)
    reservation_id = new_event_id(now)
    posting = _document(work, store, reservation_id, now)
    posting.read([item_no])
    available = posting.items[item_no].available
    if wish.quantity > available:
        raise Conflict(
            f"{store.store_id} can promise {available} of {wish.item_id}, not {wish.quantity}; "
            "ask for less, or another store.",
            code=ErrorCode.INSUFFICIENT_AVAILABLE,
            details={"storeId": store.store_id, "itemId": wish.item_id, "available": available},
        )
    posting.allocate(item_no, movement_type=KIND, reserved=wish.quantity)
    posting.write()
    goods = ReservedGoods(
        reservation_id=reservation_id,
        item_no=item_no,
        quantity=wish.quantity,
        remaining=wish.quantity,
        expires_at=wish.expires_at,
    )
    add_reservation(work.connection.cursor(), store_no, goods, by.name, now)
    after = {"itemId": wish.item_id, "expiresAt": instant_text(wish.expires_at), **_facts(goods)}
    facts = facts_by(by, at=now, action="reservation.made", subject=reservation_id, after=after)
    append_entry(work, store_no, facts)
    return goods


def release(work: Work, reservation_id: str, *, by: Caller, reason: str | None, now: datetime) -> None:
    """Gives back what remains reserved. Raises NotFound, or Conflict (RESERVATION_NOT_OPEN)."""

    def act(store: LockedStore, goods: ReservedGoods) -> None:
        _close(work, store, goods, ReservationStatus.RELEASED, now)

    _resolve(work, reservation_id, act, action="reservation.released", by=by, reason=reason, now=now)


def fulfil(
    work: Work,
    chart: ChartOfAccounts,
    reservation_id: str,
    quantity: Decimal | None,
    *,
    by: Caller,
    now: datetime,
) -> None:
    """Issues `quantity` of what remains, or all of it, at cost: Dr 5000 / Cr 1400; a SALE brings the revenue.

    Goods that somebody holds in their hands are there: on hand may fall below zero by it, and is found.
    Raises NotFound, Conflict (RESERVATION_NOT_OPEN), or Invalid for more than remains.
    """

    def act(store: LockedStore, goods: ReservedGoods) -> None:
        shipped = goods.remaining if quantity is None else quantity
        if shipped > goods.remaining:
            rule = f"must not exceed what remains of the reservation, {plain(goods.remaining)}"
            violations = [Violation("quantity", rule, shipped)]
            raise Invalid("The reservation cannot be fulfilled as it was asked for", violations=violations)
        posting = _document(work, store, reservation_id, now, chart)
        posting.read([goods.item_no])
        with exact_arithmetic():
            cost = current_cost(posting.items[goods.item_no].position, shipped, posting.coin)
            posting.move(
                goods.item_no,
                -shipped,
                -cost,
                counter_account=chart.cost_of_goods_sold,
                movement_type=FULFILMENT,
                reserved=-shipped,
            )
            goods.ship(shipped, cost, now)
        posting.write()
        note_negative_stock(work, store.store_no, posting.items.values(), now=now)

    _resolve(work, reservation_id, act, action="reservation.fulfilled", by=by, reason=None, now=now)


def expire_lapsed(work: Work, store_no: int, now: datetime) -> int:
    """Closes the store's reservations whose time is over, a bounded number; returns how many."""
    lock_store(work.connection.cursor(), store_no)
    lapsed = read_lapsed(work.connection.cursor(), store_no, now, limit=MOST_EXPIRED_AT_ONCE)
    for goods in lapsed:
        _expire(work, store_no, goods, now)
    return len(lapsed)


def _free_lapsed(work: Work, store_no: int, item_no: int, now: datetime) -> LockedStore:
    """Expires what is over of one item; returns the store, locked, as it is then."""
    cursor = work.connection.cursor()
    store = lock_store(cursor, store_no)
    while lapsed := read_lapsed(cursor, store_no, now, item_no=item_no, limit=MOST_EXPIRED_AT_ONCE):
        for goods in lapsed:
            _expire(work, store_no, goods, now)
        store = lock_store(cursor, store_no)
    return store


def _resolve(
    work: Work,
    reservation_id: str,
    act: Callable[[LockedStore, ReservedGoods], None],
    *,
    action: str,
    by: Caller,
    reason: str | None,
    now: datetime,
) -> None:
    """Does `act` on a reservation that is open, under its store's lock, and writes down what became of it."""
    row = work.connection.execute(_STORE_OF, [reservation_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no reservation {reservation_id}.")
    cursor = work.connection.cursor()
    store = lock_store(cursor, row[0])
    goods = read_reservations(cursor, store.store_no, [reservation_id])[reservation_id]
    if not goods.is_open(now):
        status = goods.status_at(now).value
        raise Conflict(
            f"The reservation is {status}; only an open one can be released or fulfilled.",
            code=ErrorCode.RESERVATION_NOT_OPEN,
            details={"reservationId": reservation_id, "status": status},
        )
    before = _facts(goods)
    act(store, goods)
    after = {**_facts(goods), "reason": reason} if reason else _facts(goods)
    facts = facts_by(by, at=now, action=action, subject=reservation_id, before=before, after=after)
    _write_down(work, store.store_no, goods, facts)


def _expire(work: Work, store_no: int, goods: ReservedGoods, now: datetime) -> None:
    before = _facts(goods)
    store = lock_store(work.connection.cursor(), store_no)
    _close(work, store, goods, ReservationStatus.EXPIRED, now)
    after, subject = _facts(goods), goods.reservation_id
    facts = facts_by(
        HEADQUARTERS_ITSELF, at=now, action="reservation.expired", subject=subject, before=before, after=after
    )
    _write_down(work, store_no, goods, facts)


def _close(
    work: Work, store: LockedStore, goods: ReservedGoods, status: ReservationStatus, now: datetime
) -> None:
    """Takes what remains out of what is reserved."""
    posting = _document(work, store, goods.reservation_id, now)
    posting.read([goods.item_no])
    posting.allocate(goods.item_no, movement_type=status.value, reserved=-goods.close(status, now))
    posting.write()


def _write_down(work: Work, store_no: int, goods: ReservedGoods, facts: AuditFacts) -> None:
    """What became of a reservation; what it no longer holds may let the store keep other promises."""
    change_reservations(work.connection.cursor(), store_no, [goods])
    append_entry(work, store_no, facts)
    note_shortages(work, store_no, [goods.item_no], now=facts.at)


def _document(
    work: Work,
    store: LockedStore,
    reservation_id: str,
    now: datetime,
    chart: ChartOfAccounts = NOTHING_BOOKED,
) -> DocumentPosting:
    day = business_date(now, store.day_rule)
    cursor = work.connection.cursor()
    return DocumentPosting(cursor, store, chart, kind=KIND, document=reservation_id, date=day, now=now)


def _item_no(work: Work, wish: Wish, now: datetime) -> int:
    violations = []
    row = work.connection.execute(_ITEM, [wish.item_id]).fetchone()
    if row is None:
        violations.append(Violation("itemId", "must be an item of the item master", wish.item_id))
    if wish.expires_at <= now:
        violations.append(Violation("expiresAt", "must lie in the future", instant_text(wish.expires_at)))
    if row is None or violations:
        raise Invalid("The reservation cannot be made as it was asked for", violations=violations)
    return int(row[0])


def _facts(goods: ReservedGoods) -> dict[str, object]:
    used = {"shipped": goods.shipped} if goods.shipped else {}
    return {"status": goods.status.value, "remaining": goods.remaining, **used}
