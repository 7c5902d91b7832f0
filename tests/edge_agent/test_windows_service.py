"""The Windows service's logic, on any system: a real agent, and the service control manager played by the test."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.errors import NotEnrolled
from edge_agent.process_life import Notice, live
from edge_agent.settings import Settings
from edge_agent.windows_service import ACCEPTED, LOOKS_BEFORE_GIVING_UP, Control, State, WindowsService
from shared.clock import SystemClock
from shared.stop_request import StopRequest
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.loopback_till import LoopbackTill
from tests.edge_agent.misbehaving_line import MisbehavingLine
from tests.free_ports import free_port

pytestmark = pytest.mark.system


class Windows:
    """The service control manager: starts a service, asks it for things, remembers every status it reported."""

    def __init__(self) -> None:
        self.reports: list[tuple[State, int, int, int]] = []
        self.given_up = threading.Event()
        self.service = WindowsService(self, self.given_up.set)

    def report(self, state: State, accepted: int, wait_milliseconds: int, failure: int) -> None:
        """What the service says of itself."""
        self.reports.append((state, accepted, wait_milliseconds, failure))

    @property
    def states(self) -> list[State]:
        """The states it went through."""
        return [report[0] for report in self.reports]

    def until(self, state: State) -> None:
        """Waits for a state."""
        eventually(f"the service is {state.name}", lambda: state in self.states)


class Running:
    """A service on a thread, as the manager runs it."""

    def __init__(self, settings: Settings) -> None:
        self.manager = Windows()
        self.settings = settings
        self.ended: float | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        def life(stopping: StopRequest, notice: Notice) -> None:
            live(self.settings, SystemClock(), stopping, notice)

        self.manager.service.run(life)
        self.ended = time.monotonic()

    def __enter__(self) -> "Running":
        self._thread.start()
        self.manager.until(State.RUNNING)
        return self

    def __exit__(self, *_: object) -> None:
        self.manager.service.asked(Control.STOP)
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def settings(tmp_path: Path, line: MisbehavingLine) -> Iterator[Settings]:
    """Of an enrolled agent."""
    with AgentProcess(tmp_path / "agent") as agent:
        agent.enrol(line.url)
        yield Settings(data_dir=agent.data_dir, port=free_port(), retry_first=0.02, retry_cap=0.1)


@pytest.mark.parametrize("control", [Control.STOP, Control.SHUTDOWN, Control.PRESHUTDOWN])
def test_every_end_takes_less_than_five_seconds_and_loses_nothing(
    settings: Settings, line: MisbehavingLine, control: Control
) -> None:
    line.always(status=503, marked=True)
    with Running(settings) as running:
        assert LoopbackTill(settings.port).post(sale(eventId="kept"))[0] == 201
        began = time.monotonic()
        assert running.manager.service.asked(control)
        assert time.monotonic() - began < 0.2  # the manager's own thread is not held up
        running.manager.until(State.STOPPED)
        eventually("the run returns", lambda: running.ended)
        assert (running.ended or 0) - began < 5
    assert running.manager.reports[-1] == (State.STOPPED, 0, 0, 0)
    line.always()
    with Running(settings):
        eventually("it is delivered", lambda: line.held()["events"] == {"1": "kept"})


def test_running_is_reported_when_the_intake_is_open_and_only_then_is_stop_accepted(
    settings: Settings,
) -> None:
    with Running(settings) as running:
        assert LoopbackTill(settings.port).post(sale())[0] == 201
    assert running.manager.states[:2] == [State.START_PENDING, State.RUNNING]
    accepted = {state: accepted for state, accepted, _, _ in running.manager.reports}
    assert accepted == {
        State.START_PENDING: 0, State.RUNNING: ACCEPTED, State.STOP_PENDING: 0, State.STOPPED: 0,
    }  # fmt: skip
    assert ACCEPTED == 0x105


def test_asked_twice_it_stops_once(settings: Settings) -> None:
    with Running(settings) as running:
        running.manager.service.asked(Control.PRESHUTDOWN)
        running.manager.service.asked(Control.SHUTDOWN)
        running.manager.until(State.STOPPED)
    assert running.manager.states.count(State.STOP_PENDING) == 1
    assert running.manager.states.count(State.STOPPED) == 1


def test_a_stop_while_it_starts_is_obeyed_and_never_called_running(settings: Settings) -> None:
    manager = Windows()

    def life(stopping: StopRequest, notice: Notice) -> None:
        manager.service.asked(Control.STOP)
        live(settings, SystemClock(), stopping, notice)

    assert manager.service.run(life) == 0
    assert manager.states == [State.START_PENDING, State.STOP_PENDING, State.STOPPED]


def test_what_is_not_offered_is_refused() -> None:
    service = Windows().service
    assert service.asked(Control.INTERROGATE)
    assert not service.asked(2)  # pause
    assert not service.asked(128)


@pytest.mark.parametrize(("error", "failure"), [(NotEnrolled("no store"), 1), (RuntimeError("a fault"), 2)])
def test_a_failure_is_reported_so_that_windows_starts_it_anew(error: Exception, failure: int) -> None:
    def life(stopping: StopRequest, notice: Notice) -> None:
        raise error

    manager = Windows()
    assert manager.service.run(life) == failure
    assert manager.reports[-1] == (State.STOPPED, 0, 0, failure)


def test_a_process_that_stands_still_ends_itself_and_one_that_stumbles_does_not() -> None:
    manager = Windows()
    for _ in range(LOOKS_BEFORE_GIVING_UP - 1):
        manager.service.looked(turning=False)
    manager.service.looked(turning=True)
    for _ in range(LOOKS_BEFORE_GIVING_UP - 1):
        manager.service.looked(turning=False)
    assert not manager.given_up.is_set()
    manager.service.looked(turning=False)
    assert manager.given_up.is_set()


@pytest.mark.skipif(sys.platform == "win32", reason="there it would wait for the manager")
def test_elsewhere_it_says_what_to_run_instead(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "edge_agent.windows_main"], capture_output=True, text=True, timeout=30
    )
    assert result.returncode == 1
    assert "run `edge-agent run` here" in result.stderr
    assert len(result.stderr.splitlines()) == 1
