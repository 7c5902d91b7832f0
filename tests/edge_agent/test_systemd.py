"""The agent under systemd: a real notify socket, real signals, the unit file as systemd itself reads it."""

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.agent import Agent
from edge_agent.process_life import is_turning, live
from edge_agent.pulse import Pulse
from edge_agent.service_notice import SystemdNotice
from edge_agent.settings import Settings
from shared.clock import SystemClock
from shared.stop_request import StopRequest
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import ManualClock, sale
from tests.edge_agent.misbehaving_line import MisbehavingLine
from tests.edge_agent.notify_socket import NotifySocket
from tests.project.source_tree import ROOT

pytestmark = pytest.mark.system

UNIT = ROOT / "installers" / "edge_linux" / "tillsync-edge.service"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[NotifySocket]:
    """systemd's end of the socket."""
    with NotifySocket(tmp_path / "notify") as listening:
        yield listening


@pytest.fixture
def watched(tmp_path: Path, line: MisbehavingLine, systemd: NotifySocket) -> Iterator[AgentProcess]:
    """An enrolled agent that systemd watches, not running yet."""
    environment = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "100000"}
    with AgentProcess(tmp_path / "agent", **environment) as made:
        made.enrol(line.url)
        yield made


def test_ready_is_said_when_the_intake_is_open(watched: AgentProcess, systemd: NotifySocket) -> None:
    watched.launch()
    said = systemd.wait_for("READY=1")
    assert said[0] == "READY=1"
    assert watched.sell(sale())[0] == 201  # at once, without another try


def test_the_watchdog_is_fed_while_everything_turns(watched: AgentProcess, systemd: NotifySocket) -> None:
    watched.launch()
    for _ in range(3):
        systemd.wait_for("WATCHDOG=1")


def test_sigterm_is_answered_with_stopping_and_an_end_in_time(
    watched: AgentProcess, systemd: NotifySocket, line: MisbehavingLine
) -> None:
    line.always(status=503, marked=True)
    watched.launch()
    systemd.wait_for("READY=1")
    assert watched.sell(sale(eventId="kept"))[0] == 201
    code, seconds = watched.terminate()
    assert (code, seconds < 5) == (0, True)
    systemd.wait_for("STOPPING=1")
    line.always()
    watched.start()
    watched.until_delivered()
    assert line.held()["events"] == {"1": "kept"}


def test_kill_9_under_systemd_loses_nothing_and_ready_comes_again(
    watched: AgentProcess, systemd: NotifySocket, line: MisbehavingLine
) -> None:
    line.always(status=503, marked=True)
    watched.launch()
    systemd.wait_for("READY=1")
    assert watched.sell(sale(eventId="kept"))[0] == 201
    watched.kill()
    systemd.silence(0.05)
    line.always()
    watched.launch()
    systemd.wait_for("READY=1")
    watched.until_delivered()
    assert line.held()["events"] == {"1": "kept"}


def test_an_agent_that_cannot_start_never_says_that_it_is_ready(
    tmp_path: Path, systemd: NotifySocket
) -> None:
    with AgentProcess(tmp_path / "nobody", NOTIFY_SOCKET=systemd.address) as agent:
        assert agent.command("run").returncode == 1
    assert systemd.silence(0.05) == []


@pytest.fixture
def in_here(watched: AgentProcess) -> Settings:
    """Settings of the enrolled agent, to run it in this process."""
    return Settings(data_dir=watched.data_dir, port=0)


def test_a_stuck_intake_starves_the_watchdog(in_here: Settings) -> None:
    with Agent(in_here, SystemClock()) as agent:
        assert is_turning(agent)
        held, let_go = threading.Event(), threading.Event()

        def hold(_: object) -> None:
            held.set()
            let_go.wait(20)

        holding = threading.Thread(target=agent._desk.ask, args=(hold,))
        holding.start()
        held.wait(5)
        try:
            assert not is_turning(agent, patience=0.3)
        finally:
            let_go.set()
            holding.join()
        assert is_turning(agent)


def test_a_loop_that_ended_starves_the_watchdog(in_here: Settings, systemd: NotifySocket) -> None:
    notice = SystemdNotice({"NOTIFY_SOCKET": systemd.address})
    with Agent(in_here, SystemClock()) as agent:
        agent._delivery.stop(5)
        eventually("its silence shows", lambda: not is_turning(agent))
        notice.looked(turning=is_turning(agent))
    said = systemd.silence(0.05)
    assert said
    assert "WATCHDOG=1" not in said


def test_a_loop_counts_as_stopped_only_after_its_own_time() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.beat("delivery", within=60)
    pulse.beat("schedule", within=10)
    clock.move(10)
    assert pulse.stopped() == []
    clock.move(1)
    assert pulse.stopped() == ["schedule"]
    pulse.beat("schedule", within=10)
    assert pulse.stopped() == []


def test_the_same_life_ends_by_the_event_alone(in_here: Settings, systemd: NotifySocket) -> None:
    stopping = StopRequest()
    notice = SystemdNotice({"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "50000"})
    living = threading.Thread(target=live, args=(in_here, SystemClock(), stopping, notice))
    living.start()
    systemd.wait_for("READY=1")
    stopping.set()
    systemd.wait_for("STOPPING=1")
    living.join(5)
    assert not living.is_alive()


def test_a_watchdog_that_is_meant_for_another_process_is_left_alone() -> None:
    assert SystemdNotice({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "4711"}, pid=4711).interval == 1
    assert SystemdNotice({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "4711"}, pid=4712).interval is None
    assert SystemdNotice({"WATCHDOG_USEC": "2000000"}).interval == 1
    for rubbish in ("", "0", "-5", "soon"):
        assert SystemdNotice({"WATCHDOG_USEC": rubbish}).interval is None


def test_an_abstract_socket_is_spoken_to_and_a_missing_one_stops_nothing() -> None:
    with NotifySocket(f"@tillsync-test-{os.getpid()}") as systemd:
        SystemdNotice({"NOTIFY_SOCKET": systemd.address}).ready("takes sales")
        assert systemd.wait_for("READY=1") == ["READY=1", "STATUS=takes sales"]
    SystemdNotice({"NOTIFY_SOCKET": "/nowhere/at/all"}).stopping()
    SystemdNotice({}).ready("nobody listens")


def test_the_unit_promises_what_the_agent_keeps() -> None:
    lines = UNIT.read_text().splitlines()
    wanted = {
        "Type=notify",
        "NotifyAccess=main",
        "WatchdogSec=120",
        "Restart=always",
        "StartLimitIntervalSec=0",
    }
    assert wanted <= set(lines)
    assert "TimeoutStopSec=10" in lines  # twice the five seconds


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text().replace("/opt/tillsync-edge/bin/edge-agent", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("=tillsync\n", "=root\n"))
    result = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
DENIED = f"""
import ctypes, os, sys
if ctypes.CDLL(None).prctl({PR_SET_MDWE}, {REFUSE_EXEC_GAIN}, 0, 0, 0):
    sys.exit("no such option in this kernel")
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="an option of Linux")
def test_the_agent_works_without_memory_that_is_written_and_run(
    watched: AgentProcess, line: MisbehavingLine
) -> None:
    """MemoryDenyWriteExecute=yes, by the same option of the kernel that systemd uses."""
    if ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel has no PR_SET_MDWE")
    watched.start(prefix=(sys.executable, "-c", DENIED))
    watched.sell(sale(), sale())
    watched.until_delivered()
    assert len(line.held()["events"]) == 2
