"""JSON as it crosses the wire: numbers stay exact decimals both ways, and hostile documents end in one error."""

from decimal import Decimal
from typing import Any

import msgspec

MAX_DEPTH = 32
"""Nesting, counted in brackets, beyond which a document is refused."""

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class JsonError(ValueError):
    """The bytes are not JSON that TillSync reads; the message says what is wrong, for the sender."""


def decode_json(document: bytes | msgspec.Raw, *, check_depth: bool = True) -> Any:
    """The value that `document` states: dict, list, str, bool, None, int, and Decimal for any other number.

    Raises JsonError for malformed JSON, NaN and infinities, invalid UTF-8, lone surrogates and deep nesting.
    `check_depth=False` leaves MAX_DEPTH to the caller, who knows where nesting can hide (see `too_deep`).
    """
    try:
        value = _DECODER.decode(document)
    except RecursionError:
        raise JsonError(f"the JSON is nested deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, ArithmeticError, ValueError) as error:
        raise JsonError(f"the JSON is malformed: {_reason(error)}") from None
    if check_depth and too_deep(value):
        raise JsonError(f"the JSON is nested deeper than {MAX_DEPTH} levels")
    return value


def encode_json(value: Any) -> bytes:
    """`value` as compact JSON; decimals leave as JSON numbers with the digits they have."""
    return _ENCODER.encode(value)


def _reason(error: Exception) -> str:
    return str(error).removeprefix("JSON is malformed: ") or "not JSON"


def too_deep(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether `value` is nested deeper than `levels`."""
    row = [value]
    while row := [part for item in row for part in _parts(item)]:
        levels -= 1
        if levels <= 0:
            return True
    return False


def _parts(item: Any) -> list[Any]:
    """The containers inside a container; scalars cannot nest and are left out."""
    if type(item) is dict:
        return [part for part in item.values() if type(part) is dict or type(part) is list]
    if type(item) is list:
        return [part for part in item if type(part) is dict or type(part) is list]
    return []
