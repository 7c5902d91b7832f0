"""The file that carries a store's events by hand: what an agent writes and headquarters reads, line by line.

A gzip of lines. The first is the heading, the last the seal, each line between them a batch just as it would
be posted. The seal holds the SHA-256 of every byte before it and, unless the file was rescued from a dead PC's
disk, the device's Ed25519 signature of that hash. Neither side ever holds more than one line of it.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from shared.wire_json import JsonError, decode_json, encode_json

FORMAT = "tillsync-export"
VERSION = 1
MAX_LINE_BYTES = 16 * 1024 * 1024
"""As much as a request may weigh unpacked; a longer line is none of ours."""
_SIGNED_PREFIX = b"tillsync-export-1\n"
"""In front of what is signed, so that the key's signature of a file can never pass for one of something else."""


class ExportHeading(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The first line: whose events these are, and how they were taken."""

    store_id: str
    device_id: str | None
    made_at: str
    agent_version: str
    rescued: bool
    """Read from a disk without its agent, and not signed."""
    format: str = FORMAT
    version: int = VERSION


class ExportSeal(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The last line: how much there is, its hash, and who vouches for it."""

    batches: int
    events: int
    sha256: str
    signature: str | None = None


class ExportDamaged(ValueError):
    """The file is cut off, was changed, or is none of ours; the text says which."""


def signed_bytes(sha256: str) -> bytes:
    """What the device's key signs of a file with this hash."""
    return _SIGNED_PREFIX + sha256.encode("ascii")


class ExportWriter:
    """Writes a file in one step: it lies at its place when `seal` returns, and not before. Use as a context."""

    def __init__(self, path: Path, heading: ExportHeading) -> None:
        """Begins a fresh file beside `path`. Raises OSError."""
        self._path = path
        self._fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        self._file = self._fresh.open("wb")
        self._packed = gzip.GzipFile(filename="", mode="wb", fileobj=self._file, compresslevel=6, mtime=0)
        self._hash = hashlib.sha256()
        self.batches = self.events = 0
        self._write(encode_json(msgspec.to_builtins(heading)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._packed.close()
        self._file.close()
        self._fresh.unlink(missing_ok=True)

    def add(self, batch: bytes, events: int) -> None:
        """Adds a batch: one JSON document of `events` events."""
        self._write(batch)
        self.batches += 1
        self.events += events

    def seal(self, sign: Callable[[bytes], bytes] | None) -> ExportSeal:
        """Ends the file, signed where there is somebody to sign it, brings it to the disk and to its place."""
        sha256 = self._hash.hexdigest()
        signature = None if sign is None else sign(signed_bytes(sha256)).hex()
        seal = ExportSeal(batches=self.batches, events=self.events, sha256=sha256, signature=signature)
        self._write(encode_json(msgspec.to_builtins(seal)))
        self._packed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._fresh.replace(self._path)
        return seal

    def _write(self, line: bytes) -> None:
        self._hash.update(line + b"\n")
        self._packed.write(line + b"\n")


class ExportReader:
    """A file whose seal was compared with every byte before it; its batches can then be read one by one."""

    def __init__(self, path: Path) -> None:
        """Reads the whole file once. Raises ExportDamaged, or OSError when it cannot be opened."""
        self.path = path
        self.heading, self.seal = _examine(path)

    def batches(self) -> Iterator[dict[str, Any]]:
        """Each batch, decoded. Raises ExportDamaged if the file changed since it was examined."""
        number = 0
        for number, line in enumerate(_lines(self.path)):
            if 0 < number <= self.seal.batches:
                yield _object(line, "batch")
        if number != self.seal.batches + 1:
            raise ExportDamaged("the file changed while it was read")


def sign_export(source: Path, target: Path, sign: Callable[[bytes], bytes]) -> ExportSeal:
    """Copies an unsigned file to `target` with a signature in its seal. Raises ExportDamaged or OSError."""
    reader = ExportReader(source)
    with ExportWriter(target, reader.heading) as writer:
        for number, line in enumerate(_lines(source)):
            if 0 < number <= reader.seal.batches:
                writer.add(line, 0)
        writer.events = reader.seal.events
        return writer.seal(sign)


def _examine(path: Path) -> tuple[ExportHeading, ExportSeal]:
    digest, before, lines, last = hashlib.sha256(), hashlib.sha256().hexdigest(), 0, b""
    heading: ExportHeading | None = None
    for line in _lines(path):
        if heading is None:
            heading = _heading(line)
        before, last = digest.hexdigest(), line
        digest.update(line + b"\n")
        lines += 1
    if heading is None or lines < 2:
        raise ExportDamaged("the file is cut off")
    try:
        seal = msgspec.convert(_object(last, "seal"), ExportSeal)
    except msgspec.ValidationError as error:
        raise ExportDamaged("the file is cut off: its last line is no seal") from error
    if seal.sha256 != before or seal.batches != lines - 2:
        raise ExportDamaged("the file was changed after it was sealed")
    return heading, seal


def _heading(line: bytes) -> ExportHeading:
    try:
        heading = msgspec.convert(_object(line, "heading"), ExportHeading)
    except msgspec.ValidationError as error:
        raise ExportDamaged("the file is no export of an agent") from error
    if heading.format != FORMAT:
        raise ExportDamaged("the file is no export of an agent")
    if heading.version != VERSION:
        raise ExportDamaged(f"the file is of version {heading.version}, which this program does not read")
    return heading


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as file:
        while line := _line(file):
            yield line[:-1]


def _line(file: gzip.GzipFile) -> bytes:
    try:
        line = file.readline(MAX_LINE_BYTES + 2)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ExportDamaged(f"the file is cut off or damaged ({error})") from error
    if line and not line.endswith(b"\n"):
        raise ExportDamaged("the file is cut off, or a line of it has no end")
    return line


def _object(line: bytes, what: str) -> dict[str, Any]:
    try:
        value = decode_json(line)
    except JsonError as error:
        raise ExportDamaged(f"a {what} of the file cannot be read ({error})") from error
    if type(value) is not dict:
        raise ExportDamaged(f"a {what} of the file is no JSON object")
    return value
