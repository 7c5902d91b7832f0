"""The door to PostgreSQL: one engine, one unit of work, and the only commit in the whole server.

    with database.unit_of_work() as work:     # commits when the block ends cleanly, rolls back otherwise
        work.connection.execute(...)          # psycopg, for set-based SQL
        work.session.add(...)                 # SQLModel, for the rest; the same transaction

Every connection acts as the application's role, whoever it signed in as: that role may not change or delete
what is in the ledger, and PostgreSQL holds it to that.
"""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlmodel import Session

from sync_server.errors import Unavailable

DATABASE_NAME = "chiroerp_inventory_core"
APPLICATION_ROLE = "tillsync_app"
"""May read and add, and change what is no ledger, journal or audit entry: migrations grant it by table."""
IDLE_IN_TRANSACTION_SECONDS = 60
"""A transaction that nobody goes on with holds locks; PostgreSQL ends it after this long."""

RawConnection = psycopg.Connection[tuple[Any, ...]]


class Work:
    """One transaction, as seen by those who take part in it; none of them commits."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @cached_property
    def session(self) -> Session:
        """The SQLModel session of this transaction."""
        return Session(self._connection, expire_on_commit=False)

    @property
    def connection(self) -> RawConnection:
        """The psycopg connection of this transaction; what the session still holds back is written first."""
        self.flush()
        return cast("RawConnection", self._connection.connection.driver_connection)

    def flush(self) -> None:
        """Writes what the session holds back, so that SQL on the raw connection sees it."""
        if "session" in self.__dict__:
            self.session.flush()


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        pool_timeout_seconds: float = 10,
        statement_timeout_seconds: int = 60,
        role: str | None = APPLICATION_ROLE,
    ) -> None:
        """`role` is taken on by every connection; None keeps the one that signs in, for migrations."""
        self.url = psycopg_url(url)
        self._engine = sa.create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout_seconds,
            connect_args={
                "options": _session_options(role, statement_timeout_seconds),
                "connect_timeout": 5,
                "application_name": "tillsync",
            },
        )

        sa.event.listen(self._engine, "checkout", _refuse_dead_connection)

    @contextmanager
    def unit_of_work(self) -> Iterator[Work]:
        """A transaction that is committed when the block ends cleanly and rolled back when it does not.

        Raises Unavailable when PostgreSQL cannot be reached or gives the transaction up; the whole of it may
        be tried again. When the line broke during the commit nobody knows whether it happened: every caller
        of ours is safe to repeat.
        """
        with self._transaction() as work:
            yield work

    @contextmanager
    def reading(self) -> Iterator[Work]:
        """A transaction that sees one state of the database throughout and can change nothing."""
        with self._transaction(isolation_level="REPEATABLE READ", postgresql_readonly=True) as work:
            yield work

    def close(self) -> None:
        """Closes every idle connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, **options: Any) -> Iterator[Work]:
        try:
            with self._engine.connect() as connection:
                if options:
                    connection = connection.execution_options(**options)
                with connection.begin():
                    work = Work(connection)
                    yield work
                    work.flush()
        except (psycopg.OperationalError, sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            self._forget_dead_connections(error)
            raise Unavailable(_sentence(error)) from error

    def _forget_dead_connections(self, error: Exception) -> None:
        """After a lost connection the idle ones are dead too: none of them shall fail another request."""
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if isinstance(cause, psycopg.OperationalError) and (cause.sqlstate or "57P01").startswith(
            ("08", "57P")
        ):
            self._engine.dispose()


def _refuse_dead_connection(connection: RawConnection, _record: object, _fairy: object) -> None:
    """An idle connection that has something to say says goodbye; the pool then opens a new one instead.

    Costs one system call, where a ping would cost a round trip with every transaction.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise sa.exc.InvalidatePoolError


def psycopg_url(url: str) -> URL:
    """`url` (postgresql://… as everybody writes it) with the driver that the server uses."""
    return make_url(url).set(drivername="postgresql+psycopg")


def _session_options(role: str | None, statement_timeout_seconds: int) -> str:
    """What every connection starts with; sent along with the sign-in, so that it costs no round trip."""
    options = {
        "timezone": "UTC",
        "statement_timeout": f"{statement_timeout_seconds * 1000}",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS * 1000}",
    }
    if role:
        options["role"] = role
    return " ".join(f"-c {name}={value}" for name, value in options.items())


def _sentence(error: Exception) -> str:
    if isinstance(error, sa.exc.TimeoutError):
        return "Every connection to the database is busy; send the same request again shortly."
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if (
        isinstance(cause, psycopg.OperationalError)
        and cause.sqlstate
        and not cause.sqlstate.startswith(("08", "57P"))
    ):
        return "The database gave the transaction up; send the same request again."
    return "The database cannot be reached at the moment; send the same request again."
