"""Pure: what a dropped file holds, and what is written about the part of it that cannot be understood.

A file is read once and its records are decoded one by one: a week of sales must not stay in the memory of a
small PC as a million objects.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

import msgspec

from edge_agent.stamped_event import UnreadableLine
from shared.clock import instant_text
from shared.problems import Violation
from shared.wire_json import JsonError, decode_json, encode_json

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Weeks of a store's sales; a larger file is rejected whole, since it is read whole."""
MAX_REPORTED = 1000
"""Rejected records that a report describes; the rejected file holds them all."""

_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class DroppedRecord(msgspec.Struct, frozen=True):
    """One record of a file: its index, where people find it, its bytes, and what they say."""

    index: int
    place: int
    """The line (NDJSON, from 1) or the index in the array (JSON, from 0)."""
    raw: bytes
    value: Any


class RejectedRecord(msgspec.Struct, frozen=True):
    """A record that cannot be understood, and why; fields are named from the record itself."""

    place: int
    raw: bytes
    violations: list[Violation]


class FileRejected(Exception):
    """The file as a whole cannot be understood; the text says why."""


def is_event_file(name: str) -> bool:
    """Whether a file of this name is looked at: `.json`, `.ndjson`, no hidden or temporary names."""
    return PurePath(name).suffix.lower() in (".json", ".ndjson") and not name.startswith((".", "~"))


def _is_ndjson(name: str) -> bool:
    return PurePath(name).suffix.lower() == ".ndjson"


def read_records(name: str, content: bytes) -> Iterator[DroppedRecord]:
    """The records of a file, decoded as they are asked for.

    Raises FileRejected, before the first one, when the file cannot be split into records at all.
    """
    start = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    if not content[start:].strip():
        raise FileRejected("The file is empty")
    if _is_ndjson(name):
        return _lines(content, start)
    try:
        if content[start:].lstrip().startswith(b"["):
            return _elements(_decode_array(content[start:]))
        return iter([DroppedRecord(0, 0, content[start:], decode_json(content[start:]))])
    except (msgspec.DecodeError, RecursionError, JsonError) as error:
        raise FileRejected(f"The file is no JSON: {error}") from None


def _lines(content: bytes, start: int) -> Iterator[DroppedRecord]:
    index = number = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        number += 1
        line = content[start:end].rstrip(b"\r")
        start = end + 1
        if line.strip():
            yield DroppedRecord(index, number, line, _read(line))
            index += 1


def _elements(elements: Sequence[msgspec.Raw]) -> Iterator[DroppedRecord]:
    for index, element in enumerate(elements):
        raw = bytes(element)
        yield DroppedRecord(index, index, raw, _read(raw))


def _read(raw: bytes) -> Any:
    try:
        return decode_json(raw)
    except JsonError as error:
        return UnreadableLine(raw=raw, reason=str(error))


def identity_of(content: bytes) -> str:
    """What identifies a file by its content, whatever its name."""
    return hashlib.sha256(content).hexdigest()[:40]


def fallback_id(identity: str, index: int) -> str:
    """The id of a record that has none: its file's content and its index, so that the file twice adds
    nothing.
    """
    return f"file-{identity}-{index}"


def rejected_part(name: str, rejected: Sequence[RejectedRecord]) -> bytes:
    """A file of the same format with the refused records alone: corrected and dropped again, it adds just
    them.
    """
    raws = [record.raw for record in rejected]
    if _is_ndjson(name):
        return b"".join(raw + b"\n" for raw in raws)
    return b"[" + b",\n".join(raws) + b"]\n"


def error_report(name: str, now: datetime, reason: str, rejected: Sequence[RejectedRecord]) -> bytes:
    """The `.error.json` beside a rejected file: which line and field of the dropped file, what must hold."""
    where = "line" if _is_ndjson(name) else "index"
    violations = [
        {**violation.to_wire(), where: record.place}
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
