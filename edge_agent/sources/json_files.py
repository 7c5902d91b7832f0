"""Pure: dropped files of JSON, one event or an array, and of NDJSON, one event a line."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from edge_agent.plain_record import read_record
from edge_agent.sources.dropped_file import DroppedFile, DroppedRecord, FileRejected, RejectedRecord
from edge_agent.stamped_event import UnreadableLine
from shared.wire_json import JsonError

_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_BOM = b"\xef\xbb\xbf"


class JsonFiles:
    """One event, or an array of them."""

    suffixes = (".json",)
    places = "index"

    def read(self, file: DroppedFile, /) -> Iterator[DroppedRecord]:
        """The elements of the array; raises FileRejected."""
        text = file.content[_start(file.content) :]
        try:
            if text.lstrip().startswith(b"["):
                return _elements(_decode_array(text))
            return iter([DroppedRecord(0, 0, text, read_record(text))])
        except (msgspec.DecodeError, RecursionError, JsonError) as error:
            raise FileRejected(f"The file is no JSON: {error}") from None

    def rejected_part(self, _file: DroppedFile, rejected: Sequence[RejectedRecord], /) -> bytes:
        """An array."""
        return b"[" + b",\n".join(record.raw for record in rejected) + b"]\n"


class NdjsonFiles:
    """One event a line."""

    suffixes = (".ndjson",)
    places = "line"

    def read(self, file: DroppedFile, /) -> Iterator[DroppedRecord]:
        """The lines; raises FileRejected."""
        return _lines(file.content, _start(file.content))

    def rejected_part(self, _file: DroppedFile, rejected: Sequence[RejectedRecord], /) -> bytes:
        """The lines as they came."""
        return b"".join(record.raw + b"\n" for record in rejected)


def _start(content: bytes) -> int:
    start = len(_BOM) if content.startswith(_BOM) else 0
    if not content[start:].strip():
        raise FileRejected("The file is empty")
    return start


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
        return read_record(raw)
    except JsonError as error:
        return UnreadableLine(raw=raw, reason=str(error))
