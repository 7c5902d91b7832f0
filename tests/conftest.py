"""What every test may ask for: a real PostgreSQL, a migrated database of its own, and the server's settings.

One cluster serves the whole run. A template is migrated once; each test that asks for a database gets a
copy of it, made in some 40 ms, and works as the application's own role.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from pydantic import SecretStr

from sync_server.app import create_app
from sync_server.database import DATABASE_NAME, Database
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.migrations import migrate
from sync_server.settings import Settings
from tests.browser.no_browser import say_what_was_skipped
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock

_WITHOUT_DURABILITY = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "'64MB'",
}
_copies = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL; its own database is migrated and stays empty: the template of all others."""
    folder = Path(tempfile.mkdtemp(prefix="tillsync-tests-"))
    cluster = EmbeddedPostgres(folder, settings=_WITHOUT_DURABILITY)
    try:
        with cluster:
            migrate(cluster.url(role=OWNER_ROLE))
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_name(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The name of this test's own copy of the migrated database."""
    name = f"test_{next(_copies)}"
    postgres.create_database(name, template=DATABASE_NAME)
    yield name
    postgres.drop_database(name)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, database_name: str) -> str:
    """The URL of this test's database, for the application's role."""
    return postgres.url(database_name)


@pytest.fixture
def owner_url(postgres: EmbeddedPostgres, database_name: str) -> str:
    """The URL of this test's database, for the role that owns the schema."""
    return postgres.url(database_name, OWNER_ROLE)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """This test's database, as the application sees it."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings for this test's database and a data folder of its own."""
    return Settings(data_dir=tmp_path / "data", database_url=SecretStr(database_url))


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands still at 2026-02-10T23:05:00Z until the test moves it."""
    return SetClock()


@pytest.fixture
def app(settings: Settings, database: Database, clock: SetClock) -> FastAPI:
    """The server's application on this test's database, at this test's time."""
    return create_app(settings, database, clock)


@pytest.fixture
def http(app: FastAPI) -> Iterator[HttpCaller]:
    """Sends requests to `app` as if over the wire; answers are httpx responses."""
    with start_blocking_portal() as portal:
        transport = httpx.ASGITransport(app=app)
        client = httpx.AsyncClient(transport=transport, base_url="http://headquarters")
        yield HttpCaller(portal, client)
        portal.call(client.aclose)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Here and not beside the browser's tests, since only this file is read where workers run them."""
    say_what_was_skipped(terminalreporter)
