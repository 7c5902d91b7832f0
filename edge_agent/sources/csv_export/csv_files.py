"""The reader of dropped CSV files: picks the profile by the file's name, hands out one record a row."""

import codecs
from collections.abc import Iterator, Sequence
from typing import Any

from edge_agent.sources.csv_export.encodings import EncodedText, readable
from edge_agent.sources.csv_export.lines import RawRow, rows
from edge_agent.sources.csv_export.profile import CsvProfile
from edge_agent.sources.dropped_file import DroppedFile, DroppedRecord, FileRejected, RejectedRecord
from shared.problems import Violation


class CsvFiles:
    """Dropped files that end in `.csv`."""

    suffixes = (".csv",)
    places = "line"

    def __init__(self, profiles: Sequence[CsvProfile]) -> None:
        self._profiles = profiles

    def read(self, file: DroppedFile, /) -> Iterator[DroppedRecord]:
        """The rows; raises FileRejected when there is no profile, or the header is not what it expects."""
        profile, text = self._opened(file)
        found = rows(text, profile.dialect, profile.skip_lines, None)
        names: Sequence[Any] | None = None
        if profile.has_header:
            names = _header(profile, next(found, None))
        profile.mapping.begin()
        return _records(profile, found, names)

    def rejected_part(self, file: DroppedFile, rejected: Sequence[RejectedRecord], /) -> bytes:
        """The rows as they came, below the lines that stand above all rows."""
        profile, text = self._opened(file)
        first = next(rows(text, profile.dialect, profile.skip_lines, None), None)
        kept = [text.content[text.start : _end_of(first, profile, text)]] if first else []
        part = b"\n".join([*(line for line in kept if line), *(record.raw for record in rejected)]) + b"\n"
        if text.content is not file.content:  # UTF-16 was turned into UTF-8, and so it stays
            return codecs.BOM_UTF8 + part
        return text.content[: text.start] + part

    def _opened(self, file: DroppedFile) -> tuple[CsvProfile, EncodedText]:
        profile = next((profile for profile in self._profiles if profile.matches(file.name)), None)
        if profile is None:
            raise FileRejected(
                "No [csv] profile of agent.toml matches this name; describe the file there, start the agent "
                "again and drop the file again"
            )
        try:
            text = readable(file.content, profile.encoding)
        except ValueError as error:
            raise FileRejected(str(error)) from None
        if not text.content[text.start :].strip():
            raise FileRejected("The file is empty")
        return profile, text


def _end_of(first: RawRow, profile: CsvProfile, text: EncodedText) -> int:
    """Where what stands above all rows ends: behind the header, or behind the skipped lines."""
    begin = text.content.index(first.raw, text.start)
    if profile.has_header:
        return begin + len(first.raw)
    return len(text.content[:begin].rstrip(b"\r\n"))


def _header(profile: CsvProfile, first: RawRow | None) -> list[str]:
    if first is None:
        raise FileRejected("The file has no header")
    if first.trouble:
        raise FileRejected(f"The header cannot be read: {first.trouble}")
    names = [cell.strip() for cell in first.cells]
    missing = sorted(str(column) for column in profile.mapping.needed if column not in names)
    if missing:
        raise FileRejected(
            f"The header has no column {', '.join(missing)}, which the profile {profile.name!r} names; "
            f"it has {', '.join(names)[:500]}"
        )
    twice = sorted(str(column) for column in profile.mapping.needed if names.count(str(column)) > 1)
    if twice:
        raise FileRejected(f"The header names {', '.join(twice)} twice; take the header off and use numbers")
    return names


def _records(
    profile: CsvProfile, found: Iterator[RawRow], names: Sequence[Any] | None
) -> Iterator[DroppedRecord]:
    index = 0
    for row in found:
        value: Any = None
        if row.trouble:
            violations = [Violation("", row.trouble)]
        elif names is not None and len(row.cells) > len(names):
            violations = [Violation("", f"Line has {len(row.cells)} cells, the header {len(names)}")]
        else:
            columns = names if names is not None else range(1, len(row.cells) + 1)
            read = profile.mapping.read(dict(zip(columns, row.cells, strict=False)))
            if read is None:
                continue
            value, violations = (None, read) if isinstance(read, list) else (read, [])
        yield DroppedRecord(index, row.line, row.raw, value, violations, profile.mapping.columns)
        index += 1
