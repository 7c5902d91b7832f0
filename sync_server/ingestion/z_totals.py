"""The totals of a Z report, read from a DAY_CLOSE event. Pure; what cannot be read as a total is left out.

Tills and translators write them in several ways, all of them taken here:

    "totals": {"SALE": {"count": 6, "amount": 300.00}, "RETURN": 12.50, "tenders": {"CASH": 287.50}}
    "totals": [{"type": "SALE", "count": 6, "amount": 300.00}, {"tender": "CASH", "amount": 287.50}]
    "totals": [{"name": "Sales/Amount", "value": 300.00}]         a POSLog's own names: recorded, not compared
    "tenders": [{"type": "CASH", "amount": 287.50}]               as on any other event
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from shared.exact_decimal import parse
from shared.identifiers import is_identifier
from shared.pos_event import PosEvent

MAX_TOTALS = 500
TYPES = frozenset({"SALE", "RETURN", "VOID"})
"""Event types whose totals are compared."""


@dataclass(frozen=True, slots=True)
class ZLine:
    """One total. `kind` is TYPE, TENDER or NAMED."""

    kind: str
    name: str
    count: Decimal | None
    amount: Decimal | None


def read_z_totals(event: PosEvent) -> list[ZLine]:
    """Every total that the event states, in its order."""
    found = [ZLine("TENDER", tender["type"], None, tender["amount"]) for tender in event.tenders or ()]
    stated = (event.extra or {}).get("totals")
    if isinstance(stated, dict):
        found.extend(_from_object(stated))
    elif isinstance(stated, list):
        found.extend(line for part in stated if isinstance(part, dict) for line in _from_part(part))
    named = [line for line in found if is_identifier(line.name)]
    return [line for line in named if line.count is not None or line.amount is not None][:MAX_TOTALS]


def _from_object(stated: dict[str, Any]) -> Iterator[ZLine]:
    for name, value in stated.items():
        if name == "tenders":
            yield from _tenders(value)
        elif name in TYPES:
            yield _line("TYPE", name, value)
        else:
            yield _line("NAMED", name, value)


def _tenders(value: Any) -> Iterator[ZLine]:
    if isinstance(value, dict):
        yield from (_line("TENDER", name, amount) for name, amount in value.items())
    elif isinstance(value, list):
        yield from (_line("TENDER", str(part.get("type")), part) for part in value if isinstance(part, dict))


def _from_part(part: dict[str, Any]) -> Iterator[ZLine]:
    if isinstance(part.get("name"), str):
        yield ZLine("NAMED", part["name"], None, _number(part.get("value")))
    elif part.get("type") in TYPES:
        yield _line("TYPE", str(part["type"]), part)
    elif isinstance(part.get("tender"), str):
        yield _line("TENDER", part["tender"], part)


def _line(kind: str, name: str, value: Any) -> ZLine:
    if isinstance(value, dict):
        return ZLine(kind, name, _number(value.get("count")), _number(value.get("amount")))
    return ZLine(kind, name, None, _number(value))


def _number(value: Any) -> Decimal | None:
    if isinstance(value, msgspec.Raw):
        value = bytes(value).decode()
    try:
        return None if value is None or isinstance(value, bool) else parse(value)
    except ValueError:
        return None
