"""What `serve` runs: API processes on one port, scheduler, relay, consumer; each may run apart on its own machine."""

import gc
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, multiprocess

from shared.clock import Clock, SystemClock
from shared.stop_request import StopRequest
from shared.zone_data import use_own_zone_data
from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import CannotRun, EmbeddedPostgresFailed
from sync_server.kafka_access import cluster_of
from sync_server.logs import configure_logs
from sync_server.metrics import MULTIPROCESS_VARIABLE
from sync_server.process_group import ProcessGroup, Task
from sync_server.settings import Part, Settings

BACKLOG = 2048
"""Connections that wait in the kernel while every process is busy."""
PORT_WAIT_SECONDS = 5
"""A server that was killed lets go of its port within moments; one that runs does not."""

log = structlog.stdlib.get_logger(__name__)


def serve_until_stopped(
    settings: Settings,
    database_url: str,
    parts: frozenset[Part],
    embedded: EmbeddedPostgres | None,
    clock: Clock,
    announce: Callable[[str], None],
) -> None:
    """Runs `parts` until SIGTERM or Ctrl-C; `announce` hears the address once requests are served.

    Watches over the embedded PostgreSQL meanwhile. Raises CannotRun.
    """
    _collect_metrics_in(settings.data_dir / "metrics")
    tasks: list[Task] = []
    url = "no port"
    if Part.API in parts:
        listener = _listen(settings, clock)
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        tasks += [Task("api", run_api, (settings, database_url, listener))] * settings.workers
    if Part.SCHEDULER in parts:
        tasks.append(Task("scheduler", run_scheduler, (settings, database_url)))
    if settings.kafka_bootstrap_servers is not None:
        cluster_of(settings)  # what cannot be used is said here, once, and not by a part that dies
    if Part.RELAY in parts and settings.kafka_bootstrap_servers is not None:
        tasks.append(Task("relay", run_relay, (settings, database_url)))
    if Part.CONSUMER in parts and settings.kafka_bootstrap_servers is not None:
        tasks.append(Task("consumer", run_consumer, (settings, database_url)))
    if not tasks:
        raise CannotRun("There is nothing to do: name Kafka in SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS.")
    group = ProcessGroup(
        tasks,
        clock,
        grace_seconds=settings.shutdown_grace_seconds + 5,
        look_after=lambda: _look_after(embedded),
        on_death=multiprocess.mark_process_dead,
    )
    group.run(lambda: announce(url))


def run_api(ready: Any, settings: Settings, database_url: str, listener: socket.socket) -> None:
    """One API process; ends gracefully on SIGTERM."""
    # The web framework takes half a second to load: only the processes that serve do, not the one that watches
    # over them, so that they start as much sooner.
    from sync_server.api_process import serve_api

    _prepare_process(settings)
    serve_api(ready, settings, database_url, listener)


def run_relay(ready: Any, settings: Settings, database_url: str) -> None:
    """One relay process; ends after the page at hand on SIGTERM."""
    # The Kafka client is loaded where it is used, as the web framework is.
    from sync_server.publishing.relay import Relay
    from sync_server.publishing.relay_metrics import RelayMetrics

    _prepare_process(settings)
    stop = StopRequest()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    database = Database(database_url, pool_size=2)
    # What was loaded at start is not searched for garbage again: that would take a third of the relay's time.
    gc.freeze()
    ready.set()
    try:
        Relay(database, cluster_of(settings), SystemClock(), RelayMetrics(CollectorRegistry())).run(stop)
    finally:
        database.close()


def run_consumer(ready: Any, settings: Settings, database_url: str) -> None:
    """One member of the consumer group; on SIGTERM it finishes the store at hand and hands its partitions over."""
    # The Kafka client is loaded where it is used, as the web framework is.
    from sync_server.consuming.consumer import PosConsumer
    from sync_server.consuming.consumer_metrics import ConsumerMetrics

    _prepare_process(settings)
    stop = StopRequest()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    database = Database(database_url, pool_size=1)
    consumer = PosConsumer(
        database,
        cluster_of(settings),
        (settings.kafka_topic_sales, settings.kafka_topic_returns, settings.kafka_topic_transfers),
        SystemClock(),
        ConsumerMetrics(CollectorRegistry()),
        group_id=settings.kafka_group_id,
        session_timeout_seconds=settings.kafka_session_timeout_seconds,
    )
    ready.set()
    try:
        consumer.run(stop)
    finally:
        database.close()


def run_scheduler(ready: Any, settings: Settings, database_url: str) -> None:
    """One scheduler process; ends on SIGTERM when the stores that are being worked on are done."""
    # The rooms and APScheduler are loaded where they are used, as the web framework is.
    from sync_server.jobs import jobs
    from sync_server.scheduling.scheduler import THREADS, Scheduler
    from sync_server.scheduling.scheduler_metrics import SchedulerMetrics

    _prepare_process(settings)
    stop = StopRequest()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    database = Database(database_url, pool_size=THREADS)
    ready.set()
    try:
        metrics = SchedulerMetrics(CollectorRegistry())
        Scheduler(database, jobs(settings), SystemClock(), metrics).run(stop)
    finally:
        database.close()


def _prepare_process(settings: Settings) -> None:
    use_own_zone_data()
    configure_logs(settings.log_format, settings.log_level)


def _listen(settings: Settings, clock: Clock) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    give_up_at = clock.monotonic() + PORT_WAIT_SECONDS
    while True:
        # asyncio switches Nagle's algorithm off only where the protocol is spelled out.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            listener.close()
            if clock.monotonic() > give_up_at:
                raise CannotRun(
                    f"Port {settings.port} on {settings.host} cannot be had ({error.strerror}). Stop whoever "
                    "has it, or choose another with --port."
                ) from error
            time.sleep(0.1)
        else:
            listener.listen(BACKLOG)
            return listener


def _collect_metrics_in(folder: Path) -> None:
    """Where the processes keep their numbers; those of an earlier run would be counted again."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[MULTIPROCESS_VARIABLE] = str(folder)


def _look_after(embedded: EmbeddedPostgres | None) -> None:
    """Without PostgreSQL requests are answered 503 and agents keep what they have: a reason to try again."""
    if embedded is None:
        return
    try:
        if embedded.ensure_running():
            log.error("the embedded PostgreSQL had died and was started again", action="postgres.restarted")
    except EmbeddedPostgresFailed as error:
        log.error(str(error), action="postgres.failed")  # noqa: TRY400  # the sentence says it all
