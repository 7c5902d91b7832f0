"""The limit of the agent's intake over HTTP: the least door that still keeps its promise.

The same server and protocol as the agent's door, with an application that appends each body to a file and answers once
it is on the disk: one fdatasync for everything that came in one turn of the loop. It reads, checks and numbers nothing.

    python -m benchmarks.minimal_door PORT FILE      # a process of its own, until SIGTERM
"""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from edge_agent.sources.loopback_protocol import protocol_class
from edge_agent.sources.loopback_server import LoopbackServer
from shared.clock import SystemClock

_ANSWER = (
    b'[{"eventId":"01a20529-56a7-771a-8a15-118a5343ff83","sequence":1000,"businessDate":"2026-02-10",'
    b'"duplicate":false}]'
)
"""As long as the agent's answer to one event."""
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_ANSWER)).encode())]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class MinimalDoor:
    """An ASGI application over one file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, whatever it is."""
        del scope
        message = await receive()
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append((message["body"], stored))
        await stored
        await send({"type": "http.response.start", "status": 201, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _ANSWER})

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        os.write(self._file, b"".join([body for body, _ in waiting]))
        os.fdatasync(self._file)
        for _, stored in waiting:
            stored.set_result(None)


def main(port: int, path: Path) -> None:
    """Serves until SIGTERM."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(256)
    config = uvicorn.Config(
        MinimalDoor(path),
        interface="asgi3",
        loop="asyncio",
        http=protocol_class(SystemClock()),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    server = LoopbackServer(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
