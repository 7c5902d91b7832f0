"""A damaged spool, read page by page without SQLite: every event whose row can still be read, wherever it lies.

SQLite finds rows by walking down from the root of a table, so that one damaged page hides all below it. Here each page
is looked at by itself, those of the file and those of its log. What is no row of the table `event` is passed over;
whether a row is *right* is told by its content hash, which the caller checks. Format:
https://www.sqlite.org/fileformat2.html
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge_agent.wal_check import read_frames

_LEAF = 13
"""First byte of a page that holds rows of a table."""
_FILE_HEADER = 100
_SHORT = struct.Struct(">H")
_LONG = struct.Struct(">I")
_INTEGERS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
"""Serial type of a number -> its bytes; 8 and 9 are the numbers 0 and 1 themselves."""
_HASH_TYPE = 12 + 2 * 32
_COLUMNS = 7


class StoredRow(msgspec.Struct, frozen=True):
    """A row of the table `event`, as it was found."""

    position: int
    key_high: int
    key_low: int
    content_hash: bytes
    business_day: int
    lines_after: int
    body: bytes


class SpoolPages:
    """The pages of a spool that was set aside. Use as a context; reads only."""

    def __init__(self, path: Path) -> None:
        """Opens the file and, where there is one, its log; raises OSError."""
        self._file = path.open("rb")
        log_path = path.with_name(f"{path.name}-wal")
        self._log = log_path.open("rb") if log_path.exists() else None
        header = self._file.read(_FILE_HEADER)
        stated = _SHORT.unpack_from(header, 16)[0] if len(header) == _FILE_HEADER else 0
        # A damaged header does not say; the agent has only ever written this size.
        self._page_size = stated if stated in (512, 1024, 2048, 4096, 8192, 16384, 32768) else 4096
        self._pages = (path.stat().st_size + self._page_size - 1) // self._page_size
        self._logged: list[int] = []
        self._newest: dict[int, int] = {}
        if self._log is not None:
            self._read_log()

    def _read_log(self) -> None:
        assert self._log is not None
        frames = list(read_frames(self._log, check=False))
        ends = [number for number, frame in enumerate(frames, 1) if frame.ends_transaction]
        for frame in frames[: ends[-1] if ends else 0]:
            self._logged.append(frame.offset)
            self._newest[frame.page] = frame.offset

    def __enter__(self) -> "SpoolPages":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._log is not None:
            self._log.close()

    @property
    def places(self) -> int:
        """How many pages there are, those of the log counted as well."""
        return self._pages + len(self._logged)

    def rows(self, place: int) -> list[StoredRow]:
        """The events that stand in one page; empty when it holds none, or nothing readable."""
        page = self._page_at(place)
        head = _FILE_HEADER if place == 0 else 0
        if len(page) < head + 8 or page[head] != _LEAF:
            return []
        count = _SHORT.unpack_from(page, head + 3)[0]
        return [row for cell in range(count) if (row := self._row(page, head + 8 + 2 * cell)) is not None]

    def first_position(self, place: int) -> int | None:
        """The lowest position in a page; None when it holds no event. Costs less than reading its rows."""
        page = self._page_at(place)
        head = _FILE_HEADER if place == 0 else 0
        if len(page) < head + 8 or page[head] != _LEAF:
            return None
        for cell in range(_SHORT.unpack_from(page, head + 3)[0]):
            row = self._row(page, head + 8 + 2 * cell, with_body=False)
            if row is not None:
                return row.position
        return None

    def _page_at(self, place: int) -> bytes:
        if place < self._pages:
            self._file.seek(place * self._page_size)
            return self._file.read(self._page_size)
        assert self._log is not None
        self._log.seek(self._logged[place - self._pages])
        return self._log.read(self._page_size)

    def _row(self, page: bytes, pointer: int, *, with_body: bool = True) -> StoredRow | None:
        try:
            size, at = _varint(page, _SHORT.unpack_from(page, pointer)[0])
            position, at = _varint(page, at)
            start = at
            header_size, at = _varint(page, at)
            types: list[int] = []
            while at < start + header_size:
                kind, at = _varint(page, at)
                types.append(kind)
            if not _is_event(types, size, header_size):
                return None
            payload = self._payload(page, start, size) if with_body else page[start:]
            return _read_row(position, types, payload, header_size)
        except (struct.error, IndexError, ValueError):
            return None

    def _payload(self, page: bytes, start: int, size: int) -> bytes:
        """The row's bytes; what does not fit its page goes on in a chain of others."""
        largest = self._page_size - 35
        if size <= largest:
            if start + size > len(page):
                raise ValueError("the row is cut off")
            return page[start : start + size]
        least = (self._page_size - 12) * 32 // 255 - 23
        local = least + (size - least) % (self._page_size - 4)
        local = local if local <= largest else least
        parts, have = [page[start : start + local]], local
        following = _LONG.unpack_from(page, start + local)[0]
        while have < size:
            overflow = self._newest_page(following)
            following = _LONG.unpack_from(overflow, 0)[0]
            part = overflow[4 : 4 + size - have]
            if not part:
                raise ValueError("the chain is broken")
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    def _newest_page(self, number: int) -> bytes:
        if number < 1:
            raise ValueError("the chain is broken")
        if self._log is not None and number in self._newest:
            self._log.seek(self._newest[number])
            return self._log.read(self._page_size)
        self._file.seek((number - 1) * self._page_size)
        return self._file.read(self._page_size)

    def places_in_order(self) -> Iterator[tuple[int, int]]:
        """(lowest position, place) of every page that holds events; costs one reading of the file."""
        for place in range(self.places):
            first = self.first_position(place)
            if first is not None:
                yield first, place


def _is_event(types: list[int], size: int, header_size: int) -> bool:
    """Whether the columns are those of the table: position (kept apart), two halves of a key, a hash, two numbers,
    a body.
    """
    if len(types) != _COLUMNS or types[0] != 0 or types[3] != _HASH_TYPE:
        return False
    body = types[6]
    if body < 12 or body % 2 or any(types[column] not in _INTEGERS for column in (1, 2, 4, 5)):
        return False
    return size == header_size + sum(_width(kind) for kind in types)


def _width(kind: int) -> int:
    return (kind - 12) // 2 if kind >= 12 else _INTEGERS[kind]


def _read_row(position: int, types: list[int], payload: bytes, at: int) -> StoredRow:
    values: list[int | bytes] = []
    for kind in types[1:]:
        width = _width(kind)
        raw = payload[at : at + width]
        at += width
        if kind >= 12:
            values.append(raw)
        elif kind in (8, 9):
            values.append(kind - 8)
        else:
            values.append(int.from_bytes(raw, "big", signed=True))
    return StoredRow(position, *values)  # type: ignore[arg-type]  # the types were held against the columns


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(8):
        byte = page[at + step]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, at + step + 1
    return (value << 8) | page[at + 8], at + 9
