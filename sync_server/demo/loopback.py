"""Ports of this machine and short questions to the programs that listen on them."""

import asyncio
import http.client
import socket
from collections.abc import Callable

from shared.clock import Clock
from sync_server.demo.errors import DemoFailed

_TIMEOUT_SECONDS = 2


def is_free(port: int) -> bool:
    """Whether a program could listen on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, str, bytes] | None:
    """Status, content type and body of what answers a GET on loopback; None when nobody does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


async def until_listening(
    port: int, path: str, whose: str, check: Callable[[], None], clock: Clock, seconds: int = 60
) -> None:
    """Returns when `path` on `port` is answered below 500; `check` raises when waiting is in vain.

    Raises DemoFailed when nobody has answered within `seconds`.
    """
    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline:
        check()
        answer = await asyncio.to_thread(ask, port, path)
        if answer is not None and answer[0] < 500:
            return
        await asyncio.sleep(0.05)
    raise DemoFailed(f"The {whose} did not answer on port {port} within {seconds} seconds.")
