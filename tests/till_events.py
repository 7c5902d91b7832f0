"""Till events as their JSON, with defaults for all that does not matter to the test at hand."""

from decimal import Decimal
from typing import Any

ITEM = "item-001"
Number = int | str | Decimal
Event = dict[str, Any]


def sale(quantity: Number = 1, amount: Number = "10.00", item: str | None = ITEM, **fields: Any) -> Event:
    """A line sold; `amount` is the charge for all of it, tax included."""
    return _event("SALE", item, quantity=quantity, amount=amount, **fields)


def returned(quantity: Number = 1, amount: Number = "10.00", item: str | None = ITEM, **fields: Any) -> Event:
    """A line that came back."""
    return _event("RETURN", item, quantity=quantity, amount=amount, **fields)


def receipt(
    quantity: Number = 10, unit_cost: Number | None = "4.00", item: str | None = ITEM, **fields: Any
) -> Event:
    """Goods received in the store; without `unit_cost` the till does not know what they cost."""
    return _event("RECEIPT", item, quantity=quantity, unitCost=unit_cost, **fields)


def counted(quantity: Number, item: str | None = ITEM, **fields: Any) -> Event:
    """How many of an item lay there."""
    return _event("COUNT", item, quantity=quantity, **fields)


def adjusted(quantity: Number, item: str | None = ITEM, reason: str = "DAMAGE", **fields: Any) -> Event:
    """Goods written off (below zero) or found."""
    return _event("ADJUSTMENT", item, quantity=quantity, reasonCode=reason, **fields)


def void(what: Any, **fields: Any) -> Event:
    """A void of an event id, or of `{"saleId", "lineNumber"}`."""
    return _event("VOID", None, voids=what, **fields)


def cash(amount: Number) -> Event:
    """A cash tender."""
    return tender("CASH", amount)


def tender(kind: str, amount: Number) -> Event:
    """A tender."""
    return {"type": kind, "amount": amount}


def basket(sale_id: str, *lines: Event) -> list[Event]:
    """The lines of one sale, numbered from 1."""
    return [
        {"saleId": sale_id, "lineNumber": number, "eventId": f"{sale_id}/{number}", **line}
        for number, line in enumerate(lines, 1)
    ]


def _event(kind: str, item: str | None, **fields: Any) -> Event:
    event = {"type": kind, "itemId": item, **fields}
    return {name: value for name, value in event.items() if value is not None}
