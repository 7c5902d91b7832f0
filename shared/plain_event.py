"""The ordinary event, read in one pass of compiled code; whatever is not ordinary is left to `pos_event`.

Nearly every event is a sale, return or receipt of known fields in their plain spelling, or a void of one. Reading
those is the hottest path of both programs: they are decoded together, looked at in sets and hashed one by one.
`read_plain` gives exactly what the field-by-field reader gives, or None; a test holds the two together.
"""

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from shared import event_fields as fields
from shared.business_date import TimeReading
from shared.canonical_json import canonical_value, hash_of_sorted
from shared.clock import FIRST_YEAR, LAST_YEAR
from shared.event_record import PosEvent, Stamp
from shared.identifiers import MAX_LENGTH
from shared.wire_json import MAX_DEPTH, too_deep

_LINE_TYPES = frozenset({"SALE", "RETURN", "RECEIPT"})
_VOID = "VOID"
_DISPOSITIONS = frozenset({None, "RESTOCK", "DAMAGED"})
_VOIDED = ({"eventId"}, {"saleId"}, {"saleId", "lineNumber"})
_MAX_CHARACTERS = 10
"""A plain decimal this short is within every limit: at most 9 digits after the point, far below 18 before it."""
_ZERO = Decimal(0)
_WHOLE = Context(traps=[Inexact])
"""Takes idle zeros off; a number of more digits than it keeps raises instead of being rounded."""
_TENDER_DEPTH = MAX_DEPTH - 3
"""Levels of nesting in the list of tenders; event, events and batch are around it."""
NOT_PLAIN = (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError)
"""What reading ends in when an event needs the careful reader, which says what is wrong if anything is."""
_READINGS = frozenset(TimeReading)
_DECIMALS = (Decimal,)


class Spelled(NamedTuple):
    """A number as the till wrote it, and in the shortest form, in which it is hashed."""

    exact: Decimal
    short: Decimal


@lru_cache(maxsize=8192)
def spelled_number(text: str) -> Spelled:
    """The number that JSON spells `text`; prices repeat, so each is looked at once.

    Raises ValueError or ArithmeticError for a number that needs a closer look.
    """
    exact = Decimal(text)
    short = exact.normalize(_WHOLE)
    text = str(short)
    if "E" in text:
        # Twenty normalises to 2E+1; the canonical spelling is 20. Anything else with an exponent is not plain.
        if not 0 < short.adjusted() < _MAX_CHARACTERS:
            raise ValueError("not plain")
        text = format(short, "f")
        short = Decimal(text)
    if len(text) > _MAX_CHARACTERS or text == "-0" or not short.is_finite():
        raise ValueError("not plain")
    return Spelled(exact, short)


_DECODER = msgspec.json.Decoder(PosEvent, float_hook=spelled_number)
_cached_moment = lru_cache(maxsize=8192)(fields.moment)
_cached_date = lru_cache(maxsize=1024)(fields.calendar_date)
_cached_currency = lru_cache(maxsize=256)(fields.currency)


def read_plain(raw: Any) -> PosEvent | None:
    """An ordinary event, its time in UTC, its numbers as they came, its content hash; None if it is another."""
    try:
        event = msgspec.convert(raw, PosEvent, builtin_types=_DECIMALS)
        return event if take_plain([event]) else None
    except NOT_PLAIN:
        return None


def read_plain_json(document: bytes | msgspec.Raw, *, printable: bool = False) -> PosEvent | None:
    """As `read_plain`, from the bytes of the event's JSON object: none of it becomes a dictionary on the way.

    `printable` says that `is_printable` has been asked already.
    """
    try:
        event = _DECODER.decode(document)
        return event if take_plain([event], printable=printable) else None
    except NOT_PLAIN:
        return None


def is_printable(document: bytes) -> bool:
    """Whether no text in this JSON can hold a control character or a letter that needs a closer look."""
    return document.isascii() and b"\\" not in document and b"\x7f" not in document


def take_plain(events: Sequence[PosEvent], *, printable: bool = False) -> bool:
    """Checks, normalises and hashes decoded events, in place; those of `msgspec` with `spelled_number` as hook.

    False, or an error of NOT_PLAIN, where one is not plain: then none of them may be used.
    """
    if not (_known_shapes(events) and _plain_stamps([event.stamp for event in events if event.stamp])):
        return False
    if not printable and not all(map(_plain_text, events)):
        return False
    for event in events:
        if event.type == _VOID:
            if not _plain_void(event):
                return False
            event.content_hash = _hash(event)
        elif not _take_line(event):
            return False
    return True


def _known_shapes(events: Sequence[PosEvent]) -> bool:
    """Whether only fields are there whose every value needs no closer look than this one."""
    return (
        {event.type for event in events if event.voids is None} <= _LINE_TYPES
        and {event.type for event in events if event.voids is not None} <= {_VOID}
        and {event.disposition for event in events} <= _DISPOSITIONS
        and not [True for event in events if event.extra is not None or event.content_hash]
    )


def _plain_stamps(stamps: Sequence[Stamp]) -> bool:
    if not stamps:
        return True
    instants = [stamp.occurred_at for stamp in stamps]
    return (
        {stamp.time_reading for stamp in stamps} <= _READINGS
        and None not in {instant.tzinfo for instant in instants}
        and None not in {stamp.received_at.tzinfo for stamp in stamps}
        and min(instants).year >= FIRST_YEAR
        and max(instants).year <= LAST_YEAR
        and min([stamp.group_first for stamp in stamps]) >= 1
        and min([stamp.group_size for stamp in stamps]) >= 1
    )


def _take_line(event: PosEvent) -> bool:
    """Reads a sale, return or receipt: its numbers are brought to their shortest form for hashing only."""
    if event.item_id is None and event.barcode is None:
        return False
    quantity, amount = _spelled(event.quantity), _spelled(event.amount)
    if quantity is None or quantity[0] <= _ZERO:
        return False
    event.quantity = quantity[1]
    if amount is not None:
        if amount[0] < _ZERO:
            return False
        event.amount = amount[1]
    elif event.type != "RECEIPT":
        return False
    tax, discount, cost = (
        _spelled(event.tax_amount),
        _spelled(event.discount_amount),
        _spelled(event.unit_cost),
    )
    if tax is not None:
        if amount is None or not _ZERO <= tax[0] <= amount[0]:
            return False
        event.tax_amount = tax[1]
    if discount is not None:
        event.discount_amount = discount[1]
    if cost is not None:
        if cost[0] < _ZERO:
            return False
        event.unit_cost = cost[1]
    tenders = None if event.tenders is None else _take_tenders(event)
    event.content_hash = _hash(event)
    event.quantity = quantity[0]
    event.amount = None if amount is None else amount[0]
    event.tax_amount = None if tax is None else tax[0]
    event.discount_amount = None if discount is None else discount[0]
    event.unit_cost = None if cost is None else cost[0]
    event.tenders = tenders
    return True


def _take_tenders(event: PosEvent) -> list[dict[str, Any]]:
    """The event's tenders as they came; the event keeps them in canonical form, to be hashed."""
    if too_deep(event.tenders, _TENDER_DEPTH):
        raise ValueError("not plain")
    tenders = fields.tenders(_exact_within(event.tenders))
    event.tenders = canonical_value(tenders)
    return tenders


def _exact_within(value: Any) -> Any:
    """`value` with every number in it as the till wrote it."""
    if type(value) is Spelled:
        return value.exact
    if type(value) is dict:
        return {name: _exact_within(part) for name, part in value.items()}
    return [_exact_within(part) for part in value] if type(value) is list else value


def _plain_void(event: PosEvent) -> bool:
    """Whether a void names one event or sale in the plain way and says nothing of numbers or tenders."""
    voids = event.voids or {}
    line_number = voids.get("lineNumber", 0)
    named = voids.get("eventId", voids.get("saleId"))
    return (
        voids.keys() in _VOIDED
        and type(named) is str
        and 1 <= len(named) <= MAX_LENGTH
        and named.isprintable()
        and type(line_number) is int
        and 0 <= line_number < 10**9
        and {event.quantity, event.amount, event.tax_amount, event.discount_amount, event.unit_cost} == {None}
        and event.tenders is None
    )


def _hash(event: PosEvent) -> bytes:
    """The content hash; on the way the till's time is brought to UTC, and what has a narrow form is looked at."""
    if event.occurred_at is not None:
        event.occurred_at = _cached_moment(event.occurred_at)
    if event.business_date is not None:
        _cached_date(event.business_date)
    if event.currency is not None:
        _cached_currency(event.currency)
    event_id, sequence, stamp = event.event_id, event.sequence, event.stamp
    event.event_id = event.sequence = event.stamp = None
    content_hash = hash_of_sorted(event)
    event.event_id, event.sequence, event.stamp = event_id, sequence, stamp
    return content_hash


def _spelled(number: Any) -> Spelled | None:
    """A number as JSON gave it; None stays None, anything that is no number raises ValueError."""
    kind = type(number)
    if kind is Spelled or number is None:
        return number  # type: ignore[no-any-return]
    if kind is int:
        return _whole(number)
    if kind is Decimal:
        return spelled_number(str(number))
    raise ValueError("not plain")


@lru_cache(maxsize=1024)
def _whole(number: int) -> Spelled:
    return spelled_number(str(number))


def _plain_text(event: PosEvent) -> bool:
    """Whether no identifier holds a character that is not printable."""
    text = (
        f"{event.item_id}{event.barcode}{event.sale_id}{event.transaction_number}{event.workstation_id}"
        f"{event.cashier_id}{event.unit_of_measure}{event.original_sale_id}{event.event_id}"
        f"{event.reason_code}{event.reservation_id}{event.transfer_id}"
    )
    return text.isprintable()
