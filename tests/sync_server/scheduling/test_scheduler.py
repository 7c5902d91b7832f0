"""Jobs by the clock: store by store, whatever another store does; by one leader, whoever dies."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from shared.clock import SystemClock
from shared.stop_request import StopRequest
from sync_server.database import Database, Work
from sync_server.jobs import jobs
from sync_server.scheduling.job import Job
from sync_server.scheduling.job_run import run_job
from sync_server.scheduling.scheduler import Scheduler
from sync_server.scheduling.scheduler_metrics import SchedulerMetrics
from sync_server.settings import Settings
from sync_server.stores.findings import FindingCode, list_findings, raise_findings
from tests.builders import build_store
from tests.kafka.waiting import wait_until
from tests.project.promises import document, rows


class Disturbed(Exception):
    """What goes wrong for one store."""


def note(work: Work, store_no: int, now: datetime) -> int:
    """Leaves a trace of having worked on a store."""
    raise_findings(work, store_no, [(FindingCode.NEGATIVE_STOCK, "job")], now=now)
    return 1


def noted(database: Database) -> dict[str, int]:
    """How often each store was worked on, as far as it was committed."""
    with database.reading() as work:
        return {store_id: finding.count for finding, store_id in list_findings(work)}


def job_for(*stores: int, name: str = "note", do: Callable[[Work, int, datetime], int] = note) -> Job:
    """A job that always finds these stores."""
    return Job(name, 0.05, lambda _work, _now: stores, do)


class Schedulers:
    """Schedulers of one database, each in a thread, ended with the test."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.registries: list[CollectorRegistry] = []

    @contextmanager
    def running(self, *job: Job) -> Iterator[StopRequest]:
        """One more scheduler, until the block ends or the request is set."""
        stop, registry = StopRequest(), CollectorRegistry()
        self.registries.append(registry)
        scheduler = Scheduler(self._database, job, SystemClock(), SchedulerMetrics(registry))
        thread = threading.Thread(target=scheduler.run, args=(stop,))
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive()

    def number(self, name: str, index: int = 0, **labels: str) -> float:
        """A metric of one scheduler; 0 while nobody counted."""
        return self.registries[index].get_sample_value(name, labels) or 0


@pytest.fixture
def schedulers(database: Database) -> Schedulers:
    """None yet."""
    return Schedulers(database)


@pytest.fixture
def stores(database: Database) -> list[int]:
    """Three stores' numbers, in the order of STORE-01, STORE-02, STORE-03."""
    return [build_store(database, f"STORE-0{number}") for number in (1, 2, 3)]


def test_a_store_that_fails_rolls_back_alone(database: Database, stores: list[int]) -> None:
    def fail_for_the_second(work: Work, store_no: int, now: datetime) -> int:
        done = note(work, store_no, now)
        if store_no == stores[1]:
            raise Disturbed
        return done

    run = run_job(database, job_for(*stores, do=fail_for_the_second), SystemClock())
    assert (run.done, list(run.failed)) == (2, [stores[1]])
    assert noted(database) == {"STORE-01": 1, "STORE-03": 1}


def test_a_job_that_failed_is_said_once_and_tried_again(
    schedulers: Schedulers, database: Database, stores: list[int]
) -> None:
    tries: list[int] = []

    def fail_thrice(work: Work, store_no: int, now: datetime) -> int:
        tries.append(store_no)
        if len(tries) <= 3:
            raise Disturbed
        return note(work, store_no, now)

    with capture_logs() as log, schedulers.running(job_for(stores[0], do=fail_thrice)):
        wait_until(lambda: noted(database) != {})
    assert [line["job"] for line in log if line["action"] == "job.failed"] == ["note"]
    assert schedulers.number("sync_server_job_runs_total", job="note", outcome="failed") == 3
    assert schedulers.number("sync_server_job_done_total", job="note") >= 1
    assert schedulers.number("sync_server_job_last_success_timestamp_seconds", job="note") > 0


def test_a_job_that_cannot_even_look_for_stores_holds_up_no_other(
    schedulers: Schedulers, database: Database, stores: list[int]
) -> None:
    def broken(_work: Work, _now: datetime) -> list[int]:
        raise Disturbed

    with schedulers.running(Job("broken", 0.05, broken, note), job_for(stores[0])):
        wait_until(lambda: noted(database).get("STORE-01", 0) > 2)
    assert schedulers.number("sync_server_job_runs_total", job="broken", outcome="failed") > 0


def test_one_of_two_schedulers_leads_and_the_other_takes_over(
    schedulers: Schedulers, database: Database, stores: list[int]
) -> None:
    def leads(index: int) -> bool:
        return schedulers.number("sync_server_scheduler_leader", index) == 1

    first, second = job_for(stores[0], name="first"), job_for(stores[1], name="second")
    with schedulers.running(first) as stop:
        wait_until(lambda: leads(0))
        with schedulers.running(second):
            wait_until(lambda: noted(database).get("STORE-01", 0) > 2)
            assert "STORE-02" not in noted(database)
            stop.set()
            wait_until(lambda: leads(1))
            wait_until(lambda: "STORE-02" in noted(database))


def test_a_leader_whose_connection_ends_stands_back(
    schedulers: Schedulers, database: Database, stores: list[int]
) -> None:
    with schedulers.running(job_for(stores[0])):
        wait_until(lambda: "STORE-01" in noted(database))
        with database.reading() as work:
            work.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
        with capture_logs() as log:
            wait_until(lambda: any(line["action"] == "scheduler.stopped" for line in log))
            before = noted(database)["STORE-01"]
            wait_until(lambda: noted(database)["STORE-01"] > before)


def test_a_store_that_is_being_worked_on_is_finished_when_told_to_stop(
    schedulers: Schedulers, database: Database, stores: list[int]
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(work: Work, store_no: int, now: datetime) -> int:
        begun.set()
        assert go_on.wait(60)
        return note(work, store_no, now)

    with schedulers.running(job_for(*stores, do=slowly)) as stop:
        assert begun.wait(60)
        stop.set()
        go_on.set()
    assert noted(database) == {"STORE-01": 1}


def test_every_job_is_in_the_document_with_its_interval(tmp_path: Path) -> None:
    offered = {job.name: f"{job.every_seconds:g} s" for job in jobs(Settings(data_dir=tmp_path))}
    documented = {name: rest.split("|")[0].strip() for name, rest in rows(document("jobs.md")).items()}
    assert offered == documented
