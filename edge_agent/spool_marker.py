"""The second file, beside the spool: what is remembered of it in case that it is damaged, copied or put back."""

import hashlib
from pathlib import Path

import msgspec

from edge_agent.data_folder import write_durably


class Marker(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the second file says."""

    machine: dict[str, str]
    generation: int
    """How often an agent was started on the spool."""
    running: bool
    """An agent has it open, or did not end as it should."""
    last_position: int
    acknowledged_position: int
    """Headquarters has everything up to here, in whichever stream."""


class _File(msgspec.Struct, frozen=True):
    marker: msgspec.Raw
    sha256: str


def marker_of(spool_file: Path) -> Path:
    """Where the second file of a spool lies."""
    return spool_file.with_name("generation.json")


def read_marker(path: Path) -> Marker | None:
    """The marker; None when there is none, or none that can be believed."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
        if hashlib.sha256(bytes(file.marker)).hexdigest() != file.sha256:
            return None
        return msgspec.json.decode(file.marker, type=Marker)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def write_marker(path: Path, marker: Marker) -> None:
    """Replaces the marker durably; raises OSError."""
    text = msgspec.json.encode(marker)
    digest = hashlib.sha256(text).hexdigest().encode()
    write_durably(path, b'{"marker":%b,"sha256":"%b"}\n' % (text, digest))
