"""The server as anybody would start it: `sync-server serve` on a database of its own, with N workers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.starting_gate import ROOT
from sync_server.demo.watchdog import Watchdog

STOP_SECONDS = 30


class ServerFailed(Exception):
    """The server did not start."""


@contextmanager
def running_server(
    database_url: str,
    workers: int,
    folder: Path,
    watchdog: Watchdog,
    *,
    port: int = 0,
    settings: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Its port, once it takes requests; it is stopped afterwards. `folder` keeps what it writes.

    `port`: a certain one. `settings`: further ones, as the environment has them.
    """
    folder.mkdir()
    log = folder / "server.log"
    command = [sys.executable, "-m", "sync_server", "serve", "--workers", str(workers), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_SERVER_")}
    environment |= {
        "SYNC_SERVER_DATA_DIR": str(folder / "data"),
        "SYNC_SERVER_DATABASE_URL": database_url,
        **(settings or {}),
    }
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        watchdog.watch_group(process.pid)
        try:
            yield _announced_port(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)
            watchdog.forget(process.pid)
            assert process.stdout is not None
            process.stdout.close()


def _announced_port(process: "subprocess.Popen[str]", log: Path) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://[^:/\s]+:(\d+)", line):
            return int(found[1])
    raise ServerFailed(f"The server ended before it took requests: {log.read_text(errors='replace')[-2000:]}")
