"""What commands print: tables for people, JSON for scripts, secrets alone on stdout, failures on stderr."""

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from shared.wire_json import encode_json
from sync_server.csv_import import ImportReport
from sync_server.errors import Refused, SyncServerError

MAX_REFUSED_SHOWN = 50
PIPED_WIDTH = 200
"""Columns of a table that goes into a file or a pipe, where no terminal says how wide it is."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")]


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(encode_json(value).decode() + "\n")


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, columns: Sequence[str]) -> None:
    """A list of records as JSON, or its `columns` as a table."""
    if as_json:
        print_json({"items": list(rows)})
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


ReportFile = Annotated[
    Path | None,
    typer.Option("--report", help="Write what became of every row to this CSV file.", show_default=False),
]


def print_report(report: ImportReport, *, as_json: bool, file: Path | None = None) -> int:
    """What became of a file, and the exit code: 1 when any row was refused. The other rows are in.

    Every row's outcome goes into `file`, as CSV, and into the JSON; as text only those refused are named.
    """
    if file is not None:
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("line", "id", "outcome", "reason"))
            for row in sorted(report.rows, key=lambda row: row.line):
                writer.writerow((row.line, row.subject, row.outcome.value, row.reason))
    if as_json:
        rows = [
            {"line": row.line, "id": row.subject, "outcome": row.outcome.value, "reason": row.reason or None}
            for row in sorted(report.rows, key=lambda row: row.line)
        ]
        print_json({**report.counts, "rows": rows})
    else:
        print(", ".join(f"{number} {outcome}" for outcome, number in report.counts.items()))
    if not report.refused:
        return 0
    for row in report.refused[:MAX_REFUSED_SHOWN]:
        print(f"line {row.line}, {row.subject or '(no id)'}: {row.reason}", file=sys.stderr)
    print(
        f"{len(report.refused)} of {len(report.rows)} rows were refused; correct them and import the file again.",
        file=sys.stderr,
    )
    return 1


def failure_sentence(error: SyncServerError) -> str:
    """What happened and what to do, with every violation."""
    if isinstance(error, Refused) and error.violations:
        faults = "; ".join(
            f"{each.field} {each.constraint}"
            + ("" if each.rejected_value is None else f" (it is {each.rejected_value!r})")
            for each in error.violations
        )
        return f"{error.message}: {faults}."
    return str(error)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    return ", ".join(value) if isinstance(value, (list, tuple)) else str(value)
