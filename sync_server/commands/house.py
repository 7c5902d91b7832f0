"""How a command gets at the server's parts: its settings, and the database, embedded or named.

A command may run while `serve` does: the embedded PostgreSQL is shared, and the last one to leave stops it.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from shared.clock import Clock, SystemClock
from shared.zone_data import use_own_zone_data
from sync_server.database import APPLICATION_ROLE, Database
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.errors import DatabaseUnreachable, Unavailable
from sync_server.logs import configure_logs
from sync_server.migrations import migrate, require_current_schema
from sync_server.people.callers import Caller, CallerKind
from sync_server.settings import Settings, load_settings

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder for everything the server keeps.", show_default=False),
]

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """What a command works with; `operator` is who is audited."""

    settings: Settings
    database: Database
    clock: Clock
    operator: Caller


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """The database's URL for the application and for the schema's owner; `embedded` where it is our own."""

    url: str
    owner_url: str
    embedded: EmbeddedPostgres | None


def settings_for(data_dir: Path | None, **flags: Any) -> Settings:
    """The settings of this run, with zone data and logging set up accordingly.

    Raises SettingsInvalid.
    """
    settings = load_settings({"data_dir": data_dir, **flags})
    use_own_zone_data()
    configure_logs(settings.log_format, settings.log_level)
    return settings


@contextmanager
def database_access(settings: Settings) -> Iterator[DatabaseAccess]:
    """The named database; without one, the embedded PostgreSQL, held open for the block."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        owner = settings.database_owner_url
        yield DatabaseAccess(url, owner.get_secret_value() if owner else url, None)
        return
    with EmbeddedPostgres(settings.data_dir, announce=_announce) as embedded:
        yield DatabaseAccess(embedded.url(), embedded.url(role=OWNER_ROLE), embedded)


@contextmanager
def opened(data_dir: Path | None) -> Iterator[House]:
    """The house of a command, its schema current; raises CannotRun when that cannot be had."""
    settings = settings_for(data_dir)
    with database_access(settings) as access:
        database = Database(access.url, pool_size=2)
        try:
            make_schema_current(access, database)
            yield House(settings, database, SystemClock(), operator())
        finally:
            database.close()


def make_schema_current(access: DatabaseAccess, database: Database) -> None:
    """Migrates the embedded database; of a named one the schema has to be current, or SchemaOutdated is raised."""
    try:
        if access.embedded is not None:
            migrate(access.owner_url)
        else:
            require_current_schema(database)
    except Unavailable as error:
        raise DatabaseUnreachable(
            f"The database cannot be worked with: {_cause(error)}. Check SYNC_SERVER_DATABASE_URL, and that "
            f"the role in it is a member of {APPLICATION_ROLE}."
        ) from error


def operator() -> Caller:
    """Whoever types the command, by the account of this machine."""
    return Caller(kind=CallerKind.COMMAND_LINE, name=getpass.getuser(), origin="command line")


def _cause(error: BaseException) -> str:
    """What PostgreSQL or the network said first, in one line; it never holds the password."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).splitlines()[0].rstrip(".")


def _announce(sentence: str) -> None:
    log.info(sentence, action="postgres.prepared")
