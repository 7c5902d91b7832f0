"""SQLite's write-ahead log, read by ourselves: does a damaged frame hide commits that come after it?

After a crash SQLite reads the log up to the first frame that is not right and silently forgets what follows. At
the end of the log that is what it should do: a torn last transaction was never answered. In the middle it
is a loss of acknowledged sales, since each commit was on the disk before the next began. Format:
https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
_MAGIC = (0x377F0682, 0x377F0683)
_MASK = 0xFFFFFFFF
MAX_CHECKED_FRAMES = 16_384
"""A log is a few hundred frames long; one of 64 MiB is not worth holding up tills for."""


class Frame(msgspec.Struct, frozen=True):
    """One page in the log."""

    page: int
    offset: int
    """Where the page's content begins in the file."""
    ends_transaction: bool
    whole: bool
    """Its checksum is right, given the one before it."""


def read_frames(log: BinaryIO, *, check: bool = True) -> Iterator[Frame]:
    """The frames that belong to the log's present run, in order; nothing when the header is unreadable.

    Frames of former runs lie behind them and carry another salt. Without `check` all count as whole.
    """
    header = log.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return
    magic, _, page_size, _, salt_1, salt_2, sum_1, sum_2 = _HEADER.unpack(header)
    if magic not in _MAGIC or not 512 <= page_size <= 65536:
        return
    order = ">" if magic & 1 else "<"
    words = struct.Struct(f"{order}{page_size // 4}I")
    head = struct.Struct(f"{order}2I")
    offset = _HEADER.size
    while True:
        raw = log.read(_FRAME.size)
        if len(raw) < _FRAME.size:
            return
        page, size_after, frame_salt_1, frame_salt_2, own_1, own_2 = _FRAME.unpack(raw)
        content = log.read(page_size)
        if (frame_salt_1, frame_salt_2) != (salt_1, salt_2) or len(content) < page_size:
            return
        whole = True
        if check:
            found = _checksum(words.unpack(content), _checksum(head.unpack(raw[:8]), (sum_1, sum_2)))
            whole = found == (own_1, own_2)
        yield Frame(page, offset + _FRAME.size, size_after != 0, whole)
        sum_1, sum_2 = own_1, own_2
        offset += _FRAME.size + page_size


def hides_commits(path: Path) -> bool:
    """Whether a frame that is not right stands before a later, whole transaction. A log that is not there hides
    nothing.
    """
    try:
        with path.open("rb") as log:
            return _hides_commits(read_frames(log))
    except OSError:
        return False


def _hides_commits(frames: Iterator[Frame]) -> bool:
    is_damaged = own_end_seen = False
    for number, frame in enumerate(frames):
        if number >= MAX_CHECKED_FRAMES:
            return False
        if is_damaged and own_end_seen and frame.whole and frame.ends_transaction:
            return True
        is_damaged = is_damaged or not frame.whole
        own_end_seen = own_end_seen or (is_damaged and frame.ends_transaction)
    return False


def _checksum(words: tuple[int, ...], start: tuple[int, int]) -> tuple[int, int]:
    first, second = start
    pairs = iter(words)
    for even, odd in zip(pairs, pairs, strict=True):
        first = (first + even + second) & _MASK
        second = (second + odd + first) & _MASK
    return first, second
