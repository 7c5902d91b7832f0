"""One byte form for one meaning, and the content hash over it.

Canonical form: UTF-8 JSON without white space, keys sorted by code point, absent = null (nulls are left out),
numbers in their shortest plain form (2 = 2.00 = 2e0), strings with the fewest escapes. The SHA-256 of that is
the content hash by which agent and server, years apart, know that they hold the same event.
"""

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from shared.exact_decimal import plain, shortest

_LOWEST_WITHOUT_EXPONENT = -6
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_SORTED_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def canonical_bytes(value: Any) -> bytes:
    """The canonical form of a JSON value as `wire_json.decode_json` gives it.

    Raises ValueError for a number that is not finite or has too many digits.
    """
    return _ENCODER.encode(canonical_value(value))


def canonical_value(value: Any) -> Any:
    """`value` with nulls left out of objects and numbers in shortest form; containers are copied."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**63 else shortest(Decimal(value))
    if kind is Decimal:
        return _spelled(shortest(value))
    if kind is dict:
        return {key: canonical_value(part) for key, part in value.items() if part is not None}
    if kind is list:
        return [canonical_value(part) for part in value]
    raise TypeError(f"{kind.__name__} has no place in canonical JSON")


def hash_of_canonical(canonical: Any) -> bytes:
    """SHA-256 (32 bytes) of a value that is canonical already."""
    return hashlib.sha256(_ENCODER.encode(canonical)).digest()


def hash_of_sorted(canonical: msgspec.Struct) -> bytes:
    """The same of a struct whose fields are declared in the order of their names: they need no sorting."""
    return hashlib.sha256(_SORTED_ENCODER.encode(canonical)).digest()


def canonical_hash(value: Any) -> bytes:
    """SHA-256 (32 bytes) of the canonical form of `value`."""
    return hashlib.sha256(canonical_bytes(value)).digest()


def _spelled(short: Decimal) -> Decimal | msgspec.Raw:
    """A number in its shortest form; written out where Decimal itself would spell an exponent (0.0000001)."""
    return short if short.adjusted() >= _LOWEST_WITHOUT_EXPONENT else msgspec.Raw(plain(short).encode())
