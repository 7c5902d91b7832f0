"""One kind of CSV file, as `[csv.NAME]` describes it."""

import fnmatch
from typing import Annotated, Any

import msgspec

from edge_agent.sources.csv_export.encodings import code_page
from edge_agent.sources.csv_export.lines import Dialect
from edge_agent.sources.till_rows.configuration import RowsTable, read_table, wrong
from edge_agent.sources.till_rows.mapping import RowMapping


class CsvTable(RowsTable, frozen=True):
    """The keys of `[csv.NAME]` beside those of every table of rows."""

    files: str = "*.csv"
    """Pattern of file names, in any case; the first profile that matches is taken."""
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    """Empty when the till quotes nothing."""
    header: bool = True
    """The first row names the columns; without it columns go by their number from 1."""
    skip_lines: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Lines before the header, such as a title."""
    decimal_mark: str = "."
    thousands_mark: str = ""


class CsvProfile:
    """One kind of file; raises SettingsError when its table makes no sense."""

    def __init__(self, name: str, raw: Any) -> None:
        place = f"csv.{name}"
        table = read_table(raw, CsvTable, place)
        self.name = name
        self.has_header = table.header
        self.skip_lines = table.skip_lines
        self._pattern = table.files.lower()
        try:
            self.encoding = code_page(table.encoding)
        except ValueError as error:
            raise wrong(f"{place}.encoding", str(error)) from None
        self.dialect = Dialect(table.delimiter, table.quote)
        _check_marks(table, place)
        self.mapping = RowMapping(
            table, place, decimal_mark=table.decimal_mark, thousands_mark=table.thousands_mark
        )
        kind = str if table.header else int
        for column in sorted(self.mapping.needed, key=str):
            if type(column) is not kind or (kind is int and not 1 <= int(column) <= 1000):
                how = (
                    "by its name"
                    if table.header
                    else "by its number from 1 to 1000, since there is no header"
                )
                raise wrong(place, f"names the column {column!r}; name it {how}")

    def matches(self, file_name: str) -> bool:
        """Whether a file of this name is of this kind."""
        return fnmatch.fnmatchcase(file_name.lower(), self._pattern)


def _check_marks(table: CsvTable, place: str) -> None:
    if len(table.delimiter) != 1 or table.delimiter in "\r\n\0":
        raise wrong(f"{place}.delimiter", f"must be one character, such as ; or \\t, not {table.delimiter!r}")
    if len(table.quote) > 1 or table.quote in (table.delimiter, "\r", "\n", "\0", " "):
        raise wrong(f"{place}.quote", f"must be one other character, or empty, not {table.quote!r}")
    if not table.delimiter.isascii() or not table.quote.isascii():
        raise wrong(place, "delimiter and quote must be characters that every code page has")
    if table.decimal_mark not in (".", ",", "·") or table.thousands_mark not in ("", ".", ",", " ", "'"):
        raise wrong(place, "decimal_mark must be . or , and thousands_mark . or , or ' or a blank or nothing")
    if table.decimal_mark == table.thousands_mark:
        raise wrong(place, "decimal_mark and thousands_mark must differ")


def read_profiles(raw: Any) -> list[CsvProfile]:
    """The profiles under `[csv]`, in the order of the file; raises SettingsError."""
    if raw is None:
        return []
    if type(raw) is not dict or any(type(table) is not dict for table in raw.values()):
        raise wrong("csv", "holds profiles, each under a name of its own such as [csv.till-export]")
    return [CsvProfile(name, table) for name, table in raw.items()]
