"""One `[[database]]` of `agent.toml`, over the ready-made mapping that it may name."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import msgspec

from edge_agent.sources.till_rows.configuration import RowsTable, read_table, wrong
from edge_agent.sources.till_rows.mapping import RowMapping

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_MERGED = ("fields", "extra")
"""Tables in which a configuration changes single keys of a ready-made mapping."""


class DatabaseTable(RowsTable, frozen=True, kw_only=True):
    """The keys of `[[database]]` beside those of every table of rows."""

    name: str
    """Names the source in logs, in its position and in the ids of its events: never change it."""
    mapping: str = ""
    """A ready-made mapping, whose keys this table may replace."""
    file: str = ""
    """The SQLite file."""
    url: str = ""
    """Any other database, as SQLAlchemy's URL."""
    password_file: str = ""
    """Its content is the URL's password."""
    query: str
    """Gives the rows whose position is at or after :since, in the order of `order`."""
    order: list[str]
    """The columns that the query sorts by; the first one is the position, a number or a time."""
    identity: list[str]
    """The columns that tell a row from all others, for ever."""
    overlap: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How far behind the position rows may still turn up: seconds, or numbers."""
    start: int | str
    """The first position; `now`, for a time, is the moment when the agent first starts with the database."""
    position_utc: bool = False
    """The position is a time in UTC, not the store's local time."""
    settle: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0
    """Seconds for which a transaction must not have changed before it is taken."""
    interval: Annotated[int, msgspec.Meta(ge=1, le=86400)] = 5
    """Seconds between two looks."""


class DatabaseSource(msgspec.Struct, frozen=True):
    """A database that makes sense."""

    table: DatabaseTable
    mapping: RowMapping


def ready_made_names() -> list[str]:
    """The tills that we know."""
    folder = files(__package__) / "ready_made"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read_databases(raw: Any) -> list[DatabaseSource]:
    """Every `[[database]]`; raises SettingsError."""
    if raw is None:
        return []
    if type(raw) is not list or any(type(table) is not dict for table in raw):
        raise wrong("database", "is a list; write it as [[database]]")
    sources = [_read_database(index, table) for index, table in enumerate(raw)]
    names = [source.table.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise wrong("database", f"has two tables of the name {name!r}; each needs its own")
    return sources


def _read_database(index: int, raw: dict[str, Any]) -> DatabaseSource:
    place = f"database.{raw.get('name', index)}"
    table = read_table(_over_ready_made(raw, place), DatabaseTable, place)
    if not _NAME.fullmatch(table.name):
        raise wrong(place, f"the name {table.name!r} must be 1 to 40 small letters, digits and dashes")
    if bool(table.file) == bool(table.url):
        raise wrong(place, "needs either file, for SQLite, or url")
    if table.url.startswith("sqlite"):
        raise wrong(place, "names SQLite by its url; name it by file, so that it is opened read-only")
    if not table.order or not table.identity:
        raise wrong(place, "needs at least one column each in order and in identity")
    if not re.search(r":since\b", table.query):
        raise wrong(place, "the query must have :since where it compares the position")
    mapping = RowMapping(table, place)
    if any(type(column) is int for column in mapping.needed):
        raise wrong(place, "names a column by its number; name it as the query does")
    return DatabaseSource(table, mapping)


def _over_ready_made(raw: dict[str, Any], place: str) -> dict[str, Any]:
    name = raw.get("mapping")
    if not name:
        return raw
    if name not in ready_made_names():
        raise wrong(place, f"there is no ready-made mapping {name!r}, only {', '.join(ready_made_names())}")
    text = (files(__package__) / "ready_made" / f"{name}.toml").read_text("utf-8")
    ready = tomllib.loads(text)
    merged = {key: {**ready.get(key, {}), **raw[key]} for key in _MERGED if type(raw.get(key)) is dict}
    return {**ready, **raw, **merged}
