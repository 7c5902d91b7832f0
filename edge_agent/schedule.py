"""What runs when. Delivery has its own loop on the monotonic clock; the rest is APScheduler's, in UTC.

APScheduler reckons by the wall clock, which on a till's PC may stand anywhere and be put right by years. Hence a
trigger that never makes up for the past, and a watch that brings everything forward when the clock has jumped.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from shared.clock import Clock

log = logging.getLogger(__name__)

_LOCAL, _LINE = "local", "line"
"""Two threads: what waits for headquarters never holds up what happens in the store."""


JUMP_SECONDS = 5.0
"""A wall clock that moves by so much beside the monotonic one was set, or the PC has slept."""


class _Pause(BaseTrigger):  # type: ignore[misc]  # APScheduler comes without types
    """So many seconds after now: APScheduler's own interval counts every one that a jump has skipped, in a list."""

    def __init__(self, seconds: float) -> None:
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Called by the scheduler; the end of the calendar is far enough."""
        del previous_fire_time
        return min(now, datetime.max.replace(tzinfo=UTC) - 2 * self._pause) + self._pause


class Schedule:
    """Repeats duties; each at most once at a time, and a missed one is made up once."""

    def __init__(self, clock: Clock, look_seconds: float = 1.0) -> None:
        """Looks every `look_seconds` whether the wall clock has jumped."""
        self._clock = clock
        self._look_seconds = look_seconds
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._watch_clock, name="clock-watch", daemon=True)
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
                if not self._stopped.is_set():  # a duty that is under way at the end finds everything closed
                    log.exception("The %s failed and goes on", action, extra={"action": f"{action}.failed"})

        first = {"next_run_time": self._clock.now()} if at_once else {}
        executor = action if apart else _LOCAL if local else _LINE
        if apart:
            self._scheduler.add_executor(ThreadPoolExecutor(1), action)
        self._scheduler.add_job(careful, _Pause(seconds), id=action, executor=executor, **first)

    def start(self) -> None:
        """Starts repeating."""
        self._scheduler.start()
        self._watch.start()

    def stop(self) -> None:
        """Starts no further duty; one that is under way is not waited for, since a request may last long."""
        self._stopped.set()
        self._scheduler.shutdown(wait=False)

    def _watch_clock(self) -> None:
        """A clock that is set back must not put every duty off until it is where it was."""
        distance = self._wall_beside_monotonic()
        while not self._stopped.wait(self._look_seconds):
            before, distance = distance, self._wall_beside_monotonic()
            if abs(distance - before) > JUMP_SECONDS:
                log.warning(
                    "The clock jumped by %.0f seconds; everything is done now",
                    distance - before,
                    extra={"action": "clock.jumped"},
                )
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=self._clock.now())

    def _wall_beside_monotonic(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()
