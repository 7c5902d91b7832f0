"""A data folder with a migrated PostgreSQL in it, made once: `initdb` costs more than most tests of a server."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.migrations import migrate


def _short_folder() -> Path:
    """A short path, as data folders have, that PostgreSQL's account may pass through; pytest's own are neither."""
    folder = Path(tempfile.mkdtemp(prefix="ts-"))
    folder.chmod(0o711)
    return folder


def _copy(prepared: Path, folder: Path) -> None:
    # `cp -a` keeps the owner: started by root, PostgreSQL runs under an account of its own.
    subprocess.run(["cp", "-a", str(prepared / "postgres"), str(folder)], check=True)


@pytest.fixture(scope="session")
def prepared_folder() -> Iterator[Path]:
    """A data folder whose cluster is migrated, empty and stopped: the template of others."""
    folder = _short_folder()
    try:
        with EmbeddedPostgres(folder) as cluster:
            migrate(cluster.url(role=OWNER_ROLE))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    """A data folder with nothing in it."""
    folder = _short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_folder(prepared_folder: Path, empty_folder: Path) -> Path:
    """A data folder of this test's own that holds a migrated cluster, as after a first start of `serve`."""
    _copy(prepared_folder, empty_folder)
    return empty_folder


@pytest.fixture(scope="module")
def data_folder_of_many(prepared_folder: Path) -> Iterator[Path]:
    """The same for all tests of one file."""
    folder = _short_folder()
    _copy(prepared_folder, folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
