"""One process holds a data folder: an operating system lock, gone by itself when the process dies."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from edge_agent.errors import FolderLocked

_LOCKED_BYTE = 1 << 30
"""Windows locks a range that others then cannot read; this byte lies far behind the pid."""


class FolderLock:
    """Held from construction until `release`; a second one on the same file raises FolderLocked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._descriptor)
        except OSError:
            os.close(self._descriptor)
            holder = holder_of(path)
            who = f"process {holder}" if holder else "another process"
            raise FolderLocked(
                f"The data folder {path.parent} is in use by another edge agent ({who}); "
                "stop that one first, or give this one a folder of its own with --data-dir."
            ) from None
        with suppress(OSError):  # a full disk: the lock holds, only the name of its holder is missing
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Gives the folder free; the file stays, since removing it would let two processes in."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder_of(path: Path) -> int | None:
    """The pid written by the last process that took the lock, None when there is none."""
    try:
        return int(path.read_text("ascii").strip() or "0") or None
    except (OSError, ValueError):
        return None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
