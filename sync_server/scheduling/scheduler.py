"""Runs jobs at their times in the one process that leads; any number of others stand by.

APScheduler reckons by the wall clock. Hence a trigger that never makes up for the past, and a look once a second
that brings everything forward when that clock has jumped.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from shared.clock import Clock
from shared.stop_request import StopRequest
from sync_server.database import Database
from sync_server.errors import SyncServerError, Unavailable
from sync_server.leadership import Duty, Leadership
from sync_server.scheduling.job import Job
from sync_server.scheduling.job_run import JobRun, run_job
from sync_server.scheduling.scheduler_metrics import SchedulerMetrics

LOOK_SECONDS: Final = 1
"""Between two looks at who leads."""
THREADS: Final = 4
"""Jobs that run at once: a long one does not hold up the short ones."""
JUMP_SECONDS: Final = 5
"""A wall clock that moves by so much beside the monotonic one was set, or the machine has slept."""


class _Pause(BaseTrigger):  # type: ignore[misc]  # APScheduler comes without types
    """So many seconds after now, whatever was missed."""

    def __init__(self, seconds: float) -> None:  # float: seconds
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Called by the scheduler."""
        del previous_fire_time
        return now + self._pause


class Scheduler:
    """Runs `jobs` on one database, each at most once at a time."""

    def __init__(
        self, database: Database, jobs: Iterable[Job], clock: Clock, metrics: SchedulerMetrics
    ) -> None:
        self._database = database
        self._jobs = list(jobs)
        self._clock = clock
        self._metrics = metrics
        self._leadership = Leadership(database, Duty.SCHEDULER)
        self._log: Any = structlog.get_logger(__name__)
        self._leads = False
        self._stop = StopRequest()
        self._failing: set[tuple[str, int]] = set()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(THREADS)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def run(self, stop: StopRequest) -> None:
        """Runs jobs, or stands by, until `stop` is set; the stores that are being worked on are finished then."""
        self._stop = stop
        self._look_who_leads()
        for job in self._jobs:
            self._scheduler.add_job(
                self._run_and_tell,
                _Pause(job.every_seconds),
                args=[job],
                id=job.name,
                next_run_time=self._clock.now(),
            )
        self._scheduler.start()
        try:
            distance = self._wall_beside_monotonic()
            while not stop.wait(LOOK_SECONDS):
                self._look_who_leads()
                before, distance = distance, self._wall_beside_monotonic()
                if abs(distance - before) > JUMP_SECONDS:
                    self._bring_forward()
        finally:
            self._scheduler.shutdown(wait=True)
            self._leadership.resign()
            self._metrics.leads.set(0)

    def _look_who_leads(self) -> None:
        led = self._leads
        try:
            self._leads = self._leadership.is_held()
        except Unavailable as error:
            self._leads = False
            if led:
                self._log.warning(f"No job runs: {error}", action="scheduler.stopped")
        self._metrics.leads.set(self._leads)
        if self._leads and not led:
            self._log.info("This process runs the scheduled jobs.", action="scheduler.leads")
            self._bring_forward()

    def _bring_forward(self) -> None:
        """Everything is due now: whoever led before, or the clock, has let it wait."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=self._clock.now())

    def _wall_beside_monotonic(self) -> float:  # float: seconds
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _may_go_on(self) -> bool:
        return self._leads and not self._stop.is_set()

    def _run_and_tell(self, job: Job) -> None:
        """One run of a job; nothing that goes wrong in it ends the scheduler."""
        if not self._may_go_on():
            return
        begun = self._clock.monotonic()
        try:
            run = run_job(self._database, job, self._clock, self._may_go_on)
        except Exception as error:  # noqa: BLE001  # logged below, with its place
            run = JobRun(failed={0: error})
        self._metrics.seconds.labels(job.name).observe(self._clock.monotonic() - begun)
        self._metrics.done.labels(job.name).inc(run.done)
        self._metrics.runs.labels(job.name, "failed" if run.failed else "done").inc()
        if not run.failed:
            self._metrics.succeeded_at.labels(job.name).set(self._clock.now().timestamp())
        self._tell(job, run)

    def _tell(self, job: Job, run: JobRun) -> None:
        """Says what was done, and of a store that fails once that it does."""
        if run.done:
            self._log.info(
                f"The job {job.name} did {run.done} things.", action="job.done", job=job.name, done=run.done
            )
        failing = {(job.name, store_no) for store_no in run.failed}
        for store_no, error in run.failed.items():
            if (job.name, store_no) in self._failing:
                continue
            foreseen = isinstance(error, SyncServerError)
            self._log.error(
                f"The job {job.name} failed and is tried again: {error}",
                action="job.failed",
                job=job.name,
                store_no=store_no,
                exc_info=None if foreseen else error,
            )
        self._failing = {place for place in self._failing if place[0] != job.name} | failing
