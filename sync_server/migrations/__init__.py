"""The schema's history: which version the database has, which one this program needs, and the way there.

Versions lie in `versions/`, numbered, written by hand. Those that only add may run while the old program
serves; `docs/operating/install-hq.md` says so for each that may not.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from sync_server.database import Database, Work
from sync_server.errors import SchemaOutdated

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATION_LOCK = 7_130_201
"""Advisory lock that makes a second `migrate` wait for the first."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The version that the database has (None: empty) and the one that this program needs."""

    current: str | None
    needed: str

    @property
    def is_current(self) -> bool:
        """Whether this program may work with the database."""
        return self.current == self.needed


def needed_version() -> str:
    """The newest version that this program brings along, told by the number that its file begins with."""
    versions = (Path(__file__).parent / "versions").glob("[0-9]*_*.py")
    return max(version.name.partition("_")[0] for version in versions)


def schema_state(work: Work, needed: str) -> SchemaState:
    """The state of the database that `work` sees, against the version `needed`."""
    connection = work.session.connection()
    if not inspect(connection).has_table("alembic_version"):
        return SchemaState(current=None, needed=needed)
    return SchemaState(
        current=connection.scalar(text("SELECT version_num FROM alembic_version")), needed=needed
    )


def migrate(owner_url: str, version: str = "head") -> SchemaState:
    """Brings the schema up to `version`, all of it or nothing; returns what was there before.

    `owner_url` signs in as the role that owns the schema (or, on an empty database, shall own it).
    """
    database = Database(owner_url, pool_size=1, statement_timeout_seconds=0, role=None)
    try:
        with database.unit_of_work() as work:
            work.connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATION_LOCK])
            before = schema_state(work, needed_version())
            if not before.is_current or version != "head":
                _upgrade(work, version)
            return before
    finally:
        database.close()


def require_current_schema(database: Database) -> None:
    """Raises SchemaOutdated unless the database has the version that this program needs."""
    with database.reading() as work:
        state = schema_state(work, needed_version())
    if state.current is None:
        raise SchemaOutdated("The database is empty. Run `sync-server migrate` once, then start again.")
    if not state.is_current:
        raise SchemaOutdated(
            f"The database has schema version {state.current} and this program needs {state.needed}. "
            "Run `sync-server migrate` with this version of the program, then start again."
        )


def configuration() -> "Config":
    """What Alembic has to know: where the versions lie."""
    # Alembic takes a sixth of a second to load; most commands, and every process of `serve`, find the schema
    # current and need none of it.
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent))
    return found


def _upgrade(work: Work, version: str) -> None:
    from alembic import command  # loaded where there is something to do, as in `configuration`

    steps = configuration()
    steps.attributes["connection"] = work.session.connection()
    command.upgrade(steps, version)
