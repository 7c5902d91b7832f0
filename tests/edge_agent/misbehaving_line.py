"""The test's hold on `line_process.py`: starts it, tells it how to behave, asks what it received."""

import json
import ssl
import subprocess
import sys
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class MisbehavingLine:
    """A running headquarters that does as it is told. Use as a context."""

    def __init__(self, port: int = 0, tls: tuple[Path, Path] | None = None) -> None:
        """`tls`: the files of a certificate and its key; without them it speaks plain HTTP."""
        self._tls = tls is not None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.edge_agent.line_process", str(port), *map(str, tls or ())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def next_batches(self, *behaviours: dict[str, Any]) -> None:
        """What the next requests with batches meet, one each; afterwards the server behaves."""
        self._ask("POST", {"behaviours": list(behaviours)})

    def always(self, **behaviour: Any) -> None:
        """What every request meets from now on; nothing given: the server behaves."""
        self._ask("POST", {"standing": behaviour})

    def set(self, **values: Any) -> None:
        """Sets what the server holds: `poison` (item ids it refuses), `names_poison`, `events`, `credential`."""
        self._ask("POST", values)

    def held(self) -> dict[str, Any]:
        """What the server holds: posted, attempts, events by sequence, heartbeats, digests, undeliverable."""
        return self._ask("GET", None)

    def _ask(self, method: str, document: Any) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        if self._tls:
            trusting = ssl._create_unverified_context()
            connection = HTTPSConnection("127.0.0.1", self.port, timeout=60, context=trusting)
        try:
            connection.request(method, "/control", None if document is None else json.dumps(document))
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()
