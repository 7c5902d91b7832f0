"""The embedded PostgreSQL: durable, shared by processes, back after a kill, and clear about why it cannot start."""

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sync_server.database import APPLICATION_ROLE, DATABASE_NAME
from sync_server.embedded.os_account import MAX_SOCKET_PATH
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import EmbeddedPostgresFailed


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as data folders have; pytest's own are long."""
    with tempfile.TemporaryDirectory(prefix="ts-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _ask(cluster: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def postmaster_of(folder: Path) -> int:
    """The process id of the cluster in `folder`."""
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


def test_what_is_committed_is_on_the_disk(folder: Path) -> None:
    with EmbeddedPostgres(folder) as cluster:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert _ask(cluster, f"SELECT current_setting('{setting}')") == "on"


def test_it_holds_the_database_of_the_spec_for_an_application_that_is_no_superuser(folder: Path) -> None:
    with EmbeddedPostgres(folder) as cluster:
        assert _ask(cluster, "SELECT current_database()") == DATABASE_NAME
        assert _ask(cluster, "SELECT current_user") == APPLICATION_ROLE
        assert (
            _ask(cluster, "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
            is False
        )


def test_nobody_else_reaches_its_socket_or_its_files(folder: Path) -> None:
    with EmbeddedPostgres(folder) as cluster:
        for private in (cluster.socket_folder, folder / "postgres"):
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert _ask(cluster, "SELECT current_setting('listen_addresses')") == ""


def test_it_ends_with_the_last_one_who_uses_it(folder: Path) -> None:
    first, second = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    first.start()
    second.start()
    first.stop()
    assert second.is_answering()
    second.stop()
    assert not second.is_answering()
    assert not (folder / "postgres" / "postmaster.pid").exists()


def test_a_user_that_was_killed_does_not_keep_it_running(folder: Path) -> None:
    child = os.fork()
    if child == 0:
        EmbeddedPostgres(folder).start()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    cluster = EmbeddedPostgres(folder)
    assert cluster.is_answering()
    cluster.start()
    cluster.stop()
    assert not cluster.is_answering()


def test_it_comes_back_after_a_kill_with_what_was_committed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as cluster:
        with psycopg.connect(cluster.url(role="postgres"), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer; GRANT SELECT ON kept TO PUBLIC")
        os.kill(postmaster_of(folder), signal.SIGKILL)
        assert cluster.ensure_running()
        assert _ask(cluster, "SELECT answer FROM kept") == 42
        assert not cluster.ensure_running()


def test_a_pid_file_whose_number_belongs_to_somebody_else_is_no_obstacle(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        lines = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    (folder / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with EmbeddedPostgres(folder) as cluster:
        assert cluster.is_answering()


def test_a_data_folder_with_a_long_name_gets_a_short_socket(folder: Path) -> None:
    long = folder / ("x" * 60) / ("y" * 60)
    with EmbeddedPostgres(long) as cluster:
        assert len(str(cluster.socket_folder / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH
        assert stat.S_IMODE(cluster.socket_folder.stat().st_mode) == 0o700
        assert cluster.is_answering()


def test_a_cluster_that_cannot_start_says_why_and_what_to_do(folder: Path) -> None:
    with (
        pytest.raises(EmbeddedPostgresFailed) as failure,
        EmbeddedPostgres(folder, settings={"shared_buffers": "'lots'"}),
    ):
        pass
    assert "shared_buffers" in str(failure.value)
    assert "SYNC_SERVER_DATABASE_URL" in str(failure.value)
    with EmbeddedPostgres(folder) as mended:
        assert mended.is_answering()
