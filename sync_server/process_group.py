"""Several processes that run as one: started together, watched, replaced when one dies, ended together.

A child that loses its parent ends at once, however the parent died, so that `kill -9` leaves nothing behind
that holds the port.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for_any
from multiprocessing.context import SpawnProcess
from typing import Any

import structlog

from shared.clock import Clock
from sync_server.errors import CannotRun

LOOK_AGAIN_SECONDS = 2
MAX_FAILED_STARTS = 5
"""A child that dies this often before it was ever ready will not get better by itself."""
LONGEST_PAUSE_SECONDS = 30
READY_WITHIN_SECONDS = 60
_SPAWN = multiprocessing.get_context("spawn")

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """What one child does: `run(ready, *arguments)`, in a fresh interpreter; it calls `ready.set()` once it can."""

    name: str
    run: Callable[..., None]
    arguments: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Child:
    task: Task
    ready: Any = field(default_factory=_SPAWN.Event)
    process: SpawnProcess | None = None
    failed_starts: int = 0
    start_again_at: float = 0  # float: seconds on the monotonic clock


class ProcessGroup:
    """Runs `tasks`, each in a process of its own, until it is told to stop."""

    def __init__(
        self,
        tasks: Sequence[Task],
        clock: Clock,
        *,
        grace_seconds: int,
        look_after: Callable[[], None],
        on_death: Callable[[int], None],
    ) -> None:
        """`look_after` is called every few seconds; `on_death` hears the process id of a child that died."""
        self._children = [_Child(task) for task in tasks]
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._look_after = look_after
        self._on_death = on_death
        self._stopping = False
        self._was_ready = False
        self._wake_reader, self._wake_writer = os.pipe()

    def stop(self, *_: object) -> None:
        """Makes `run` end; safe to call from a signal handler."""
        self._stopping = True
        os.write(self._wake_writer, b"x")

    def run(self, on_ready: Callable[[], None]) -> None:
        """Starts every child, calls `on_ready` when all are, and returns after `stop`.

        Raises CannotRun when a child cannot be started.
        """
        former = {number: signal.signal(number, self.stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            for child in self._children:
                self._start(child)
            self._wait_until_ready()
            if not self._stopping:
                self._was_ready = True
                on_ready()
            while not self._stopping:
                self._wait()
                self._replace_the_dead()
                self._look_after()
        finally:
            self._end_all()
            for number, handler in former.items():
                signal.signal(number, handler)
            os.close(self._wake_reader)
            os.close(self._wake_writer)

    def _start(self, child: _Child) -> None:
        child.ready.clear()
        child.process = _SPAWN.Process(
            target=_run_as_child, args=(child.task, child.ready), name=child.task.name, daemon=True
        )
        child.process.start()

    def _wait_until_ready(self) -> None:
        give_up_at = self._clock.monotonic() + READY_WITHIN_SECONDS
        while not self._stopping and not all(child.ready.is_set() for child in self._children):
            self._replace_the_dead()
            wait_for_any([self._wake_reader], timeout=0.02)
            if self._clock.monotonic() > give_up_at:
                raise CannotRun("The server was not ready within a minute; its log says what it waited for.")

    def _wait(self) -> None:
        """Until a child dies, somebody stops us, or it is time to look around."""
        sentinels = [child.process.sentinel for child in self._children if child.process is not None]
        wait_for_any([self._wake_reader, *sentinels], timeout=LOOK_AGAIN_SECONDS)

    def _replace_the_dead(self) -> None:
        for child in self._children:
            if child.process is not None and child.process.exitcode is not None:
                self._bury(child)
            if (
                child.process is None
                and not self._stopping
                and self._clock.monotonic() >= child.start_again_at
            ):
                self._start(child)

    def _bury(self, child: _Child) -> None:
        process, child.process = child.process, None
        assert process is not None
        assert process.pid is not None
        self._on_death(process.pid)
        if self._stopping:
            return
        child.failed_starts = 1 if child.ready.is_set() else child.failed_starts + 1
        if child.failed_starts > MAX_FAILED_STARTS:
            raise CannotRun(f"The part {child.task.name} dies as soon as it is started; its log says why.")
        # Whoever starts the server waits for its first word; later there is time for what is away to come back.
        pause = min(2 ** (child.failed_starts - 1) - 1, LONGEST_PAUSE_SECONDS) if self._was_ready else 0
        child.start_again_at = self._clock.monotonic() + pause
        log.error(
            "a part of the server died and is started again",
            action="part.died",
            part=child.task.name,
            exit_code=process.exitcode,
            pause_seconds=pause,
        )

    def _end_all(self) -> None:
        processes = [child.process for child in self._children if child.process is not None]
        for process in processes:
            process.terminate()
        give_up_at = self._clock.monotonic() + self._grace_seconds
        for process in processes:
            process.join(max(0, give_up_at - self._clock.monotonic()))
            if process.exitcode is None:
                log.warning(
                    "a part did not end in time and is killed", action="part.killed", part=process.name
                )
                process.kill()
                process.join()


def _run_as_child(task: Task, ready: Any) -> None:
    """A child's life. Ctrl-C reaches the whole group of a terminal: the parent decides what follows."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    task.run(ready, *task.arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for_any([parent.sentinel])
    os._exit(1)
