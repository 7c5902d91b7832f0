"""Which of the agent's loops still turn: each says at every round by when it will be heard of again.

A watchdog that is fed by a timer proves that a timer runs. This one is fed only while the loops do.
"""

import threading

from shared.clock import Clock


class Pulse:
    """The promises of all loops; may be used from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._due: dict[str, float] = {}

    def beat(self, loop: str, within: float) -> None:
        """`loop` turns, and will beat again within so many seconds (monotonic)."""
        with self._turn:
            self._due[loop] = self._clock.monotonic() + within

    def stopped(self) -> list[str]:
        """The loops that were not heard of in time."""
        now = self._clock.monotonic()
        with self._turn:
            return sorted(loop for loop, due in self._due.items() if now > due)
