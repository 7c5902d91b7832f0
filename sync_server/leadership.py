"""Who leads: of all processes with one duty the one that holds its advisory lock, on a connection of its own.

PostgreSQL lets go of the lock when that connection ends, however it ends. There may be two leaders for a moment,
as when one was frozen and wakes up; whatever a leader does must bear that.
"""

import os
from enum import Enum
from typing import Final

import psycopg

from sync_server.database import Database
from sync_server.errors import Unavailable


class Duty(Enum):
    """What one process does at a time; the number of its lock: any that nothing else in this database locks."""

    RELAY = 0x7111_5C01_0E1A_0001
    SCHEDULER = 0x7111_5C01_0E1A_0002

    @property
    def process_name(self) -> str:
        """How the connection of its leader is called."""
        return f"tillsync {self.name.lower()} {os.getpid()}"


_OPTIONS: Final = {
    # A leader whose machine vanished holds the lock until TCP notices; by itself that takes two hours.
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "idle_session_timeout": 0,
    "statement_timeout": 5000,
}


class Leadership:
    """One process's claim to a duty."""

    def __init__(self, database: Database, duty: Duty) -> None:
        self._duty = duty
        url = database.url.set(drivername="postgresql")
        self._conninfo = url.render_as_string(hide_password=False)
        self._connection: psycopg.Connection[tuple[bool]] | None = None

    def is_held(self) -> bool:
        """Whether this process leads at this moment; takes the lead when nobody has it.

        Raises Unavailable when PostgreSQL cannot be reached; the lead is lost then.
        """
        try:
            if self._connection is None:
                return self._seek()
            self._connection.execute("SELECT")
        except psycopg.OperationalError as error:
            self.resign()
            raise Unavailable("The database cannot be reached, so nobody knows who leads.") from error
        return True

    def resign(self) -> None:
        """Gives up the lead, if this process has it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _seek(self) -> bool:
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        connection: psycopg.Connection[tuple[bool]] = psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=5,
            options=options,
            application_name=self._duty.process_name,
        )
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [self._duty.value]).fetchone()
        if row is None or not row[0]:
            connection.close()
            return False
        self._connection = connection
        return True
