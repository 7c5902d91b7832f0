"""Pure: what a query gave, as transactions, and which of them are new."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edge_agent.sources.database_tail.configuration import DatabaseTable
from edge_agent.sources.database_tail.position import Position, position_of

MAX_ID = 128


class Transaction(msgspec.Struct):
    """Rows that belong together, in their order."""

    key: str
    position: Position
    like: Any
    """The position's column as the database gave it."""
    rows: list[dict[str, Any]]

    def digest(self) -> bytes:
        """What tells whether any of it has changed."""
        text = "\x1e".join("\x1f".join(map(repr, row.values())) for row in self.rows)
        return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).digest()


def missing_columns(table: DatabaseTable, needed: frozenset[Any], names: Sequence[str]) -> list[str]:
    """Columns that the configuration names and the query does not give."""
    wanted = {*map(str, needed), *table.order, *table.identity}
    return sorted(wanted - set(names))


def transactions(
    table: DatabaseTable,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    since: Position,
    *,
    is_all: bool,
) -> list[Transaction]:
    """The rows as transactions, in their order; without the last one when more rows may follow it.

    Texts may sort otherwise than the times they state, so what lies before `since` is left out here. Raises
    ValueError when a row has no position, or one of another kind.
    """
    found: list[Transaction] = []
    group = table.group or table.identity
    leading = table.order[0]
    for cells in rows:
        row = dict(zip(names, cells, strict=True))
        key = _joined(row, group)
        if found and found[-1].key == key:
            found[-1].rows.append(row)
        else:
            found.append(Transaction(key, position_of(row[leading]), row[leading], [row]))
    complete = found if is_all else found[:-1]
    if any(type(transaction.position) is not type(since) for transaction in complete):
        raise ValueError(
            f"{leading} is {complete[0].like!r}, but the position is {since!r}; set start to its kind"
        )
    return [transaction for transaction in complete if transaction.position >= since]  # type: ignore[operator]


def event_id(table: DatabaseTable, row: Mapping[str, Any]) -> str:
    """The id of a row's event: the same row gets the same id, whenever it is read."""
    text = f"{table.name}:{_joined(row, table.identity)}"
    if len(text) <= MAX_ID and text.isprintable():
        return text
    return f"{table.name}:{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"


def _joined(row: Mapping[Any, Any], columns: Sequence[Any]) -> str:
    return ":".join(str(row[column]) for column in columns)
