"""The agent as a Windows service: what it answers to the service control manager, and when.

The manager itself is behind `ServiceControl`, so that everything decided here runs, and is tested, on any system;
windows_control.py speaks to the real one.
"""

import logging
import threading
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from edge_agent.errors import EdgeAgentError
from edge_agent.process_life import Notice
from shared.stop_request import StopRequest

log = logging.getLogger(__name__)

STOP_MILLISECONDS = 5000
"""How long the end may take."""
LOOK_SECONDS = 20.0
LOOKS_BEFORE_GIVING_UP = 6
"""There is no watchdog: a process that stands still for two minutes ends itself, and the manager starts it anew."""


class State(IntEnum):
    """SERVICE_STATUS.dwCurrentState."""

    STOPPED = 1
    START_PENDING = 2
    STOP_PENDING = 3
    RUNNING = 4


class Control(IntEnum):
    """What the manager asks for; further ones are not accepted."""

    STOP = 1
    INTERROGATE = 4
    SHUTDOWN = 5
    PRESHUTDOWN = 15


ACCEPTED = 0x1 | 0x4 | 0x100
"""SERVICE_ACCEPT_STOP, _SHUTDOWN, _PRESHUTDOWN; the last is asked for while all other services still run."""


class ServiceControl(Protocol):
    """The service control manager, as far as a service speaks to it."""

    def report(self, state: State, accepted: int, wait_milliseconds: int, failure: int) -> None:
        """Sets the service's status; `failure` is 0, or the service's own exit code."""


Life = Callable[[StopRequest, Notice], None]
"""Runs the agent until the event is set, telling the notice; `process_life.live` with its settings."""


class WindowsService:
    """One run of the service; it is also the notice that the agent's life is told to."""

    interval: float | None = LOOK_SECONDS

    def __init__(self, control: ServiceControl, give_up: Callable[[], None]) -> None:
        """`give_up` ends the process at once; what was accepted is on the disk."""
        self._control = control
        self._give_up = give_up
        self._stopping = StopRequest()
        self._turn = threading.Lock()
        self._state: State | None = None
        self._stuck = 0

    def run(self, life: Life) -> int:
        """From the manager's start to its stop; the service's exit code."""
        self._enter(State.START_PENDING, 30_000)
        failure = 0
        try:
            life(self._stopping, self)
        except EdgeAgentError as error:
            log.error("%s", error, extra={"action": "service.failed"})  # noqa: TRY400  # says it all itself
            failure = 1
        except BaseException:
            log.exception("The service failed unexpectedly", extra={"action": "service.failed"})
            failure = 2
        self._enter(State.STOPPED, 0, failure)
        return failure

    def asked(self, control: int) -> bool:
        """Called by the manager, on a thread of its own; returns at once. False: not something we do."""
        if control in (Control.STOP, Control.SHUTDOWN, Control.PRESHUTDOWN):
            self._enter(State.STOP_PENDING, STOP_MILLISECONDS)
            self._stopping.set()
            return True
        return control == Control.INTERROGATE

    def ready(self, sentence: str) -> None:
        """Tills may come."""
        log.info("The service %s", sentence, extra={"action": "service.ready"})
        self._enter(State.RUNNING, 0)

    def looked(self, *, turning: bool) -> None:
        """Ends a process that stands still, so that the manager starts a fresh one."""
        self._stuck = 0 if turning else self._stuck + 1
        if self._stuck >= LOOKS_BEFORE_GIVING_UP:
            log.critical(
                "A loop has stopped; the process ends to be started anew", extra={"action": "service.stuck"}
            )
            self._give_up()

    def stopping(self) -> None:
        """The end has begun."""
        self._enter(State.STOP_PENDING, STOP_MILLISECONDS)

    def _enter(self, state: State, wait_milliseconds: int, failure: int = 0) -> None:
        with self._turn:
            ending = self._state is State.STOP_PENDING and state is not State.STOPPED
            if ending or self._state is State.STOPPED:
                return  # whoever is asked to stop while it starts is not running any more; an end is final
            self._state = state
            accepted = ACCEPTED if state is State.RUNNING else 0
            self._control.report(state, accepted, wait_milliseconds, failure)
