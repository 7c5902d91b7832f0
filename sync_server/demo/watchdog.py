"""Ends what the demo left running, even when the demo itself was killed.

A child that reads a pipe from the demo: the pipe ends when the demo does, however it ends, and then whatever
is still on the list is killed. That reaches daemons too, which free themselves of their parent (PostgreSQL).

Run as a program it imports nothing but a few modules of the standard library, so that it starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path


class Watchdog:
    """The demo's end of the pipe."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", str(Path(__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def watch_group(self, pid: int) -> None:
        """Puts a process that leads its own group on the list, and with it whatever it starts."""
        self._say(f"watch {-pid} {int(signal.SIGKILL)}")

    def watch_postgres(self, pid: int) -> None:
        """Puts a PostgreSQL on the list; SIGQUIT makes it end its own processes at once."""
        self._say(f"watch {pid} {int(signal.SIGQUIT)}")

    def forget(self, pid: int) -> None:
        """Takes a process that has ended off the list: its number may be somebody else's soon."""
        self._say(f"forget {pid} 0")

    def close(self) -> None:
        """Ends the watchdog; what is still on its list is killed."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()


def _watch() -> None:
    # Ctrl-C reaches the whole terminal; the watchdog has to be the last to go.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, tuple[int, int]] = {}
    for line in sys.stdin:
        word, target, signal_number = line.split()
        if word == "watch":
            watched[abs(int(target))] = (int(target), int(signal_number))
        else:
            watched.pop(int(target), None)
    for target_and_number in watched.values():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(*target_and_number)


if __name__ == "__main__":
    _watch()
