"""What the agent itself refused: kept raw, each record once, bounded, so that support can see what a till
sent.
"""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_agent.data_folder import write_durably
from shared.clock import Clock, instant_text
from shared.problems import Violation
from shared.wire_json import JsonError, decode_json, encode_json

MAX_RECORD_BYTES = 1_048_576
"""Of a single refused record; the rest of a larger one is cut off, and the file says so."""
MAX_RECORDS = 10_000


class RefusedRecords:
    """The folder of refused records; the oldest go when it grows beyond its bounds."""

    def __init__(self, folder: Path, max_bytes: int, clock: Clock) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._clock = clock
        self._turn = threading.Lock()
        # Name -> bytes, oldest first; read anew when somebody else has changed the folder.
        self._kept: dict[str, int] | None = None
        self._seen = 0

    def keep(self, record: bytes, violations: Sequence[Violation], origin: str) -> None:
        """Keeps one record with the reasons; the same record again changes nothing.

        A disk that takes no more is no reason to fail: the caller is told of the refusal either way.
        """
        name = f"{hashlib.sha256(record).hexdigest()[:32]}.json"
        document = encode_json(
            {
                "refusedAt": instant_text(self._clock.now()),
                "origin": origin,
                "violations": [violation.to_wire() for violation in violations],
                "cutOff": len(record) > MAX_RECORD_BYTES,
                "raw": record[:MAX_RECORD_BYTES].decode("utf-8", "backslashreplace"),
            }
        )
        with self._turn:
            kept = self._read_folder()
            if name in kept:
                return
            try:
                write_durably(self._folder / name, document)
            except OSError:
                return
            kept[name] = len(document)
            self._make_room(kept)
            self._seen = self._folder.stat().st_mtime_ns

    def count(self) -> int:
        """How many records are kept; support may take some away while the agent runs."""
        with self._turn:
            return len(self._read_folder())

    def names(self) -> list[str]:
        """The files of the records, oldest first."""
        with self._turn:
            return list(self._read_folder())

    def read(self, name: str) -> dict[str, Any] | None:
        """One record as it was kept (refusedAt, origin, violations, cutOff, raw); None when it is not there."""
        with self._turn:
            if name not in self._read_folder():
                return None
        try:
            document = decode_json((self._folder / name).read_bytes())
        except (OSError, JsonError):
            return None
        return document if type(document) is dict else None

    def remove(self, name: str) -> None:
        """Forgets a record that was dealt with."""
        with self._turn:
            if self._read_folder().pop(name, None) is not None:
                (self._folder / name).unlink(missing_ok=True)

    def _read_folder(self) -> dict[str, int]:
        changed = self._folder.stat().st_mtime_ns
        if self._kept is None or changed != self._seen:
            self._seen = changed
            files = [(path, path.stat()) for path in self._folder.glob("*.json")]
            files.sort(key=lambda file: file[1].st_mtime_ns)
            self._kept = {path.name: stat.st_size for path, stat in files}
        return self._kept

    def _make_room(self, kept: dict[str, int]) -> None:
        total = sum(kept.values())
        while kept and (total > self._max_bytes or len(kept) > MAX_RECORDS):
            name = next(iter(kept))
            total -= kept.pop(name)
            (self._folder / name).unlink(missing_ok=True)
