"""One short query on a till's database, which is never written to and never kept locked.

Each query opens the database, takes its rows in one go, and closes it: a till in rollback-journal mode waits
for a reader to be done, so there is nothing between the rows but memory.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from edge_agent.errors import EdgeAgentError, SettingsError
from edge_agent.sources.database_tail.configuration import DatabaseTable

BUSY_SECONDS = 0.2  # float: seconds
"""How long we wait for a till that is writing; then the next look tries again."""
CONNECT_SECONDS = 5
_READ_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
_WITH_TIMEOUT = {"psycopg", "psycopg2", "pymysql", "mysqldb"}


class TillUnreadable(EdgeAgentError):
    """The till's database cannot be read now; the next look tries again."""


class TillDatabase(Protocol):
    """Something that answers the configured query."""

    def rows(self, since: Any, most: int) -> tuple[Sequence[str], list[Sequence[Any]]]:
        """The columns, and at most so many rows from `since` on; raises TillUnreadable."""
        ...

    def close(self) -> None:
        """Lets go of what is kept open."""
        ...


def open_till_database(table: DatabaseTable) -> TillDatabase:
    """The database that is configured; nothing is connected yet. Raises SettingsError."""
    return SqliteFile(Path(table.file), table.query) if table.file else SqlAlchemyDatabase(table)


class SqliteFile:
    """A till's SQLite file."""

    def __init__(self, path: Path, query: str) -> None:
        self._path = path
        self._query = query

    def rows(self, since: Any, most: int) -> tuple[Sequence[str], list[Sequence[Any]]]:
        """See TillDatabase."""
        if not self._path.is_file():
            raise TillUnreadable(
                f"{self._path} is not there; check the path, or wait for the till to make it"
            )
        if isinstance(since, datetime):  # SQLite knows texts; most tills write them so
            since = since.isoformat(" ")
        try:
            # `mode=ro` and nothing else: `immutable` would read torn pages while the till writes.
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                connection.text_factory = _text
                cursor = connection.execute(self._query, {"since": since})
                names = [column[0] for column in cursor.description or ()]
                return names, cursor.fetchmany(most)
            finally:
                connection.close()
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise TillUnreadable(f"{self._path.name} cannot be read ({error})") from error

    def close(self) -> None:
        """Nothing is kept open."""


def _text(raw: bytes) -> str:
    """Old tills write their code page into a column of UTF-8; every byte of it has a letter in cp1252."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


class SqlAlchemyDatabase:
    """Any database that SQLAlchemy speaks to; the extra `database-source` brings it."""

    def __init__(self, table: DatabaseTable) -> None:
        try:
            import sqlalchemy  # megabytes that a PC without such a database must not carry
        except ImportError as error:
            raise SettingsError(
                f"[database.{table.name}] has a url, which needs SQLAlchemy; install tillsync[database-source]."
            ) from error
        self._sqlalchemy = sqlalchemy
        self._query = sqlalchemy.text(table.query)
        try:
            url = sqlalchemy.make_url(table.url)
            if table.password_file:
                url = url.set(password=Path(table.password_file).read_text("utf-8").strip())
            driver = url.get_driver_name()
            timeout = {"connect_timeout": CONNECT_SECONDS} if driver in _WITH_TIMEOUT else {}
            self._engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=timeout)
        except (sqlalchemy.exc.SQLAlchemyError, ImportError, OSError, ValueError) as error:
            raise SettingsError(
                f"[database.{table.name}] cannot be used ({error}); correct its url or install its driver."
            ) from error

    def rows(self, since: Any, most: int) -> tuple[Sequence[str], list[Sequence[Any]]]:
        """See TillDatabase."""
        try:
            with self._engine.connect() as connection:
                if read_only := _READ_ONLY.get(connection.dialect.name):
                    connection.execute(self._sqlalchemy.text(read_only))
                    connection.commit()  # it holds from the next transaction on
                streaming = connection.execution_options(stream_results=True, max_row_buffer=1000)
                with streaming.execute(self._query, {"since": since}) as result:
                    return list(result.keys()), [tuple(row) for row in result.fetchmany(most)]
        except self._sqlalchemy.exc.SQLAlchemyError as error:
            # Without the statement and its parameters, which SQLAlchemy adds below the first line.
            reason = str(error).splitlines()[0]
            raise TillUnreadable(f"{self._engine.url!r} cannot be read ({reason})") from error

    def close(self) -> None:
        """Lets go of the driver's pool."""
        self._engine.dispose()
