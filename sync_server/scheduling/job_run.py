"""One run of a job: every store that has something to do, each in its own transaction, whatever the others do."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.clock import Clock
from sync_server.database import Database
from sync_server.scheduling.job import Job


@dataclass(slots=True)
class JobRun:
    """What became of a run."""

    done: int = 0
    """Things done, over all stores; their transactions are committed."""
    failed: dict[int, Exception] = field(default_factory=dict)
    """By store number: why nothing was done for it."""


def run_job(
    database: Database, job: Job, clock: Clock, may_go_on: Callable[[], bool] = lambda: True
) -> JobRun:
    """Runs `job` once, now; stops between two stores when `may_go_on()` is false.

    Raises what looking for stores raises; what a store's own transaction raises is in the outcome.
    """
    run = JobRun()
    with database.reading() as work:
        stores = list(job.find_stores(work, clock.now()))
    for store_no in stores:
        if not may_go_on():
            break
        try:
            with database.unit_of_work() as work:
                done = job.do_for_store(work, store_no, clock.now())
        except Exception as error:  # noqa: BLE001  # told by whoever runs it; the other stores must not wait
            run.failed[store_no] = error
        else:
            run.done += done
    return run
