"""`sync-server serve` as a group of real processes: killed in part, killed whole, stopped, started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_server.embedded.postgres import EmbeddedPostgres
from tests.postgres.test_embedded_postgres import postmaster_of

pytestmark = [pytest.mark.system, pytest.mark.long]

PATIENCE_SECONDS = 90


class Server:
    """One data folder and the server that runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        self._log = (folder / "serve.log").open("a")

    @property
    def process(self) -> subprocess.Popen[str]:
        """The parent of the group."""
        assert self._process is not None
        return self._process

    def start(self, *options: str, environment: dict[str, str] | None = None) -> None:
        """Starts `serve` and returns when it says that it serves."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "sync_server", "serve", "--json", "--data-dir", str(self.folder)]
        self._process = subprocess.Popen(
            [*command, "--port", port, *options],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self.folder / "serve.log").read_text()
        self.url = json.loads(line)["url"]

    def kill(self) -> None:
        """Kills the parent as `kill -9` does."""
        self.process.kill()
        self._forget()

    def stop(self) -> int:
        """Stops the server as systemd does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._forget()

    def close(self) -> None:
        """Ends whatever still runs, PostgreSQL included."""
        if self._process is not None:
            self.stop()
        if (self.folder / "postgres" / "postmaster.pid").exists():
            with EmbeddedPostgres(self.folder):
                pass  # after a `kill -9` nobody let go of the cluster; the last one who does stops it
        self._log.close()

    def command(self, *words: str) -> str:
        """What `sync-server WORD…` prints on the same data folder."""
        return subprocess.run(
            [sys.executable, "-m", "sync_server", *words, "--data-dir", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        ).stdout

    def workers(self) -> list[int]:
        """The processes that serve the API."""
        return sorted(
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _parent_of(entry) == self.process.pid and _spawned(entry)
        )

    def _forget(self) -> int:
        process, self._process = self.process, None
        assert process.stdout is not None
        process.stdout.close()
        return process.wait(PATIENCE_SECONDS)


@pytest.fixture
def server(data_folder: Path) -> Iterator[Server]:
    """A server on a data folder with a migrated PostgreSQL, not yet started."""
    server = Server(data_folder)
    yield server
    server.close()


@pytest.fixture
def first_server(empty_folder: Path) -> Iterator[Server]:
    """A server on an empty data folder, not yet started."""
    server = Server(empty_folder)
    yield server
    server.close()


def _until(what: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def _status(url: str, **options: Any) -> int:
    """The answer's status, 0 for none."""
    try:
        return httpx.get(url, timeout=5, **options).status_code
    except httpx.TransportError:
        return 0


def _parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _spawned(process: Path) -> bool:
    try:
        return b"spawn_main" in (process / "cmdline").read_bytes()
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_server_from_nothing_serves_migrates_and_ends_whole(first_server: Server) -> None:
    server = first_server
    server.start()
    ready = httpx.get(f"{server.url}/health/ready").json()
    assert (ready["status"], ready["schemaVersion"]) == ("READY", ready["schemaNeeded"])
    postgres = postmaster_of(server.folder)
    assert server.stop() == 0
    assert not _is_alive(postgres)


def test_commands_work_while_the_server_runs_and_what_they_do_is_seen(server: Server) -> None:
    server.start()
    server.command("store", "add", "STORE-01", "--location", "L", "--timezone", "UTC")
    server.command("user", "add", "ada", "--role", "viewer")
    token = server.command("token", "issue", "ada").strip()
    answer = httpx.get(f"{server.url}/api/v1/inventory/stores", headers={"Authorization": f"Bearer {token}"})
    assert [store["storeId"] for store in answer.json()["items"]] == ["STORE-01"]
    assert _is_alive(postmaster_of(server.folder)), "a command that ends leaves PostgreSQL to the server"


def test_a_server_that_is_killed_leaves_no_process_on_its_port_and_starts_again(server: Server) -> None:
    server.start()
    server.command("store", "add", "STORE-01", "--location", "L", "--timezone", "UTC")
    workers = server.workers()
    assert workers
    server.kill()
    _until(lambda: not any(_is_alive(worker) for worker in workers))
    assert _status(f"{server.url}/health/live") == 0
    server.start()
    assert _status(f"{server.url}/health/ready") == 200
    assert json.loads(server.command("store", "list", "--json"))["items"][0]["storeId"] == "STORE-01"


def test_a_worker_that_is_killed_is_replaced_while_the_others_serve(server: Server) -> None:
    server.start("--workers", "2", "--only", "api")
    first, second = server.workers()
    os.kill(first, signal.SIGKILL)
    _until(lambda: len(server.workers()) == 2 and first not in server.workers())
    assert second in server.workers()
    assert _status(f"{server.url}/health/live") == 200


def test_a_postgresql_that_is_killed_is_started_again(server: Server) -> None:
    server.start()
    os.kill(postmaster_of(server.folder), signal.SIGKILL)
    _until(lambda: _status(f"{server.url}/health/ready") == 503)
    _until(lambda: _status(f"{server.url}/health/ready") == 200)


def test_metrics_are_those_of_every_worker(server: Server) -> None:
    server.start("--workers", "2")
    for _ in range(20):
        assert _status(f"{server.url}/health/live") == 200
    line = 'sync_server_http_requests_total{method="GET",route="/health/live",status="200"} 20.0'
    for _ in range(5):
        assert line in httpx.get(f"{server.url}/metrics").text


def test_the_relay_runs_beside_the_api_and_a_broker_that_is_away_holds_up_nobody(server: Server) -> None:
    server.start(environment={"SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert _status(f"{server.url}/health/ready") == 200
    _until(lambda: "sync_server_relay_leader 1.0" in httpx.get(f"{server.url}/metrics").text)
    assert len(server.workers()) == 4, "an API process, the scheduler, the relay and the consumer"
    assert server.stop() == 0


def test_a_port_that_is_taken_is_a_sentence(server: Server) -> None:
    server.start()
    port = server.url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "sync_server", "serve", "--port", port, "--data-dir", str(server.folder)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be had" in done.stderr
    assert _status(f"{server.url}/health/ready") == 200
