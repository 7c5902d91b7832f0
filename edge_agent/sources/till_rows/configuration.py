"""What may be configured of a table of rows, and what is said of a configuration that makes no sense.

The names here are the keys of `agent.toml`; `docs/sources/csv.md` and `docs/sources/database.md` explain them,
and a test compares. A key that is not known is an error: a typing mistake must not lose a column.
"""

from typing import Annotated, Any, Literal, TypeVar

import msgspec

from edge_agent.errors import SettingsError

Column = str | int
"""A column by its name, or by its number from 1 where a file has no header."""
Kind = Literal[
    "SALE", "RETURN", "VOID", "RECEIPT", "TRANSFER_OUT", "TRANSFER_IN", "ADJUSTMENT", "COUNT", "SKIP"
]
"""What a row is; SKIP is a row that is no event, such as a line of totals."""
Scale = Annotated[int, msgspec.Meta(ge=0, le=9)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration; nothing in it is overlooked."""


class FieldTable(Table, frozen=True):
    """Where one field of the event comes from, when a column's name alone does not say it."""

    column: Column | None = None
    columns: list[Column] = []
    """Several columns, joined with `join`."""
    join: str = " "
    constant: str | int | None = None
    default: str | None = None
    """Stands for a blank."""
    values: dict[str, str] = {}
    """The till's word → ours; any other word is refused."""
    format: str = "iso"
    utc: bool = False
    """A time without an offset is UTC, not the store's local time."""
    scale: Scale | None = None
    """Decimals to round to; needed for a binary column."""
    implied_decimals: Scale = 0
    """1250 stands for 12.50."""
    times: Column | None = None
    """A column to multiply by, such as the quantity where the till gives a price per unit."""
    plus: Column | None = None
    """A column to add, such as the tax where the till gives net amounts."""


class TypeTable(Table, frozen=True):
    """How a row says what it is."""

    column: Column | None = None
    constant: Kind | None = None
    values: dict[str, Kind] = {}
    """The till's word → ours."""
    prefixes: dict[str, Kind] = {}
    """What the column's text begins with → ours; the prefix is taken off before the column is read."""
    default: Kind | None = None
    """For a word that is neither; without it such a row is refused."""


class TenderTable(Table, frozen=True):
    """How a transaction was paid."""

    type: str | FieldTable
    """The tender's type as it stands, or where it comes from."""
    amount: Column | FieldTable


class RowsTable(Table, frozen=True):
    """What files and databases have in common."""

    fields: dict[str, Column | FieldTable]
    """Field of the event → its column."""
    extra: dict[str, Column] = {}
    """Further fields, which are kept as texts and hashed, and which headquarters shows with the event."""
    type: TypeTable = TypeTable(constant="SALE")
    negative_quantity: Literal["RETURN", "VOID", "refuse"] = "refuse"
    """What a SALE of less than nothing is."""
    group: list[Column] = []
    """The columns whose values a transaction's rows share and that its neighbours differ in."""
    tenders: list[TenderTable] = []
    tenders_repeat: bool = False
    """Every row of a transaction repeats how it was paid; the first one counts."""


T = TypeVar("T", bound=Table)


def read_table(raw: Any, kind: type[T], place: str) -> T:
    """The table at `place` of the configuration; raises SettingsError that names the key."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        where = f"{place}{path.rstrip('`')}".replace("[...]", ".*")
        raise SettingsError(f"agent.toml, [{where}]: {what}; correct it, see docs/sources.") from None


def wrong(place: str, what: str) -> SettingsError:
    """The error for what the types alone do not tell."""
    return SettingsError(f"agent.toml, [{place}]: {what}; correct it, see docs/sources.")
