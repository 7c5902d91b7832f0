"""Waiting for what happens in another process or thread."""

import time
from collections.abc import Callable

from shared.clock import SystemClock


def wait_until(holds: Callable[[], bool], seconds: int = 60) -> None:
    """Returns when `holds()` is true; fails the test when it is not in time."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while not holds():
        assert clock.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.02)
