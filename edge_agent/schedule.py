"""What runs when. Delivery has its own loop on the monotonic clock; the rest is APScheduler's, in UTC."""

import logging
from collections.abc import Callable
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from shared.clock import Clock

log = logging.getLogger(__name__)

_LOCAL, _LINE = "local", "line"
"""Two threads: what waits for headquarters never holds up what happens in the store."""


class Schedule:
    """Repeats duties; each at most once at a time, and a missed one is made up once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stopping = False
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={_LOCAL: ThreadPoolExecutor(1), _LINE: ThreadPoolExecutor(1)},
            # A PC that slept for nine hours owes one heartbeat, not five hundred, and owes it now.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def every(
        self,
        seconds: float,
        action: str,
        duty: Callable[[], object],
        *,
        at_once: bool = False,
        local: bool = False,
        apart: bool = False,
    ) -> None:
        """Runs `duty` every so many seconds; what it raises is logged and it goes on.

        `at_once` runs it first when the schedule starts; `local` duties never wait for headquarters. One that
        may wait for somebody else's machine runs `apart`, on a thread of its own.
        """

        def careful() -> None:
            try:
                duty()
            except Exception:
                if not self._stopping:  # a duty that is under way at the end finds everything closed
                    log.exception("The %s failed and goes on", action, extra={"action": f"{action}.failed"})

        first = {"next_run_time": self._clock.now()} if at_once else {}
        executor = action if apart else _LOCAL if local else _LINE
        if apart:
            self._scheduler.add_executor(ThreadPoolExecutor(1), action)
        self._scheduler.add_job(careful, "interval", seconds=seconds, id=action, executor=executor, **first)

    def start(self) -> None:
        """Starts repeating."""
        self._scheduler.start()

    def stop(self) -> None:
        """Starts no further duty; one that is under way is not waited for, since a request may last long."""
        self._stopping = True
        self._scheduler.shutdown(wait=False)
