"""systemd's end of the notify socket: a real datagram socket that remembers what it was told, and when."""

import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class NotifySocket:
    """What a service says. Use as a context."""

    def __init__(self, address: Path | str) -> None:
        """A path, or an abstract name that begins with @."""
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.address[1:]}" if self.address.startswith("@") else self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def wait_for(self, message: str, seconds: float = 15.0) -> list[str]:
        """The lines that were said up to and with `message`."""
        heard: list[str] = []
        deadline = time.monotonic() + seconds
        while message not in heard:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                heard += self._socket.recv(4096).decode().split("\n")
            except TimeoutError:
                raise AssertionError(f"{message} was not said in time, but {heard}") from None
        return heard

    def silence(self, seconds: float) -> list[str]:
        """What was said within so many seconds."""
        heard: list[str] = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                heard += self._socket.recv(4096).decode().split("\n")
            except TimeoutError:
                break
        return heard
