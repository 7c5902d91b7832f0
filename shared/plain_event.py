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
from shared.canonical_json import hash_of_canonical
from shared.clock import FIRST_YEAR, LAST_YEAR
from shared.event_record import PosEvent, Stamp

_TYPES = frozenset({"SALE", "RETURN", "RECEIPT"})
_DISPOSITIONS = frozenset({None, "RESTOCK", "DAMAGED"})
_MAX_CHARACTERS = 10
"""A plain decimal this short is within every limit: at most 9 digits after the point, far below 18 before it."""
_WHOLE = Context(traps=[Inexact])
"""Takes idle zeros off; a number of more digits than it keeps raises instead of being rounded."""
_READINGS = frozenset(TimeReading)
_DECIMALS = (Decimal,)
_cached_moment = lru_cache(maxsize=8192)(fields.moment)
_cached_date = lru_cache(maxsize=1024)(fields.calendar_date)
_cached_currency = lru_cache(maxsize=256)(fields.currency)


def read_plain(raw: Any) -> PosEvent | None:
    """An ordinary event, its time in UTC, its numbers as they came, its content hash; None if it is another."""
    try:
        event = msgspec.convert(raw, PosEvent, builtin_types=_DECIMALS)
        if not (_known_shape(event) and _plain_text(event) and _plain_stamp(event.stamp)):
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
    except (msgspec.ValidationError, ValueError, ArithmeticError):
        return None
    envelope = event.event_id, event.sequence, event.stamp
    event.event_id = event.sequence = event.stamp = None
    event.content_hash = hash_of_canonical(event)
    event.event_id, event.sequence, event.stamp = envelope
    event.quantity, event.amount, event.tax_amount, event.discount_amount, event.unit_cost = numbers
    return event


def _known_shape(event: PosEvent) -> bool:
    """Whether only fields are there whose every value needs no closer look than this one."""
    return (
        event.type in _TYPES
        and event.disposition in _DISPOSITIONS
        and event.tenders is None
        and event.voids is None
        and event.extra is None
        and not event.content_hash
        and (event.item_id is not None or event.barcode is not None)
    )


def _take_numbers(
    event: PosEvent,
) -> tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None, Decimal | None] | None:
    """Brings the event's numbers to their shortest form for hashing and returns them as they came.

    None where a number needs a closer look. Raises ValueError and ArithmeticError likewise.
    """
    if event.quantity is None:
        return None
    quantity, event.quantity = _shortest(event.quantity)
    amount = tax = discount = cost = None
    if event.amount is not None:
        amount, event.amount = _shortest(event.amount)
        if amount < 0:
            return None
    if event.tax_amount is not None:
        tax, event.tax_amount = _shortest(event.tax_amount)
        if tax < 0 or amount is None or tax > amount:
            return None
    if event.discount_amount is not None:
        discount, event.discount_amount = _shortest(event.discount_amount)
    if event.unit_cost is not None:
        cost, event.unit_cost = _shortest(event.unit_cost)
        if cost < 0:
            return None
    if quantity <= 0 or (amount is None and event.type != "RECEIPT"):
        return None
    return quantity, amount, tax, discount, cost


def _shortest(number: int | Decimal) -> tuple[Decimal, Decimal]:
    """The number as it came and in its shortest form."""
    exact = Decimal(number) if type(number) is int else number
    short = exact.normalize(_WHOLE)  # type: ignore[union-attr]
    text = str(short)
    if "E" in text:
        # Twenty normalises to 2E+1; the canonical spelling is 20. Anything else with an exponent is not plain.
        if not 0 < short.adjusted() < _MAX_CHARACTERS:
            raise ValueError("not plain")
        text = format(short, "f")
        short = Decimal(text)
    if len(text) > _MAX_CHARACTERS or text == "-0":
        raise ValueError("not plain")
    return exact, short  # type: ignore[return-value]


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
