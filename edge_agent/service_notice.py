"""What systemd is told over its notify socket (sd_notify(3)), with the standard library's sockets alone."""

import logging
import os
import socket
import sys
from collections.abc import Mapping

log = logging.getLogger(__name__)


class SystemdNotice:
    """Speaks to the socket that NOTIFY_SOCKET names; without one it says nothing to nobody."""

    def __init__(self, environment: Mapping[str, str], pid: int | None = None) -> None:
        """WATCHDOG_USEC, where it is meant for this process, sets how often the loops are looked at."""
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.interval = _watchdog_seconds(environment, os.getpid() if pid is None else pid)

    def ready(self, sentence: str) -> None:
        """`Type=notify` waits for this."""
        self._tell(f"READY=1\nSTATUS={sentence}")

    def looked(self, *, turning: bool) -> None:
        """Feeds the watchdog only while everything turns; else systemd ends the process and starts it anew."""
        if turning:
            self._tell("WATCHDOG=1")
        else:
            log.error("A loop has stopped; the watchdog is not fed", extra={"action": "watchdog.starved"})
            self._tell("STATUS=a loop has stopped")

    def stopping(self) -> None:
        """From now on the end is wanted."""
        self._tell("STOPPING=1\nSTATUS=ends; what was accepted is on the disk")

    def _tell(self, message: str) -> None:
        if not self._address or sys.platform == "win32":
            return
        # A leading @ stands for the zero byte of Linux' abstract sockets.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaking:
                speaking.sendto(message.encode(), address)
        except OSError as error:
            log.warning("systemd could not be told (%s)", error, extra={"action": "notice.failed"})


def _watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """Half of what systemd allows; None when it does not watch this process."""
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    microseconds = int(text) if text.isascii() and text.isdigit() else 0
    return microseconds / 2 / 1_000_000 or None
