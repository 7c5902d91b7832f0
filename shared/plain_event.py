"""The ordinary event, read in one pass of compiled code; whatever is not ordinary is left to `pos_event`.

Nearly every event is a sale, return or receipt of known fields in their plain spelling. Reading those is the
hottest path of both programs. `read_plain` gives exactly what the field-by-field reader gives, or None; a test
holds the two together.
"""

from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import Any

import msgspec

from shared import event_fields as fields
from shared.business_date import TimeReading
from shared.canonical_json import canonical_value, hash_of_sorted
from shared.clock import FIRST_YEAR, LAST_YEAR
from shared.event_record import PosEvent, Stamp
from shared.wire_json import MAX_DEPTH, too_deep

_TYPES = frozenset({"SALE", "RETURN", "RECEIPT"})
_DISPOSITIONS = frozenset({None, "RESTOCK", "DAMAGED"})
_MAX_CHARACTERS = 10
"""A plain decimal this short is within every limit: at most 9 digits after the point, far below 18 before it."""
_ZERO = Decimal(0)
_WHOLE = Context(traps=[Inexact])
"""Takes idle zeros off; a number of more digits than it keeps raises instead of being rounded."""
_TENDER_DEPTH = MAX_DEPTH - 3
"""Levels of nesting in the list of tenders; event, events and batch are around it."""
_NOT_PLAIN = (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError)
"""What reading ends in when an event needs the careful reader, which says what is wrong if anything is."""
Numbers = tuple[Decimal, Decimal | None, Decimal | None, Decimal | None, Decimal | None]
"""Quantity, amount, tax, discount and unit cost."""
_READINGS = frozenset(TimeReading)
_DECIMALS = (Decimal,)
_DECODER = msgspec.json.Decoder(PosEvent, float_hook=Decimal)
_cached_moment = lru_cache(maxsize=8192)(fields.moment)
_cached_date = lru_cache(maxsize=1024)(fields.calendar_date)
_cached_currency = lru_cache(maxsize=256)(fields.currency)


def read_plain(raw: Any) -> PosEvent | None:
    """An ordinary event, its time in UTC, its numbers as they came, its content hash; None if it is another."""
    try:
        return _finish(msgspec.convert(raw, PosEvent, builtin_types=_DECIMALS))
    except _NOT_PLAIN:
        return None


def read_plain_json(document: bytes | msgspec.Raw, *, printable: bool = False) -> PosEvent | None:
    """As `read_plain`, from the bytes of the event's JSON object: none of it becomes a dictionary on the way.

    `printable` says that `is_printable` has been asked already.
    """
    try:
        return _finish(_DECODER.decode(document), printable=printable)
    except _NOT_PLAIN:
        return None


def is_printable(document: bytes) -> bool:
    """Whether no text in this JSON can hold a control character or a letter that needs a closer look."""
    return document.isascii() and b"\\" not in document and b"\x7f" not in document


def _finish(event: PosEvent, *, printable: bool = False) -> PosEvent | None:
    """Checks, normalises and hashes a decoded event, in place; None or an error of _NOT_PLAIN if it is not plain."""
    if not (_known_shape(event) and (printable or _plain_text(event)) and _plain_stamp(event.stamp)):
        return None
    numbers = _take_numbers(event)
    if numbers is None:
        return None
    if event.occurred_at is not None:
        event.occurred_at = _cached_moment(event.occurred_at)
    if event.business_date is not None:
        _cached_date(event.business_date)
    if event.currency is not None:
        _cached_currency(event.currency)
    tenders = event.tenders
    if tenders is not None:
        if too_deep(tenders, _TENDER_DEPTH):
            return None
        tenders = fields.tenders(tenders)
        event.tenders = canonical_value(tenders)
    envelope = event.event_id, event.sequence, event.stamp
    event.event_id = event.sequence = event.stamp = None
    event.content_hash = hash_of_sorted(event)
    event.event_id, event.sequence, event.stamp = envelope
    event.quantity, event.amount, event.tax_amount, event.discount_amount, event.unit_cost = numbers
    event.tenders = tenders
    return event


def _known_shape(event: PosEvent) -> bool:
    """Whether only fields are there whose every value needs no closer look than this one."""
    return (
        event.type in _TYPES
        and event.voids is None
        and event.extra is None
        and event.disposition in _DISPOSITIONS
        and not event.content_hash
        and (event.item_id is not None or event.barcode is not None)
    )


def _take_numbers(event: PosEvent) -> Numbers | None:
    """Brings the event's numbers to their shortest form for hashing and returns them as they came.

    None where a number needs a closer look. Raises ValueError and ArithmeticError likewise.
    """
    quantity, amount = _exact(event.quantity), _exact(event.amount)
    tax, discount, cost = event.tax_amount, event.discount_amount, event.unit_cost
    if quantity is None or quantity <= _ZERO:
        return None
    if amount is None:
        if event.type != "RECEIPT" or tax is not None:
            return None
    elif amount < _ZERO:
        return None
    else:
        event.amount = _shortest(str(amount))
    event.quantity = _shortest(str(quantity))
    if tax is not None:
        tax = _exact(tax)
        if tax < _ZERO or tax > amount:
            return None
        event.tax_amount = _shortest(str(tax))
    if discount is not None:
        discount = _exact(discount)
        event.discount_amount = _shortest(str(discount))
    if cost is not None:
        cost = _exact(cost)
        if cost < _ZERO:
            return None
        event.unit_cost = _shortest(str(cost))
    return quantity, amount, tax, discount, cost


def _exact(number: Any) -> Any:
    """A JSON number as a decimal, as it came; None stays None, anything else raises ValueError."""
    if type(number) is int:
        return _whole(number)
    if type(number) is Decimal or number is None:
        return number
    raise ValueError("not plain")


_whole = lru_cache(maxsize=1024)(Decimal)


@lru_cache(maxsize=8192)
def _shortest(text: str) -> Decimal:
    """The shortest form of the decimal that Python spells `text`; prices repeat, so each is looked at once."""
    short = Decimal(text).normalize(_WHOLE)
    text = str(short)
    if "E" in text:
        # Twenty normalises to 2E+1; the canonical spelling is 20. Anything else with an exponent is not plain.
        if not 0 < short.adjusted() < _MAX_CHARACTERS:
            raise ValueError("not plain")
        text = format(short, "f")
        short = Decimal(text)
    if len(text) > _MAX_CHARACTERS or text == "-0" or not short.is_finite():
        raise ValueError("not plain")
    return short


def _plain_text(event: PosEvent) -> bool:
    """Whether no identifier holds a character that is not printable."""
    text = (
        f"{event.item_id}{event.barcode}{event.sale_id}{event.transaction_number}{event.workstation_id}"
        f"{event.cashier_id}{event.unit_of_measure}{event.original_sale_id}{event.event_id}"
        f"{event.reason_code}{event.reservation_id}{event.transfer_id}"
    )
    return text.isprintable()


def _plain_stamp(stamp: Stamp | None) -> bool:
    return stamp is None or (
        stamp.time_reading in _READINGS
        and stamp.occurred_at.tzinfo is not None
        and stamp.received_at.tzinfo is not None
        and FIRST_YEAR <= stamp.occurred_at.year <= LAST_YEAR
        and stamp.group_first >= 1
        and stamp.group_size >= 1
    )
