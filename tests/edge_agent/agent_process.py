"""A real agent as a real process, and the till's and operator's side of talking to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.free_ports import free_port

QUICK = {
    "EDGE_AGENT_RETRY_FIRST": "0.02",
    "EDGE_AGENT_RETRY_CAP": "0.1",
    "EDGE_AGENT_HEARTBEAT_INTERVAL": "0.3",
    "EDGE_AGENT_DAY_CLOSE_INTERVAL": "0.3",
    "EDGE_AGENT_FILE_DROP_INTERVAL": "0.1",
    "EDGE_AGENT_FILE_DROP_SETTLE": "0.2",
}
"""Nobody waits a minute in a test."""


def eventually(what: str, holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits until `holds()` is true; fails with `what` when it is not in time, even on a machine that is busy."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)


class AgentProcess:
    """One data folder and the agent on it. Use as a context: leaving kills what still runs."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("EDGE_AGENT_")},
            **QUICK,
            "EDGE_AGENT_DATA_DIR": str(data_dir),
            "EDGE_AGENT_PORT": str(self.port),
            **environment,
        }
        self._process: subprocess.Popen[str] | None = None
        self._log = data_dir.with_name(f"{data_dir.name}.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of `edge-agent` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "edge_agent", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def enrol(self, url: str) -> None:
        """Enrols with any code; the misbehaving line takes all."""
        result = self.command("enrol", url, "CODE-1")
        assert result.returncode == 0, result.stderr

    def start(
        self, prefix: tuple[str, ...] = (), answers_with: int = 200, log_file: Path | None = None
    ) -> None:
        """Starts the agent and returns when its status answers so; `prefix` wraps the command (limits)."""
        self.launch(prefix, log_file)
        eventually(f"the agent answers, see {self._log}", lambda: self._answers(answers_with))

    def launch(self, prefix: tuple[str, ...] = (), log_file: Path | None = None) -> None:
        """Starts the agent and does not wait for it."""
        with (log_file or self._log).open("a") as log:
            self._process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "edge_agent", "run"],
                env=self._environment,
                stdout=log,
                stderr=log,
                text=True,
            )

    def _answers(self, expected: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            return self.request("GET", "/v1/status")[0] == expected
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Any signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; the exit code and the seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=60)
        return code, time.monotonic() - began

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Everything that it has logged."""
        return self._log.read_text()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request as a till makes it: status and decoded answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def sell(self, *events: dict[str, Any], query: str = "") -> tuple[int, Any]:
        """Hands over events as a till does."""
        document = events[0] if len(events) == 1 else list(events)
        return self.request("POST", f"/v1/events{query}", json.dumps(document).encode())

    def status(self) -> dict[str, Any]:
        """What the agent says of itself."""
        status, answer = self.request("GET", "/v1/status")
        assert status == 200, answer
        report: dict[str, Any] = answer
        return report

    def until_delivered(self) -> None:
        """Waits until nothing is left to deliver."""
        eventually("the backlog is delivered", lambda: self.status()["backlog"]["events"] == 0)
