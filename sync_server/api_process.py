"""One process of the API: what `serve` runs as often as it was told to, all on one port."""

import gc
import socket
from typing import Any

import uvicorn

from sync_server.app import create_app
from sync_server.database import Database
from sync_server.settings import Settings

KEEP_ALIVE_SECONDS = 75
"""Longer than the agents' heartbeat, so that a quiet store keeps its connection."""
GARBAGE_THRESHOLDS = (50_000, 20, 50)
"""Objects made before the youngest are collected, and how many collections before the next generation's."""


def serve_api(ready: Any, settings: Settings, database_url: str, listener: socket.socket) -> None:
    """Serves requests that come in at `listener` until SIGTERM, then ends gracefully; sets `ready` once it does."""
    database = Database(
        database_url,
        pool_size=settings.database_pool_size,
        statement_timeout_seconds=settings.database_statement_timeout_seconds,
    )
    config = uvicorn.Config(
        create_app(settings, database),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
    )
    # A batch makes thousands of short-lived values and no circles: collecting them seldom, and never what was
    # loaded at start, saves a tenth of its time.
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        _Server(config, ready).run(sockets=[listener])
    finally:
        database.close()


class _Server(uvicorn.Server):
    """Says when requests are taken."""

    def __init__(self, config: uvicorn.Config, ready: Any) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
