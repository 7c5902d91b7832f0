"""Columns as PostgreSQL array literals, for `unnest`: the fastest way to hand a set of rows to one statement.

Within its brackets a JSON array of numbers, dates or plain text reads as an array literal, null included, and
compiled code writes it; psycopg's own list parameters cost several times as much on this path.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

Column = Sequence[Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def literal(kind: str, values: Column) -> str:
    """`values`, all of type `kind`, as an array literal; an empty one where all are None.

    Beside longer arrays `unnest` fills the shorter with nulls, and nothing is read for them.
    """
    if values and values[0] is None and values.count(None) == len(values):
        return "{}"
    return _BUILDERS.get(kind, plain)(values)


def plain(values: Column) -> str:
    """Numbers, booleans, dates and aware instants."""
    return "{" + _ENCODER.encode(values)[1:-1].decode() + "}"


def octets(values: Column) -> str:
    """Bytes, as hex; none of them is None."""
    return '{"\\\\x' + '","\\\\x'.join(map(bytes.hex, values)) + '"}' if values else "{}"


def texts(values: Column) -> str:
    """Text of any content; None becomes NULL."""
    encoded = _ENCODER.encode(values)
    if b"\\" in encoded and b"\\" in encoded.replace(b"\\\\", b"").replace(b'\\"', b""):
        # JSON spells a line feed \n, which to PostgreSQL is an n. Backslashes and quotes are spelled alike.
        return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"
    return "{" + encoded[1:-1].decode() + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_BUILDERS: dict[str, Callable[[Column], str]] = {
    "bytea": octets,
    "varchar": texts,
    "json": texts,
}
"""By the element type of the array; the others are plain."""
