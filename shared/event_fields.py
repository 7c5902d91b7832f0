"""How each field of a till event is read: one reader a field, which normalises or says what must hold.

A reader takes the JSON value and gives back its canonical value (the one that is hashed); it raises
ValueError with a constraint that starts with the field's name as people say it.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared import exact_decimal
from shared.clock import instant_text, sane_time
from shared.identifiers import MAX_LENGTH, is_identifier

MAX_TENDERS = 50
"""Tenders of one transaction."""

Reader = Callable[[Any], Any]

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2}(:?[0-9]{2})?)?",
    re.ASCII,
)


def identifier(label: str) -> Reader:
    """A reader of text that names something."""
    constraint = f"{label} must be a text of 1 to {MAX_LENGTH} characters without control characters"

    def read(value: Any) -> str:
        if type(value) is str and is_identifier(value):
            return value
        raise ValueError(constraint)

    return read


def number_or_identifier(label: str) -> Reader:
    """A reader of a till's own number, which some tills write as a JSON number and others as text."""
    read_text = identifier(label)

    def read(value: Any) -> Any:
        return read_text(str(value) if type(value) is int else value)

    return read


def decimal(label: str, *, at_least_zero: bool = False) -> Reader:
    """A reader of exact decimals, given as JSON number or as text."""

    def read(value: Any) -> Decimal:
        try:
            number = exact_decimal.parse(value)
        except ValueError as error:
            raise ValueError(f"{label} {error}") from None
        if at_least_zero and number < 0:
            raise ValueError(f"{label} must not be less than zero")
        return number

    return read


def line_number(value: Any) -> int:
    """A line's number in its transaction, from 0."""
    if type(value) is Decimal and 0 <= value < 10**9 and value == value.to_integral_value():
        value = int(value)
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 9:
        value = int(value)
    if type(value) is int and 0 <= value < 10**9:
        return value
    raise ValueError("Line number must be a whole number from 0 to 999999999")


def currency(value: Any) -> str:
    """An ISO 4217 code."""
    if type(value) is str and _CURRENCY.fullmatch(value):
        return value
    raise ValueError("Currency must be a three-letter ISO 4217 code in capitals")


def calendar_date(value: Any) -> str:
    """A date, `2026-02-10`."""
    try:
        if type(value) is str and _DATE.fullmatch(value):
            date.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise ValueError("Business date must be a calendar date such as 2026-02-10")


def moment(value: Any) -> str:
    """A date-time: with an offset it is normalised to UTC, a bare local time stays as the till wrote it."""
    try:
        if type(value) is str and _INSTANT.fullmatch(value):
            read = sane_time(datetime.fromisoformat(value))
            return value if read.tzinfo is None else instant_text(read.astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    raise ValueError("Time must be an ISO 8601 date-time such as 2026-02-10T23:00:00Z, years 1970 to 2999")


def one_of(label: str, *choices: str) -> Reader:
    """A reader of a closed list of words."""
    allowed = frozenset(choices)
    constraint = f"{label} must be one of {', '.join(choices)}"

    def read(value: Any) -> str:
        if type(value) is str and value in allowed:
            return value
        raise ValueError(constraint)

    return read


def tenders(value: Any) -> list[dict[str, Any]]:
    """How a transaction was paid: `[{"type": "CASH", "amount": 50.00}, …]`; change given is negative."""
    if type(value) is not list or len(value) > MAX_TENDERS:
        raise ValueError(f"Tenders must be a list of at most {MAX_TENDERS} tenders")
    return [_tender(tender) for tender in value]


_tender_type = identifier("Tender type")
_tender_amount = decimal("Tender amount")


def _tender(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError("Tenders must be objects with type and amount")
    return {**value, "type": _tender_type(value.get("type")), "amount": _tender_amount(value.get("amount"))}


_voided_event = number_or_identifier("Voided event id")
_voided_sale = number_or_identifier("Voided sale id")


def voids(value: Any) -> dict[str, Any]:
    """What a VOID takes back: an event id, or a sale id with or without a line number; what else is said is kept."""
    if type(value) is str or type(value) is int:
        value = {"eventId": value}
    if type(value) is dict:
        named = {name: part for name, part in value.items() if part is not None}
        if "eventId" in named:
            return {**named, "eventId": _voided_event(named["eventId"])}
        if "saleId" in named:
            named["saleId"] = _voided_sale(named["saleId"])
            if "lineNumber" in named:
                named["lineNumber"] = line_number(named["lineNumber"])
            return named
    raise ValueError("Voids must be an event id, or an object with eventId, or with saleId and lineNumber")
