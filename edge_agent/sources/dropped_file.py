"""Pure: what a dropped file holds, and what is written about the part of it that cannot be understood."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

import msgspec

from edge_agent.stamped_event import Refused, UnreadableLine
from shared.clock import instant_text
from shared.wire_json import JsonError, decode_json, encode_json

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Weeks of a store's sales; a larger file is rejected whole, since it is read whole."""


class DroppedRecords(msgspec.Struct, frozen=True):
    """The records of a file, where each stands, and its bytes, so that a rejected one can be handed back."""

    records: list[Any]
    places: list[int]
    """For each record the line (NDJSON, from 1) or the index in the array (JSON, from 0)."""
    raws: list[bytes]


class FileRejected(Exception):
    """The file as a whole cannot be understood; the text says why."""


def is_event_file(name: str) -> bool:
    """Whether a file of this name is looked at: `.json`, `.ndjson`, no hidden or temporary names."""
    return PurePath(name).suffix.lower() in (".json", ".ndjson") and not name.startswith((".", "~"))


def read_file(name: str, content: bytes) -> DroppedRecords:
    """The records of a file. Raises FileRejected when it cannot be split into records at all."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise FileRejected("The file is empty")
    if PurePath(name).suffix.lower() == ".ndjson":
        lines = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
        return DroppedRecords(
            records=[_read_line(line) for _, line in lines],
            places=[number for number, _ in lines],
            raws=[line.rstrip(b"\r") for _, line in lines],
        )
    try:
        document = decode_json(content)
    except JsonError as error:
        raise FileRejected(f"{str(error)[:1].upper()}{str(error)[1:]}") from None
    records = document if type(document) is list else [document]
    return DroppedRecords(
        records=records, places=list(range(len(records))), raws=[encode_json(record) for record in records]
    )


def _read_line(line: bytes) -> Any:
    try:
        return decode_json(line)
    except JsonError as error:
        return UnreadableLine(raw=line, reason=str(error))


def fallback_ids(content: bytes, count: int) -> list[str]:
    """Ids for records that have none: this very content and their index, so that the file twice adds nothing."""
    digest = hashlib.sha256(content).hexdigest()
    return [f"file-{digest[:40]}-{index}" for index in range(count)]


def rejected_part(name: str, dropped: DroppedRecords, refused: Sequence[Refused]) -> bytes:
    """A file of the same format with the refused records alone: corrected and dropped again, it adds just
    them.
    """
    raws = [dropped.raws[entry.index] for entry in refused]
    if PurePath(name).suffix.lower() == ".ndjson":
        return b"".join(raw + b"\n" for raw in raws)
    return b"[" + b",\n".join(raws) + b"]\n"


def error_report(
    name: str, now: datetime, reason: str, dropped: DroppedRecords | None, refused: Sequence[Refused]
) -> bytes:
    """The `.error.json` beside a rejected file: which line and field of the dropped file, and what must hold."""
    ndjson = PurePath(name).suffix.lower() == ".ndjson"
    violations = []
    for entry in refused if dropped is not None else ():
        assert dropped is not None, "records are refused only where there are records"
        place = dropped.places[entry.index]
        for violation in entry.violations:
            field = violation.field.removeprefix(f"events[{entry.index}]").removeprefix(".")
            where = {"line": place} if ndjson else {"index": place}
            violations.append({**violation.to_wire(), **where, "field": field})
    document = {
        "file": name,
        "rejectedAt": instant_text(now),
        "message": reason,
        "violations": violations,
    }
    return encode_json(document) + b"\n"
