"""What needs somebody's eye: named by a code, said in one sentence, shown by status, heartbeat and log alike."""

from collections.abc import Callable
from enum import StrEnum

import msgspec


class AlarmCode(StrEnum):
    """Every alarm of the agent; `docs/operating/disk-and-file.md` says what to do about each."""

    DISK_LOW = "DISK_LOW"
    DISK_FULL = "DISK_FULL"
    DISK_READ_ONLY = "DISK_READ_ONLY"
    SPOOL_DAMAGED = "SPOOL_DAMAGED"
    STREAM_RESTARTED = "STREAM_RESTARTED"
    CLOCK_WRONG = "CLOCK_WRONG"

    @property
    def stops_intake(self) -> bool:
        """Whether tills are refused meanwhile."""
        return self in (AlarmCode.DISK_FULL, AlarmCode.DISK_READ_ONLY)


class Alarm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One alarm as it is now."""

    code: AlarmCode
    since: str
    """UTC with `Z`."""
    sentence: str
    """What happened and what to do."""


AlarmSource = Callable[[], list[Alarm]]
"""Gives what is wrong right now; empty when nothing is."""
