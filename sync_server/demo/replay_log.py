"""The replay log: which events the tills have handed over, kept on the tills' side, one file per store.

A line is written when the agent has answered, or when a file lies in its drop folder; the proof takes from
here, and from nowhere else, what ought to have arrived.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from shared.identifiers import event_key
from shared.wire_json import decode_json, encode_json


class ReplayLog:
    """One store's log, open for writing."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def add(self, way: str, event_ids: Sequence[str]) -> None:
        """Notes one transaction: `way` is how it was handed over, `http` or `file`."""
        self._file.write(encode_json({"way": way, "eventIds": list(event_ids)}) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def read_replay_log(path: Path) -> frozenset[UUID]:
    """The keys of all events in a store's log; the same event handed over twice counts once."""
    with path.open("rb") as lines:
        return frozenset(event_key(event_id) for line in lines for event_id in decode_json(line)["eventIds"])
