"""Reading CSV files with a header, and telling of every row what became of it.

A row that cannot be used is named with its line and reason and does not hold up the others.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TextIO

from shared.problems import Violation
from sync_server.errors import CannotRun


class RowOutcome(StrEnum):
    """What became of a row."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its line in the file (the header is line 1) and its cells by column, stripped."""

    line: int
    cells: dict[str, str]

    def get(self, column: str, default: str = "") -> str:
        """The cell of `column`, `default` where it is empty or the file lacks the column."""
        return self.cells.get(column) or default


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row, by the id that it names."""

    line: int
    subject: str
    outcome: RowOutcome
    reason: str = ""


@dataclass(slots=True)
class ImportReport:
    """What became of a file, row by row."""

    rows: list[RowReport] = field(default_factory=list)

    def note(self, row: CsvRow, subject: str, outcome: RowOutcome, reason: str = "") -> None:
        """Notes the outcome of `row`."""
        self.rows.append(RowReport(row.line, subject, outcome, reason))

    def refuse(self, row: CsvRow, subject: str, violations: Sequence[Violation]) -> None:
        """Notes that `row` was refused, and why."""
        self.note(
            row, subject, RowOutcome.REFUSED, "; ".join(f"{v.field} {v.constraint}" for v in violations)
        )

    @property
    def counts(self) -> dict[str, int]:
        """Rows by outcome, every outcome named."""
        counted = Counter(row.outcome for row in self.rows)
        return {outcome.value.lower(): counted[outcome] for outcome in RowOutcome}

    @property
    def refused(self) -> list[RowReport]:
        """The rows that were refused."""
        return [row for row in self.rows if row.outcome is RowOutcome.REFUSED]


@dataclass(frozen=True, slots=True)
class CsvText:
    """CSV that came otherwise than as a file; `name` is what messages and the audit trail call it."""

    name: str
    text: str

    def open(self, *, encoding: str, newline: str) -> TextIO:
        """The text, as an opened file gives it."""
        del encoding
        return StringIO(self.text.removeprefix("\ufeff"), newline=newline)

    def __str__(self) -> str:
        return self.name


CsvSource = Path | CsvText


def read_csv(path: CsvSource, *, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[CsvRow]:
    """The rows of `path` (UTF-8, comma-separated, with a header), blank ones left out.

    Raises CannotRun when the file cannot be read or its header lacks a required column or has an unknown one.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            _check_header(path, reader.fieldnames or [], required, optional)
            for cells in reader:
                if "" in cells:
                    raise CannotRun(
                        f"{path}, line {reader.line_num}: more cells than the header has columns."
                    )
                stripped = {column: (cell or "").strip() for column, cell in cells.items()}
                if any(stripped.values()):
                    yield CsvRow(reader.line_num, stripped)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CannotRun(f"{path} cannot be read as CSV in UTF-8: {error}") from error


def _check_header(
    path: CsvSource, found: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> None:
    missing = [column for column in required if column not in found]
    unknown = [column for column in found if column not in (*required, *optional)]
    if missing or unknown or len(set(found)) != len(found):
        raise CannotRun(
            f"{path}: the header must be {','.join((*required, *optional))}, "
            f"with {', '.join(required)} at least; it is {','.join(found)}."
        )
