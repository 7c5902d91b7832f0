"""The life of the agent's process, the same under systemd, as a Windows service and by hand.

Whoever runs the process is told through a `Notice`: when tills may come, whether the loops really turn, when it ends.
"""

from http.client import HTTPConnection, HTTPException
from typing import Protocol

from edge_agent.agent import Agent
from edge_agent.loopback import LIGHT_PATH, LOOPBACK
from edge_agent.settings import Settings
from shared.clock import Clock
from shared.stop_request import StopRequest

ANSWER_SECONDS = 10.0
"""How long the intake may take to answer its own process before it counts as stuck."""


class Notice(Protocol):
    """Tells whoever runs the process how it goes."""

    interval: float | None
    """Seconds between two looks at the loops; None when nobody wants to know."""

    def ready(self, sentence: str) -> None:
        """The intake is open."""

    def looked(self, *, turning: bool) -> None:
        """The loops were looked at."""

    def stopping(self) -> None:
        """The end has begun."""


def live(settings: Settings, clock: Clock, stopping: StopRequest, notice: Notice) -> None:
    """Runs the agent until `stopping` is set, then ends it within five seconds. Raises EdgeAgentError."""
    with Agent(settings, clock) as agent:
        notice.ready(f"takes the sales of {agent.store_id} on port {agent.port}")
        while not stopping.wait(notice.interval):
            notice.looked(turning=is_turning(agent))
        notice.stopping()


def is_turning(agent: Agent, patience: float = ANSWER_SECONDS) -> bool:
    """Whether every loop does its work: a till's way in is walked down to the spool, the others beat in time."""
    return not agent.pulse.stopped() and _answers(agent.port, patience)


def _answers(port: int, patience: float) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=patience)
    try:
        connection.request("GET", LIGHT_PATH)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
