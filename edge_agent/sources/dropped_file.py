"""Pure: what every dropped file has in common, whatever its format, and which reader reads which format.

A reader splits a file into records, one by one: a week of sales must not stay in the memory of a small PC as
a million objects. Formats register here by their suffix:

| suffix | reader |
|---|---|
| `.json`, `.ndjson` | `json_files.py` |
| `.xml` | `poslog/journal_files.py` |
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any, Protocol

import msgspec

from shared.clock import instant_text
from shared.problems import Violation
from shared.wire_json import encode_json

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Weeks of a store's sales; a larger file is rejected whole, since it is read whole."""
MAX_REPORTED = 1000
"""Rejected records that a report describes; the rejected file holds them all."""


class DroppedFile(msgspec.Struct, frozen=True):
    """A file of the drop folder, read whole."""

    name: str
    content: bytes


class DroppedRecord(msgspec.Struct, frozen=True):
    """One record of a file: its index, where people find it, its bytes, and what they say."""

    index: int
    """Counts the records of the file from 0; with the file's content it identifies a record without an id."""
    place: int
    """The line (from 1) or the index (from 0), as the reader's `places` says."""
    raw: bytes
    value: Any
    """The till event as decoded JSON would give it; UnreadableLine when it is none."""
    violations: Sequence[Violation] = ()
    """What the reader itself found; such a record is rejected without asking further."""
    columns: Mapping[str, str] | None = None
    """How the file calls a field of the event, where it calls it otherwise; records share one mapping."""


class RejectedRecord(msgspec.Struct, frozen=True):
    """A record that cannot be understood, and why; fields are named from the record itself."""

    place: int
    raw: bytes
    violations: Sequence[Violation]
    columns: Mapping[str, str] | None = None


class FileRejected(Exception):
    """The file as a whole cannot be understood; the text says why."""


class FileReader(Protocol):
    """Reads one format of dropped files."""

    @property
    def suffixes(self) -> Sequence[str]:
        """The file name endings of the format, in lower case with the dot."""
        ...

    @property
    def places(self) -> str:
        """What a record's place counts: `line` or `index`."""
        ...

    def read(self, file: DroppedFile, /) -> Iterator[DroppedRecord]:
        """The records of a file, decoded as they are asked for; what goes wrong later is a record too.

        Raises FileRejected, before the first one, when the file cannot be split into records at all.
        """
        ...

    def rejected_part(self, file: DroppedFile, rejected: Sequence[RejectedRecord], /) -> bytes:
        """A file of the same format with the refused records alone: corrected and dropped again, it adds
        just them.
        """
        ...


class FileReaders:
    """The formats that are known, by suffix."""

    def __init__(self, readers: Iterable[FileReader]) -> None:
        self._by_suffix = {suffix: reader for reader in readers for suffix in reader.suffixes}

    def takes(self, name: str) -> bool:
        """Whether a file of this name is looked at: a known format, no hidden or temporary name."""
        return PurePath(name).suffix.lower() in self._by_suffix and not name.startswith((".", "~"))

    def reader_of(self, name: str) -> FileReader:
        """The reader of a file that `takes` said yes to."""
        return self._by_suffix[PurePath(name).suffix.lower()]

    def __str__(self) -> str:
        """The suffixes as a sentence lists them."""
        *others, last = sorted(self._by_suffix)
        return f"{', '.join(others)} or {last}" if others else last


def identity_of(content: bytes) -> str:
    """What identifies a file by its content, whatever its name."""
    return hashlib.sha256(content).hexdigest()[:40]


def fallback_id(identity: str, index: int) -> str:
    """The id of a record that has none: its file's content and its index, so that the file twice adds
    nothing.
    """
    return f"file-{identity}-{index}"


def error_report(
    name: str, where: str, now: datetime, reason: str, rejected: Sequence[RejectedRecord]
) -> bytes:
    """The `.error.json` beside a rejected file: which line and field of the dropped file, what must hold.

    `where` is what the reader's `places` says.
    """
    violations = [
        {**violation.to_wire(), where: record.place, **_column(record, violation)}
        for record in rejected[:MAX_REPORTED]
        for violation in record.violations
    ]
    document = {
        "file": name,
        "rejectedAt": instant_text(now),
        "message": reason,
        "rejected": len(rejected),
        "violations": violations,
    }
    return encode_json(document) + b"\n"


def _column(record: RejectedRecord, violation: Violation) -> dict[str, str]:
    column = record.columns.get(violation.field) if record.columns else None
    return {} if column is None else {"column": column}
