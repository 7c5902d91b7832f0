"""The server's application on a database that many tests share: for requests that are refused and leave nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from anyio.from_thread import start_blocking_portal

from sync_server.app import create_app
from sync_server.database import Database
from sync_server.settings import Settings
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock


@contextmanager
def http_door(database: Database, data_dir: Path) -> Iterator[HttpCaller]:
    """Requests to an application on `database`, at the test's time."""
    app = create_app(Settings(data_dir=data_dir), database, SetClock())
    with start_blocking_portal() as portal:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://headquarters")
        yield HttpCaller(portal, client)
        portal.call(client.aclose)
