"""Headquarters on the demo's stage: PostgreSQL, the broker and the server, each as it runs for anybody.

The demo holds the embedded PostgreSQL open itself, so that it outlives a restart of the server; the server
finds it in the data folder as it always does.
"""

import asyncio
import sys
from pathlib import Path

from shared.clock import Clock
from sync_server.database import Database
from sync_server.demo.child_process import ChildProcess, run_command
from sync_server.demo.loopback import until_listening
from sync_server.demo.watchdog import Watchdog
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.embedded.postgres import EmbeddedPostgres

SYNC_SERVER = (sys.executable, "-m", "sync_server")
READY_PATH = "/health/ready"


class Headquarters:
    """Starts and ends the parts in their order; commands go through the server's own command line."""

    def __init__(self, folder: Path, port: int, watchdog: Watchdog, clock: Clock) -> None:
        folder.mkdir(parents=True)
        self.port = port
        self.postgres = EmbeddedPostgres(folder / "data")
        self.broker = EmbeddedKafka(folder)
        self._folder = folder
        self._watchdog = watchdog
        self._clock = clock
        self._server: ChildProcess | None = None
        self._database: Database | None = None

    @property
    def address(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def server(self) -> ChildProcess:
        """The server's process."""
        assert self._server is not None, "the server was started"
        return self._server

    @property
    def database(self) -> Database:
        """A connection of the demo's own to the server's database, for looking."""
        if self._database is None:
            self._database = Database(self.postgres.url(), pool_size=2)
        return self._database

    async def start_postgres(self) -> None:
        """Starts the embedded PostgreSQL."""
        await asyncio.to_thread(self.postgres.start)
        pid_file = self._folder / "data" / "postgres" / "postmaster.pid"
        self._watchdog.watch_postgres(int(pid_file.read_text().split()[0]))

    async def start_broker(self) -> None:
        """Starts the Kafka-compatible broker."""
        await asyncio.to_thread(self.broker.start)
        self._watchdog.watch_group(self.broker.process_id)

    async def start_server(self) -> None:
        """Starts `sync-server serve` and returns when it is ready; it migrates its database first."""
        if self._server is None:
            log = self._folder / "server.log"
            command = [*SYNC_SERVER, "serve"]
            self._server = ChildProcess("server", command, log, self._watchdog, self._environment())
        await self._server.start()
        await until_listening(self.port, READY_PATH, "server", self._server.check, self._clock)

    async def command(self, *words: str) -> str:
        """Runs a command of `sync-server` and gives back what it printed."""
        log = self._folder / "commands.log"
        return await run_command([*SYNC_SERVER, *words], self._environment(), self._watchdog, log)

    async def close(self) -> None:
        """Ends the server, then the broker, then PostgreSQL, which must outlast them."""
        try:
            if self._server is not None:
                await self._server.stop()
        finally:
            if self._database is not None:
                self._database.close()
            await asyncio.to_thread(self.broker.stop)
            await asyncio.to_thread(self.postgres.stop)

    def _environment(self) -> dict[str, str]:
        return {
            "SYNC_SERVER_DATA_DIR": str(self._folder / "data"),
            "SYNC_SERVER_PORT": str(self.port),
            "SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
        }
