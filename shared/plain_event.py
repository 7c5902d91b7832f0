"""The ordinary event, read in one pass of compiled code; whatever is not ordinary is left to `pos_event`.

Nearly every event is a sale, return or receipt of known fields in their plain spelling. Reading those is the
hottest path of both programs. `read_plain` gives exactly what the field-by-field reader gives, or None; a test
holds the two together.
"""

from datetime import date, datetime
from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec

from shared import event_fields as fields
from shared.canonical_json import hash_of_canonical
from shared.clock import FIRST_YEAR, LAST_YEAR
from shared.identifiers import MAX_LENGTH

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LENGTH)]
Number = int | Decimal

_ZERO = Decimal(0)
_WHOLE = Context(traps=[Inexact])
"""Takes idle zeros off; a number of more digits than it keeps raises instead of being rounded."""
_MAX_CHARACTERS = 10
"""A plain decimal this short is within every limit: at most 9 digits after the point, far below 18 before it."""
_cached_moment = lru_cache(maxsize=8192)(fields.moment)
_cached_date = lru_cache(maxsize=1024)(fields.calendar_date)
_cached_currency = lru_cache(maxsize=256)(fields.currency)


class Stamp(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What the agent wrote beside the till's own fields; stamped once, never rewritten, never hashed."""

    business_date: date
    occurred_at: datetime
    time_reading: Annotated[str, msgspec.Meta(pattern=r"^[A-Z_]{1,32}\Z")]
    """A member of `business_date.TimeReading`, or one that a newer agent knows."""
    received_at: datetime
    group_first: int
    """The sequence of the first event of this event's group."""
    group_size: int
    """How many events the group has; they follow each other without a gap."""


class PlainEvent(
    msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """The wire's fields as an ordinary event spells them; encoded again it is the event's canonical form."""

    type: Literal["SALE", "RETURN", "RECEIPT"]
    quantity: Number
    item_id: Text | None = None
    barcode: Text | None = None
    amount: Number | None = None
    sale_id: Text | None = None
    line_number: Annotated[int, msgspec.Meta(ge=0, lt=10**9)] | None = None
    transaction_number: Text | None = None
    workstation_id: Text | None = None
    cashier_id: Text | None = None
    occurred_at: str | None = None
    business_date: str | None = None
    unit_cost: Number | None = None
    currency: str | None = None
    tax_amount: Number | None = None
    discount_amount: Number | None = None
    unit_of_measure: Text | None = None
    original_sale_id: Text | None = None
    disposition: Literal["RESTOCK", "DAMAGED"] | None = None
    event_id: Text | None = None
    sequence: Annotated[int, msgspec.Meta(ge=1, lt=2**53)] | None = None
    stamp: Stamp | None = None


def read_plain(raw: Any) -> tuple[PlainEvent, bytes] | None:
    """An ordinary event, its times in UTC and its numbers as they came, and its content hash; else None.

    The event's identity and stamp stay on it; they are outside the hash.
    """
    try:
        event = msgspec.convert(raw, PlainEvent, builtin_types=(Decimal,))
        numbers = event.quantity, event.amount, event.tax_amount, event.discount_amount, event.unit_cost
        if not (_canonical_numbers(event) and _plain_text(event) and _plain_stamp(event.stamp)):
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
    content_hash = hash_of_canonical(event)
    event.event_id, event.sequence, event.stamp = envelope
    event.quantity, event.amount, event.tax_amount, event.discount_amount, event.unit_cost = numbers
    return event, content_hash


def _canonical_numbers(event: PlainEvent) -> bool:
    """Brings the numbers to their shortest form; False where one of them needs a closer look."""
    quantity = event.quantity = _shortest(event.quantity)
    amount = None
    if event.amount is not None:
        amount = event.amount = _shortest(event.amount)
        if amount < 0:
            return False
    if event.tax_amount is not None:
        tax = event.tax_amount = _shortest(event.tax_amount)
        if tax < 0 or amount is None or tax > amount:
            return False
    if event.discount_amount is not None:
        event.discount_amount = _shortest(event.discount_amount)
    if event.unit_cost is not None:
        event.unit_cost = _shortest(event.unit_cost)
        if event.unit_cost < 0:
            return False
    return quantity > 0 and (amount is not None or event.type == "RECEIPT")


def _shortest(number: Number) -> Decimal:
    short = Decimal(number) if type(number) is int else number.normalize(_WHOLE)  # type: ignore[union-attr]
    text = str(short)
    if "E" in text:
        # Twenty normalises to 2E+1; the canonical spelling is 20. Anything else with an exponent is not plain.
        if not 0 < short.adjusted() < _MAX_CHARACTERS:
            raise ValueError("not plain")
        text = format(short, "f")
        short = Decimal(text)
    if len(text) > _MAX_CHARACTERS or text == "-0":
        raise ValueError("not plain")
    return short


def _plain_text(event: PlainEvent) -> bool:
    """Whether the item is named and no identifier holds a character that is not printable."""
    if event.item_id is None and event.barcode is None:
        return False
    text = (
        f"{event.item_id}{event.barcode}{event.sale_id}{event.transaction_number}{event.workstation_id}"
        f"{event.cashier_id}{event.unit_of_measure}{event.original_sale_id}{event.event_id}"
    )
    return text.isprintable()


def _plain_stamp(stamp: Stamp | None) -> bool:
    return stamp is None or (
        stamp.occurred_at.tzinfo is not None
        and stamp.received_at.tzinfo is not None
        and FIRST_YEAR <= stamp.occurred_at.year <= LAST_YEAR
        and stamp.group_first >= 1
        and stamp.group_size >= 1
    )
