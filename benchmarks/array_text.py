"""Columns of Python values as the text of PostgreSQL arrays, written for the limits and not shared with the server."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

Column = Iterable[Any]


def _joined(texts: Iterable[str]) -> str:
    return "{" + ",".join(texts) + "}"


def _plain(values: Column) -> str:
    return _joined(["NULL" if value is None else str(value) for value in values])


def _instants(values: Column) -> str:
    return _joined(["NULL" if value is None else datetime.isoformat(value) for value in values])


def _dates(values: Column) -> str:
    return _joined(["NULL" if value is None else date.isoformat(value) for value in values])


def _keys(values: Column) -> str:
    return _joined(["NULL" if value is None else value.hex for value in values])


def _octets(values: Column) -> str:
    return _joined(["NULL" if value is None else '"\\\\x' + value.hex() + '"' for value in values])


def _texts(values: Column) -> str:
    return _joined(["NULL" if value is None else f'"{_escaped(value)}"' for value in values])


def _escaped(text: str) -> str:
    if '"' in text or "\\" in text:
        return text.replace("\\", "\\\\").replace('"', '\\"')
    return text


_BY_TYPE: dict[str, Callable[[Column], str]] = {
    "bigint": _plain,
    "integer": _plain,
    "smallint": _plain,
    "numeric": _plain,
    "boolean": _plain,
    "timestamp with time zone": _instants,
    "date": _dates,
    "uuid": _keys,
    "bytea": _octets,
    "character varying": _texts,
    "character": _texts,
    "json": _texts,
    "jsonb": _texts,
}


def array_texts(rows: Sequence[tuple[Any, ...]], types: Iterable[str]) -> list[str]:
    """One array text a column of `rows` (at least one); `types` as PostgreSQL spells them."""
    columns = zip(*rows, strict=True)
    return [_BY_TYPE[kind](column) for kind, column in zip(types, columns, strict=True)]
