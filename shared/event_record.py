"""The till event as a value in exact types, and the agent's stamp beside it."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from shared.identifiers import MAX_LENGTH

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LENGTH)]
if TYPE_CHECKING:
    Number = Decimal
else:
    # JSON writes whole decimals as integers, and msgspec takes any text for a Decimal that Python takes ("1_0");
    # the readers look for themselves. Once an event is read, every number in it is a Decimal.
    Number = Any


class Stamp(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What the agent wrote beside the till's own fields; stamped once, never rewritten, never hashed."""

    business_date: date
    occurred_at: datetime
    time_reading: str
    """A member of `business_date.TimeReading`, or one that a newer agent knows."""
    received_at: datetime
    group_first: int
    """The sequence of the first event of this event's group."""
    group_size: int
    """How many events the group has; they follow each other without a gap."""


def _wire_name(name: str) -> str:
    """camelCase; what an event does not carry on the wire gets a name that no known field has."""
    if name in ("content_hash", "extra"):
        return name.replace("_", " ") + " (not on the wire)"
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class PosEvent(
    msgspec.Struct, kw_only=True, rename=_wire_name, omit_defaults=True, forbid_unknown_fields=True, gc=False
):
    """A till event in exact types. None means that the till did not say.

    Fields stand in the order of their names on the wire, which is the order in which they are hashed.
    """

    amount: Number | None = None
    barcode: Text | None = None
    business_date: str | None = None
    cashier_id: Text | None = None
    content_hash: bytes = b""
    """SHA-256 of the canonical form of the till's own fields."""
    currency: str | None = None
    discount_amount: Number | None = None
    disposition: str | None = None
    event_id: Text | None = None
    extra: dict[str, Any] | None = None
    """Fields that this version does not know, in canonical form; kept and hashed."""
    item_id: Text | None = None
    line_number: Annotated[int, msgspec.Meta(ge=0, lt=10**9)] | None = None
    occurred_at: str | None = None
    """UTC with `Z` when the till gave an offset, else the till's bare local time as written."""
    original_sale_id: Text | None = None
    quantity: Number | None = None
    reason_code: Text | None = None
    reservation_id: Text | None = None
    sale_id: Text | None = None
    sequence: Annotated[int, msgspec.Meta(ge=1, lt=2**53)] | None = None
    stamp: Stamp | None = None
    tax_amount: Number | None = None
    tenders: list[dict[str, Any]] | None = None
    transaction_number: Text | None = None
    transfer_id: Text | None = None
    type: str
    unit_cost: Number | None = None
    unit_of_measure: Text | None = None
    voids: dict[str, Any] | None = None
    workstation_id: Text | None = None
