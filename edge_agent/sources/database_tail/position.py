"""How far a till's database was read: a number or a time, kept in the agent's own folder.

Rows may turn up behind the position: two tills number and commit in different orders, a PC's clock is late. So
each query starts an overlap before it. And a time never runs ahead of the store's clock, or one receipt
dated 2099 would hide all others.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.data_folder import write_durably
from edge_agent.errors import SettingsError
from shared.wire_json import JsonError, decode_json, encode_json
from shared.zone_data import zone_named

Position = int | datetime
"""A number, or a time without its zone as the till's database keeps it."""

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ])\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?", re.ASCII)


def position_of(value: Any) -> Position:
    """The position that a row's first ordering column states; ValueError when it is neither."""
    if type(value) is int:
        return value
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    if type(value) is str and _TIME.fullmatch(value):
        return datetime.fromisoformat(value)
    raise ValueError(f"{value!r} is neither a whole number nor a time such as 2026-02-10 15:30:00")


def with_overlap(position: Position, overlap: int) -> Position:
    """Where the query starts."""
    if isinstance(position, int):
        return position - overlap
    try:
        return position - timedelta(seconds=overlap)
    except OverflowError:
        return datetime.min  # noqa: DTZ901  # the till's own time has no zone here


def not_ahead(position: Position, now: datetime, zone: str | None) -> Position:
    """The position, or the clock's time where the position runs ahead of it; `zone` None stands for UTC."""
    if isinstance(position, int):
        return position
    return min(position, local_time(now, zone))


def local_time(now: datetime, zone: str | None) -> datetime:
    """The store's wall clock, without its zone."""
    return (now if zone is None else now.astimezone(zone_named(zone))).replace(tzinfo=None)


def parameter(position: Position, like: Any) -> Any:
    """The position as the query's parameter: for a column of texts, spelled as that column spells it."""
    if isinstance(position, int) or type(like) is not str:
        return position
    found = _TIME.fullmatch(like)
    return position.isoformat(found[1] if found else " ", "milliseconds" if found and found[3] else "seconds")


class Remembered(msgspec.Struct, frozen=True):
    """How far a database was read."""

    position: Position
    start: Position
    """Where it began; the overlap never goes behind it."""
    like: Any
    """A value of the position's column, as an example of its spelling."""

    def since(self, overlap: int) -> Position:
        """Where the query starts."""
        return max(with_overlap(self.position, overlap), self.start)


class PositionFile:
    """The remembered position of one source."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Remembered | None:
        """What is remembered; None when there is nothing yet. Raises SettingsError when it cannot be read."""
        try:
            document = decode_json(self._path.read_bytes())
            return Remembered(
                position_of(document["position"]), position_of(document["start"]), document["spelledLike"]
            )
        except FileNotFoundError:
            return None
        except (OSError, JsonError, KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                f"{self._path} cannot be read ({error}); put it right, or remove it and set start in the "
                "configuration to where reading is to go on. Events that are known already add nothing."
            ) from error

    def save(self, remembered: Remembered) -> None:
        """Keeps it, on the disk when this returns; raises OSError."""
        document = {
            "position": _shown(remembered.position),
            "start": _shown(remembered.start),
            "spelledLike": remembered.like if type(remembered.like) is str else None,
        }
        write_durably(self._path, encode_json(document))


def _shown(position: Position) -> int | str:
    return position if isinstance(position, int) else position.isoformat(" ")
