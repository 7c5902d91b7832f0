"""A row of a till's table → a till event, or every column that cannot be understood.

The event is what the till would have sent over the loopback port; everything after that (checking, identity,
business date) happens where it happens for all sources.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from edge_agent.sources.till_rows import amounts, moments
from edge_agent.sources.till_rows.cells import Row, Value, attempt, converted_value, named_value, plain_value
from edge_agent.sources.till_rows.configuration import Column, FieldTable, RowsTable, TypeTable, wrong
from shared.problems import Violation

DECIMAL_FIELDS = ("quantity", "amount", "unitCost", "taxAmount", "discountAmount")
TEXT_FIELDS = (
    "eventId", "itemId", "barcode", "saleId", "lineNumber", "transactionNumber", "workstationId", "cashierId",
    "currency", "unitOfMeasure", "originalSaleId", "disposition", "reasonCode", "reservationId", "transferId",
)  # fmt: skip
VOID_FIELDS = ("voids.eventId", "voids.saleId", "voids.lineNumber")
FIELDS = (
    frozenset(DECIMAL_FIELDS)
    | frozenset(TEXT_FIELDS)
    | frozenset(VOID_FIELDS)
    | {"occurredAt", "businessDate"}
)

_UNSIGNED = ("quantity", "amount", "taxAmount", "discountAmount")
"""What a till writes below zero when it takes something back; the event's type says so instead."""


class RowMapping:
    """One configured mapping; raises SettingsError when it makes no sense."""

    def __init__(
        self, table: RowsTable, place: str, *, decimal_mark: str = ".", thousands_mark: str = ""
    ) -> None:
        self._place = place
        self._marks = (decimal_mark, thousands_mark)
        self._type = _TypeOfRow(table, place)
        unknown = sorted(set(table.fields) - FIELDS)
        if unknown:
            known = ", ".join(sorted(FIELDS))
            raise wrong(f"{place}.fields", f"{unknown[0]!r} is no field of an event (they are {known})")
        self._fields = [(name, self._value(name, source)) for name, source in table.fields.items()]
        self._extra = [(name, named_value(FieldTable(column=column))) for name, column in table.extra.items()]
        self._group = table.group
        self._group_names_sale = bool(table.group) and "saleId" not in table.fields
        self._tenders = [self._tender(index, tender) for index, tender in enumerate(table.tenders)]
        self._tenders_repeat = table.tenders_repeat
        self._paid: tuple[Any, ...] | None = None
        self.columns = _named_columns(table)
        """Field → the column that it comes from, for those who correct a file."""
        self.needed = frozenset(_needed_columns(table))
        """Every column that the mapping names."""
        if self._type.may_void and not set(table.fields) & {"voids.eventId", "voids.saleId"}:
            raise wrong(
                place, "rows may be a VOID, but nothing says of what; map voids.saleId or voids.eventId"
            )

    def begin(self) -> None:
        """A file, or a portion of a table, starts anew."""
        self._paid = None

    def read(self, row: Row) -> dict[str, Any] | list[Violation] | None:
        """The event, or every violation with the field's name, or None for a row that is to be skipped."""
        violations: list[Violation] = []
        kind, row = self._type.of(row, violations)
        if kind == "SKIP":
            return None
        event: dict[str, Any] = {}
        for name, value in (*self._fields, *self._extra):
            read = attempt(name, value, row, violations)
            if read is not None:
                event[name] = read
        event["type"] = kind = self._type.by_sign(kind, event)
        _settle(event, kind)
        if self._group:
            self._join_group(event, row)
        if self._tenders and (tenders := self._paid_with(row, violations)):
            event["tenders"] = tenders
        return violations or event

    def _value(self, name: str, source: Column | FieldTable) -> Value:
        """The reader of one field."""
        table = source if isinstance(source, FieldTable) else FieldTable(column=source)
        place = f"{self._place}.fields.{name}"
        if sum((table.column is not None, bool(table.columns), table.constant is not None)) != 1:
            raise wrong(place, "needs exactly one of column, columns and constant")
        try:
            if name in DECIMAL_FIELDS:
                return self._decimal(table)
            if name == "occurredAt":
                return converted_value(plain_value(table), moments.moment_reader(table.format, utc=table.utc))
            if name == "businessDate":
                return converted_value(plain_value(table), moments.date_reader(table.format))
        except ValueError as error:
            raise wrong(place, f"format {table.format!r} {error}") from None
        return named_value(table)

    def _decimal(self, table: FieldTable) -> Value:
        read = amounts.number_reader(*self._marks, table.scale, table.implied_decimals)
        if table.times is None and table.plus is None:
            return converted_value(plain_value(table), read)
        # What is multiplied is exact until the end, and rounded once.
        first = amounts.number_reader(*self._marks, None, table.implied_decimals)
        factor = amounts.number_reader(*self._marks)
        if table.scale is not None:  # parts may be binary: each by more decimals than the result keeps
            first, factor = _wide(first), _wide(factor)
        times = (
            converted_value(plain_value(FieldTable(column=table.times)), factor)
            if table.times is not None
            else None
        )
        plus = (
            converted_value(plain_value(FieldTable(column=table.plus)), first)
            if table.plus is not None
            else None
        )
        value, scale = converted_value(plain_value(table), first), table.scale

        def read_row(row: Row) -> Decimal | None:
            number: Decimal | None = value(row)
            if number is None:
                return None
            if times is not None:
                number = amounts.product(number, _given(times(row), table.times))
            if plus is not None:
                number += plus(row) or 0
            return number if scale is None else amounts.rounded(number, scale)

        return read_row

    def _tender(self, index: int, tender: Any) -> tuple[Value, Value]:
        place = f"{self._place}.tenders.{index}"
        kind = tender.type if isinstance(tender.type, FieldTable) else FieldTable(constant=tender.type)
        amount = tender.amount if isinstance(tender.amount, FieldTable) else FieldTable(column=tender.amount)
        if amount.column is None and not amount.columns:
            raise wrong(place, "amount needs a column")
        return named_value(kind), self._decimal(amount)

    def _paid_with(self, row: Row, violations: list[Violation]) -> list[dict[str, Any]]:
        transaction = tuple(str(row.get(column)) for column in self._group)
        if self._tenders_repeat and self._group and transaction == self._paid:
            return []
        self._paid = transaction
        found = []
        for kind, amount in self._tenders:
            paid = attempt("tenders.amount", amount, row, violations)
            if paid:
                found.append({"type": attempt("tenders.type", kind, row, violations), "amount": paid})
        return found

    def _join_group(self, event: dict[str, Any], row: Row) -> None:
        """A transaction without a number of its own is known by what its rows share."""
        if self._group_names_sale and "transactionNumber" not in event:
            shared = [str(row.get(column) or "").strip() for column in self._group]
            if any(shared):
                event["saleId"] = "-".join(shared)


class _TypeOfRow:
    """What a row is, by marker or by sign."""

    def __init__(self, table: RowsTable, place: str) -> None:
        self._table: TypeTable = table.type
        self._negative = table.negative_quantity
        kind = table.type
        if (kind.column is None) == (kind.constant is None):
            raise wrong(f"{place}.type", "needs either a column or a constant")
        if kind.column is not None and not kind.values and not kind.prefixes:
            raise wrong(
                f"{place}.type", "has a column, but neither values nor prefixes say what its words mean"
            )
        reachable = {kind.constant, kind.default, *kind.values.values(), *kind.prefixes.values()}
        self.may_void = "VOID" in reachable or self._negative == "VOID"
        # The longest first, so that RX is not taken for R.
        self._prefixes = sorted(kind.prefixes.items(), key=lambda entry: -len(entry[0]))

    def of(self, row: Row, violations: list[Violation]) -> tuple[str, Row]:
        """The kind, and the row without a marker that stood before another value."""
        table = self._table
        if table.constant is not None:
            return table.constant, row
        word = str(row.get(table.column) if row.get(table.column) is not None else "").strip()
        if word in table.values:
            return table.values[word], row
        for prefix, kind in self._prefixes:
            if word.startswith(prefix):
                return kind, {**row, table.column: word[len(prefix) :].strip()}
        if table.default is not None:
            return table.default, row
        known = ", ".join([*table.values, *(f"{prefix}…" for prefix in table.prefixes)])
        violations.append(Violation("type", f"Type must be one of the configured words: {known}", word))
        return "SALE", row

    def by_sign(self, kind: str, event: Mapping[str, Any]) -> str:
        """The kind of a row whose quantity is below zero."""
        quantity = event.get("quantity")
        if kind == "SALE" and quantity is not None and quantity < 0 and self._negative != "refuse":
            return self._negative
        return kind


def _settle(event: dict[str, Any], kind: str) -> None:
    """What a type does not carry is left out, and what it takes back is written above zero."""
    voids = {name.partition(".")[2]: event.pop(name) for name in VOID_FIELDS if name in event}
    if kind == "VOID":
        event["voids"] = voids or None
    if kind != "RETURN":
        event.pop("originalSaleId", None)
        event.pop("disposition", None)
    if kind in ("RETURN", "VOID"):
        for name in _UNSIGNED:
            if name in event:
                event[name] = abs(event[name])


def _column(column: Column, read: amounts.Reader) -> Value:
    return converted_value(plain_value(FieldTable(column=column)), read)


_WIDE_SCALE = 9


def _wide(read: amounts.Reader) -> amounts.Reader:
    """Reads parts of a sum or product whose result is rounded: a binary part by its shortest decimal."""
    binary = amounts.number_reader(".", "", _WIDE_SCALE)
    return lambda value: read(value) if type(value) is str else binary(value)


def _given(number: Decimal | None, column: Column | None) -> Decimal:
    if number is None:
        raise ValueError(f"cannot be computed: the column {column} is blank")
    return number


def _sources(table: RowsTable) -> list[tuple[str, FieldTable]]:
    return [
        (name, source if isinstance(source, FieldTable) else FieldTable(column=source))
        for name, source in table.fields.items()
    ]


def _named_columns(table: RowsTable) -> dict[str, str]:
    named = {name: str(source.column) for name, source in _sources(table) if source.column is not None}
    if table.type.column is not None:
        named["type"] = str(table.type.column)
    voids = [named[name] for name in VOID_FIELDS if name in named]
    return {**named, **({"voids": ", ".join(voids)} if voids else {})}


def _needed_columns(table: RowsTable) -> list[Column]:
    needed: list[Column | None] = [table.type.column, *table.group, *table.extra.values()]
    tables = [source for _, source in _sources(table)]
    for tender in table.tenders:
        tables += [part for part in (tender.type, tender.amount) if isinstance(part, FieldTable)]
        needed += [tender.amount] if not isinstance(tender.amount, FieldTable) else []
    for source in tables:
        needed += [source.column, *source.columns, source.times, source.plus]
    return [column for column in needed if column is not None]
