"""A group of processes: ready together, replaced one by one, given up when a part cannot live, ended together."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from shared.clock import SystemClock
from sync_server.errors import CannotRun
from sync_server.process_group import ProcessGroup, Task


def live(ready: Any, folder: str) -> None:
    """A part that leaves its process id behind and lives until it is told to end."""
    Path(folder, str(os.getpid())).touch()
    ready.set()
    signal.pause()


def live_on(ready: Any, folder: str) -> None:
    """A part that does not listen when it is told to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    live(ready, folder)
    signal.pause()


def die(ready: Any) -> None:
    """A part that cannot live."""
    raise SystemExit(3)


def _group(*tasks: Task, deaths: list[int] | None = None) -> ProcessGroup:
    noted = deaths if deaths is not None else []
    return ProcessGroup(tasks, SystemClock(), grace_seconds=2, look_after=lambda: None, on_death=noted.append)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _process_ids(folder: Path) -> set[int]:
    return {int(path.name) for path in folder.iterdir()}


def test_every_part_is_ready_before_anybody_hears_of_it_and_all_end_together(tmp_path: Path) -> None:
    group = _group(*[Task("part", live, (str(tmp_path),))] * 2)
    seen: list[set[int]] = []

    def note_and_stop() -> None:
        seen.append(_process_ids(tmp_path))
        group.stop()

    group.run(note_and_stop)
    assert [len(ids) for ids in seen] == [2]
    assert not any(_lives(pid) for pid in seen[0])


def test_a_part_that_dies_is_replaced_and_its_death_noted(tmp_path: Path) -> None:
    deaths: list[int] = []
    group = _group(Task("part", live, (str(tmp_path),)), deaths=deaths)

    def kill_and_wait_for_another() -> None:
        (first,) = _process_ids(tmp_path)
        os.kill(first, signal.SIGKILL)
        while len(_process_ids(tmp_path)) < 2:
            time.sleep(0.02)
        group.stop()

    group.run(lambda: threading.Thread(target=kill_and_wait_for_another).start())
    assert len(deaths) == 1
    assert deaths[0] in _process_ids(tmp_path)


def test_a_part_that_dies_as_soon_as_it_starts_is_given_up() -> None:
    with pytest.raises(CannotRun, match="dies as soon as it is started"):
        _group(Task("part", die)).run(lambda: None)


def test_a_part_that_does_not_end_in_time_is_killed(tmp_path: Path) -> None:
    group = _group(Task("part", live_on, (str(tmp_path),)))
    group.run(group.stop)
    assert not any(_lives(pid) for pid in _process_ids(tmp_path))
