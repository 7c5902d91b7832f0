"""`sync-server demo` as a person or a script starts it: real processes, and none of them left afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.free_ports import free_port

pytestmark = pytest.mark.system

SYNC_SERVER = (sys.executable, "-m", "sync_server")
SMALL = ("--stores", "2", "--days", "4", "--seconds", "6", "--no-browser")
"""Some hundred baskets of two stores, with everything that happens to five."""


def processes_of(folder: Path) -> set[int]:
    """Every process that runs and was told of `folder` (command line, environment) or has a file of it open."""
    found = set()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            told += b"".join(os.fsencode(file.readlink()) for file in (process / "fd").iterdir())
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(folder).encode() in told and state != "Z":
            found.add(int(process.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: int) -> bool:
    """Whether `condition()` came true in time."""
    for _ in range(seconds * 10):
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def folder() -> Iterator[Path]:
    """The demo's data folder; whatever a failed test has left running is ended.

    Not below pytest's own folder: each new run of pytest closes that one to PostgreSQL's account.
    """
    folder = Path(tempfile.mkdtemp(prefix="tillsync-demo-test-"))
    yield folder
    for pid in processes_of(folder):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """The demo, in a folder that names its processes."""
    command = [*SYNC_SERVER, "demo", *SMALL, *options, "--data-dir", str(folder), "--port", str(free_port())]
    return subprocess.Popen(  # a background shell ignores SIGINT for its children; a person's does not
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        args=command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def read_until(demo: subprocess.Popen[str], words: str) -> None:
    """Reads what the demo prints until a line has `words` in it."""
    assert demo.stdout is not None
    for line in demo.stdout:
        if words in line:
            return
    pytest.fail(f"the demo ended before it said {words!r}: {demo.stderr.read() if demo.stderr else ''}")


def test_the_demo_proves_the_main_job_unattended_and_leaves_no_process(folder: Path) -> None:
    demo = start(folder, "--once", "--json")
    output, progress = demo.communicate(timeout=220)

    assert demo.returncode == 0, progress
    proof = json.loads(output, parse_float=str)
    assert proof["ok"] is True
    assert [store["storeId"] for store in proof["stores"]] == ["STORE-367", "STORE-406"]
    for store in proof["stores"]:
        assert store["replayed"] > 100
        assert store["replayed"] == store["acknowledged"] == store["posted"] == store["published"]
        assert store["days"] == store["daysProven"] > 0
        assert store["ok"] is True
    assert proof["journalsBalanced"] is True
    assert proof["stockEqualsMovements"] is True
    for happened in ("loses its line", "answers get lost", "its agent is killed", "the server is killed"):
        assert happened in progress
    assert processes_of(folder) == set()


@pytest.mark.long
def test_a_demo_that_is_killed_leaves_no_process(folder: Path) -> None:
    demo = start(folder, "--once")
    read_until(demo, "tills begin to sell")
    assert len(processes_of(folder)) > 5

    demo.kill()
    demo.communicate()

    assert wait_until(lambda: processes_of(folder) == set(), 60)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_told_to_end_ends_everything_and_proves_nothing(
    folder: Path, number: signal.Signals
) -> None:
    demo = start(folder)
    read_until(demo, "tills begin to sell")

    demo.send_signal(number)
    output, _ = demo.communicate(timeout=60)

    assert demo.returncode == 1
    assert "Stopped" in output
    assert processes_of(folder) == set()
