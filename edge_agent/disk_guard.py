"""The disk under the data folder: watched before it is full, and never so full that the agent cannot work on.

A file of `reserve_bytes` lies beside the spool. When the disk runs out, tills are refused (nothing is
acknowledged that might not be kept) and the reserve is given free: with it the agent still records what
headquarters acknowledged, prunes, and writes its log. When there is room again the reserve is made anew first,
then the intake opens, by itself.
"""

import errno
import logging
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from edge_agent.alarms import Alarm, AlarmCode
from edge_agent.errors import SpoolError, SpoolFault, SpoolFull
from shared.clock import Clock, instant_text

log = logging.getLogger(__name__)

_MIB = 1_048_576
_ZEROS = bytes(262_144)


class DiskState(StrEnum):
    """How the disk is."""

    ENOUGH = "ENOUGH"
    LOW = "LOW"
    """Below the warning: everything works, somebody should make room."""
    FULL = "FULL"
    """Tills are refused with 507; delivery and pruning go on in the reserve."""
    READ_ONLY = "READ_ONLY"
    """The operating system lets nothing be written; tills are refused with 503."""


class DiskReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What `status` says of the disk; all figures in bytes."""

    state: DiskState
    free_bytes: int
    reserve_bytes: int
    """Of the reserve file as it lies there; 0 when it was given free."""
    warning_bytes: int


def judge_disk(
    free: int, *, read_only: bool, was_full: bool, reserve: int, reserve_held: bool, warning: int
) -> DiskState:
    """Pure: the state of a disk with `free` bytes left.

    Full is called early, while half a reserve is left beside the reserve, and ends late, when the reserve and as
    much again would fit, so that a disk on the edge does not make tills try in vain every few seconds.
    """
    if read_only:
        return DiskState.READ_ONLY
    enough_to_open = reserve if reserve_held else 2 * reserve
    if free < reserve // 2 or (was_full and free < enough_to_open):
        return DiskState.FULL
    return DiskState.LOW if free < warning else DiskState.ENOUGH


class DiskGuard:
    """Watches one folder; `look` is one round, `notice` is for writes that failed in between."""

    def __init__(
        self,
        folder: Path,
        *,
        reserve_bytes: int,
        warning_bytes: int,
        clock: Clock,
        on_change: Callable[[SpoolError | None], None] = lambda _: None,
    ) -> None:
        """`on_change` gets the reason why nothing can be taken, None when intake is open again."""
        self._folder = folder
        self._reserve = folder / "reserve"
        self._reserve_bytes = reserve_bytes
        self._warning_bytes = warning_bytes
        self._clock = clock
        self._on_change = on_change
        self._state = DiskState.ENOUGH
        self._since = instant_text(clock.now())

    def look(self) -> DiskState:
        """Measures, makes or gives free the reserve, opens or closes the intake."""
        free, was_full = self._free(), self.stops_intake
        held = self._held() > 0
        state = judge_disk(
            free,
            read_only=_is_read_only(self._folder, probe=was_full),
            was_full=was_full,
            reserve=self._reserve_bytes,
            reserve_held=held,
            warning=self._warning_bytes,
        )
        if state is DiskState.FULL:
            self._give_free()
        elif state is not DiskState.READ_ONLY and not held and free >= 2 * self._reserve_bytes:
            self._make_reserve()
        self._enter(state)
        return state

    def notice(self, error: SpoolError) -> None:
        """A write failed: for want of space, or since the disk was made read-only. May be called with a turn at
        the desk.
        """
        if _is_read_only(self._folder, probe=True):
            self._enter(DiskState.READ_ONLY)
        elif isinstance(error, SpoolFull):
            self._give_free()
            self._enter(DiskState.FULL)

    @property
    def stops_intake(self) -> bool:
        """Whether tills are refused because of the disk."""
        return self._state in (DiskState.FULL, DiskState.READ_ONLY)

    def report(self) -> DiskReport:
        """The figures now."""
        return DiskReport(
            state=self._state,
            free_bytes=self._free(),
            reserve_bytes=self._held(),
            warning_bytes=self._warning_bytes,
        )

    def alarms(self) -> list[Alarm]:
        """The disk's alarm, if there is one."""
        code = _ALARMS.get(self._state)
        if code is None:
            return []
        return [Alarm(code=code, since=self._since, sentence=self._sentence(self._state))]

    def _enter(self, state: DiskState) -> None:
        if state is self._state:
            return
        before, self._state = self._state, state
        self._since = instant_text(self._clock.now())
        refusal: SpoolError | None = None
        if state is DiskState.FULL:
            refusal = SpoolFull(self._sentence(state))
        elif state is DiskState.READ_ONLY:
            refusal = SpoolFault(self._sentence(state))
        self._on_change(refusal)
        if state is DiskState.ENOUGH:
            log.info(
                "The disk has enough room again (it was %s)", before.value, extra={"action": "disk.enough"}
            )
            return
        level = logging.WARNING if state is DiskState.LOW else logging.ERROR
        log.log(level, "%s", self._sentence(state), extra={"action": f"disk.{state.value.lower()}"})

    def _sentence(self, state: DiskState) -> str:
        free = self._free() / _MIB
        if state is DiskState.LOW:
            return (
                f"The disk under {self._folder} has only {free:.0f} MiB left; "
                "free some space before the agent has to refuse sales."
            )
        if state is DiskState.FULL:
            return (
                f"The disk under {self._folder} is full; new sales are not accepted until it has room again, "
                "what was accepted is safe. Free some space; the agent goes on by itself."
            )
        return (
            f"The disk under {self._folder} is read-only; new sales are not accepted, what was accepted is safe. "
            "Have the disk checked and the PC restarted; the agent goes on by itself."
        )

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0

    def _held(self) -> int:
        try:
            return self._reserve.stat().st_size
        except OSError:
            return 0

    def _make_reserve(self) -> None:
        try:
            with self._reserve.open("wb") as file:
                _allocate(file.fileno(), self._reserve_bytes)
        except OSError as error:
            self._give_free()
            log.debug("No reserve could be made (%s)", error, extra={"action": "disk.no-reserve"})

    def _give_free(self) -> None:
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)


_ALARMS = {
    DiskState.LOW: AlarmCode.DISK_LOW,
    DiskState.FULL: AlarmCode.DISK_FULL,
    DiskState.READ_ONLY: AlarmCode.DISK_READ_ONLY,
}


def _allocate(descriptor: int, size: int) -> None:
    """Takes real blocks: a file with a hole in it would reserve nothing."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    for start in range(0, size, len(_ZEROS)):
        os.write(descriptor, _ZEROS[: size - start])


def _is_read_only(folder: Path, *, probe: bool) -> bool:
    """Whether nothing can be written; a file system that failed may not say so, which a `probe` finds out."""
    try:
        if sys.platform != "win32" and os.statvfs(folder).f_flag & os.ST_RDONLY:
            return True
        if probe:
            trial = folder / "trial"
            trial.touch()
            trial.unlink()
    except OSError as error:
        return error.errno == errno.EROFS
    return False
