"""A real file system of a few MiB that a test may fill to the last byte, or make read-only under the agent.

It is mounted for the test: a tmpfs, or an ext4 on a loop device where a disk has to fail the way real ones do. That
takes root, so elsewhere these tests are skipped and say so; the file size limit of
`test_a_full_disk_is_answered_with_507_and_nothing_acknowledged_is_lost` holds the core of it everywhere.
"""

import errno
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest


class SmallDisk:
    """A mounted file system; `folder` is its root. Use as a context: leaving unmounts it."""

    def __init__(
        self, folder: Path, mebibytes: int, *, kind: str = "tmpfs", after_power_cut: "SmallDisk | None" = None
    ) -> None:
        """`after_power_cut` is an ext4 that lost power just now: this one begins with what had reached it."""
        self._cut = after_power_cut
        self.folder = folder / "small"
        self._image = folder / "small.img"
        self._mebibytes = mebibytes
        self._kind = kind

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        if os.name != "posix" or os.geteuid() != 0:
            pytest.skip(f"mounting a small {self._kind} takes root")
        if self._kind == "tmpfs":
            mounting = ["mount", "-t", "tmpfs", "-o", f"size={self._mebibytes}m", "tmpfs", str(self.folder)]
        else:
            if self._cut is not None:
                # What the file system has only in memory is not in the file below it: so a PC finds its disk
                # when the plug was pulled.
                shutil.copyfile(self._cut._image, self._image)
            else:
                with self._image.open("wb") as image:
                    image.truncate(self._mebibytes << 20)
                subprocess.run(["mkfs.ext4", "-q", "-m", "0", self._image], check=True)
            mounting = ["mount", "-o", "loop", str(self._image), str(self.folder)]
        mounted = subprocess.run(mounting, capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"no {self._kind} can be mounted here: {mounted.stderr.strip()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self._image.unlink(missing_ok=True)

    def fill(self, *, leave: int = 0) -> None:
        """Somebody else's file takes all but `leave` bytes, at once: what the agent then gives free is its own."""
        with (self.folder / "ballast").open("ab") as ballast:
            for attempts_left in reversed(range(100)):
                try:
                    os.posix_fallocate(ballast.fileno(), 0, self.free - leave)
                except OSError as error:
                    # The agent wrote something since it was asked how much is free.
                    if error.errno != errno.ENOSPC or not attempts_left:
                        raise
                else:
                    return

    def make_room(self) -> None:
        """Somebody deletes that file."""
        (self.folder / "ballast").unlink()

    def fail(self) -> None:
        """The file system gives up as it does after an error of the drive: read-only from now on."""
        subprocess.run(["mount", "-o", "remount,abort", self.folder], check=True, capture_output=True)

    @property
    def free(self) -> int:
        """Bytes left."""
        figures = os.statvfs(self.folder)
        return figures.f_bavail * figures.f_frsize
