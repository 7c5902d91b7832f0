"""Pure: where a field's value stands in a row, before anybody asks what it means."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from edge_agent.sources.till_rows.configuration import Column, FieldTable
from shared.problems import Violation

Row = Mapping[Any, Any]
"""Column → text or database value."""
Value = Callable[[Row], Any]
"""A field of a row: None when it is blank; raises ValueError with a constraint."""


def attempt(name: str, value: Value, row: Row, violations: list[Violation]) -> Any:
    """The value of the field `name`; what is wrong with it is added to `violations`."""
    try:
        return value(row)
    except Unreadable as error:
        violations.append(Violation(name, f"{name} {error}", error.shown))
    except ValueError as error:
        violations.append(Violation(name, f"{name} {error}"))
    return None


class Unreadable(ValueError):
    """A value that is not what its field needs; carries it for the report."""

    def __init__(self, constraint: str, value: Any) -> None:
        super().__init__(constraint)
        self.shown = value if type(value) in (str, int, Decimal) else repr(value)


def plain_value(table: FieldTable) -> Value:
    """The value as it stands: text without blanks at its ends, None when there is none."""
    default = table.default
    if table.constant is not None:
        constant = table.constant
        return lambda _: constant
    columns: Sequence[Column] = table.columns or ([table.column] if table.column is not None else [])
    if len(columns) > 1 or table.columns:
        join = table.join

        def joined(row: Row) -> Any:
            cells = [_cell(row, column) for column in columns]
            parts = [str(cell).strip() for cell in cells if cell is not None]
            return join.join(part for part in parts if part) or default

        return joined
    column = columns[0]

    def single(row: Row) -> Any:
        value = _cell(row, column)
        if type(value) is bytes:
            value = value.decode("utf-8", "replace")
        if type(value) is str:
            value = value.strip()
        return default if value is None or value == "" else value

    return single


def _cell(row: Row, column: Column) -> Any:
    try:
        return row[column]
    except KeyError:
        raise ValueError(f"is missing: the row ends before the column {column}") from None


def named_value(table: FieldTable) -> Value:
    """A text field, translated where words are configured; a database's number is spelled as text."""
    value, words = plain_value(table), table.values

    def read(row: Row) -> Any:
        text = value(row)
        if text is None:
            return None
        text = _spelled(text)
        if words:
            if text not in words:
                raise Unreadable(f"must be one of the configured words: {', '.join(words)}", text)
            return words[text]
        return text

    return read


def _spelled(value: Any) -> str:
    whole = type(value) is float and value.is_integer()  # float: a binary column whose numbers are names
    return str(int(value) if whole else value)


def converted_value(value: Value, convert: Callable[[Any], Any]) -> Value:
    """A value that is made into something else; what cannot be is refused with the value."""

    def read(row: Row) -> Any:
        given = value(row)
        if given is None:
            return None
        try:
            return convert(given)
        except ValueError as error:
            raise Unreadable(str(error), given) from None

    return read
