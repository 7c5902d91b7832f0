"""No process of the demo outlives it, and one that fails says why."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sync_server.demo.child_process import ChildProcess, run_command
from sync_server.demo.errors import DemoFailed
from sync_server.demo.watchdog import Watchdog

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
A_FAMILY = f"""
import asyncio, subprocess, sys
from pathlib import Path
from sync_server.demo.child_process import ChildProcess
from sync_server.demo.watchdog import Watchdog

async def main():
    watchdog = Watchdog()
    # The child has a child of its own, which no death signal of ours reaches.
    inner = "import subprocess, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(600)"
    child = ChildProcess("child", [sys.executable, "-c", inner], Path(sys.argv[1]), watchdog, {{}})
    await child.start()
    print(child._process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: object, seconds: int = 10) -> bool:
    """Whether `condition()` comes true in time."""
    assert callable(condition)
    for _ in range(seconds * 20):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_children_and_their_children_die_with_a_demo_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    demo = subprocess.Popen([sys.executable, "-c", A_FAMILY, str(log)], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    child = int(demo.stdout.readline())
    assert wait_for(lambda: log.exists() and log.read_text().strip())
    grandchild = int(log.read_text())
    assert is_alive(child)
    assert is_alive(grandchild)

    demo.kill()
    demo.wait()
    demo.stdout.close()

    assert wait_for(lambda: not is_alive(child) and not is_alive(grandchild))


def test_the_watchdog_spares_what_has_been_taken_off_its_list() -> None:
    process = subprocess.Popen(SLEEP, start_new_session=True)
    try:
        watchdog = Watchdog()
        watchdog.watch_group(process.pid)
        watchdog.forget(process.pid)
        watchdog.close()
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_process_that_ended_by_itself_is_named_with_its_last_words(tmp_path: Path) -> None:
    async def run() -> None:
        watchdog = Watchdog()
        code = "import sys; print('no port left', file=sys.stderr); sys.exit(3)"
        child = ChildProcess("agent of STORE-1", [sys.executable, "-c", code], tmp_path / "log", watchdog, {})
        try:
            await child.start()
            while child.is_running:
                await asyncio.sleep(0.01)
            with pytest.raises(
                DemoFailed, match=r"agent of STORE-1 ended by itself with code 3.*no port left"
            ):
                child.check()
        finally:
            watchdog.close()

    asyncio.run(run())


def test_a_process_can_be_killed_and_started_again(tmp_path: Path) -> None:
    async def run() -> None:
        watchdog = Watchdog()
        child = ChildProcess("agent", SLEEP, tmp_path / "log", watchdog, {})
        try:
            await child.start()
            await child.kill()
            killed = child.is_running
            await child.start()
            started = child.is_running
            await child.stop()
            assert (killed, started, child.is_running) == (False, True, False)
        finally:
            watchdog.close()

    asyncio.run(run())


def test_a_command_that_fails_is_quoted_without_what_may_be_secret(tmp_path: Path) -> None:
    async def run() -> None:
        watchdog = Watchdog()
        code = "import sys; sys.exit('that store does not exist')"
        try:
            with pytest.raises(DemoFailed, match="that store does not exist"):
                await run_command([sys.executable, "-c", code], {}, watchdog, tmp_path / "log")
        finally:
            watchdog.close()

    asyncio.run(run())


def test_settings_of_the_persons_shell_do_not_reach_the_demos_processes(tmp_path: Path) -> None:
    async def run() -> str:
        watchdog = Watchdog()
        code = (
            "import os; print(sorted(n for n in os.environ if n.startswith(('SYNC_SERVER_', 'EDGE_AGENT_'))))"
        )
        try:
            return await run_command(
                [sys.executable, "-c", code], {"EDGE_AGENT_PORT": "1"}, watchdog, tmp_path / "log"
            )
        finally:
            watchdog.close()

    os.environ["SYNC_SERVER_DATABASE_URL"] = "postgresql://elsewhere"
    try:
        assert asyncio.run(run()).strip() == "['EDGE_AGENT_PORT']"
    finally:
        del os.environ["SYNC_SERVER_DATABASE_URL"]


def test_the_watchdog_ignores_the_terminals_ctrl_c(tmp_path: Path) -> None:
    watchdog = Watchdog()
    process = subprocess.Popen(SLEEP, start_new_session=True)
    watchdog.watch_group(process.pid)
    time.sleep(0.3)
    os.kill(watchdog._process.pid, signal.SIGINT)

    watchdog.close()

    assert process.wait(10) == -signal.SIGKILL
