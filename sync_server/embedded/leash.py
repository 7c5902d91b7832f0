"""Runs a program that dies with its parent: `python leash.py PARENT_PID PROGRAM ARGUMENT…` (Linux).

The kernel sends the death signal, so that not even a `kill -9` of the parent leaves the program behind. It is
set here, in the child and before the program takes over, since code between fork and exec is unsafe in a
process that has threads.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def run_on_leash(parent: int, program: list[str]) -> None:
    """Becomes `program`; ends instead when `parent`, a process id, is gone already."""
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL) != 0:
        sys.exit(f"the death signal of the parent could not be set: {os.strerror(ctypes.get_errno())}")
    if os.getppid() == parent:
        os.execv(program[0], program)  # noqa: S606  # the program and its arguments come from our own parent


if __name__ == "__main__":
    run_on_leash(int(sys.argv[1]), sys.argv[2:])
