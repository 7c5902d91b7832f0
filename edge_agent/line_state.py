"""What the agent knows of its line to headquarters: written by whoever tried it, read by status."""

import threading
from datetime import datetime

import msgspec

from edge_agent.retry_policy import TryLater
from shared.clock import Clock


class LineReport(msgspec.Struct, frozen=True, kw_only=True):
    """The line as last seen."""

    online: bool
    last_success: datetime | None
    trouble: str | None
    """Why the last try failed; None when it did not."""
    unauthorised: bool
    """The server does not know the credential: the device has to be enrolled again."""
    nothing_taken: str | None = None
    """Why headquarters takes no sales although it may answer everything else; None when it does."""


class LineState:
    """The newest report; may be used from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._report = LineReport(online=False, last_success=None, trouble=None, unauthorised=False)

    def succeeded(self) -> bool:
        """Our server answered; True when it had not before."""
        with self._turn:
            was_offline = not self._report.online
            self._report = LineReport(
                online=True,
                last_success=self._clock.now(),
                trouble=None,
                unauthorised=False,
                nothing_taken=self._report.nothing_taken,
            )
            return was_offline

    def failed(self, outcome: TryLater) -> bool:
        """A try failed; True when the line was up, or the reason is another one."""
        with self._turn:
            former = self._report
            self._report = LineReport(
                online=False,
                last_success=former.last_success,
                trouble=outcome.reason,
                unauthorised=outcome.unauthorised,
                nothing_taken=former.nothing_taken,
            )
            return former.online or former.trouble != outcome.reason

    def delivery_came_to(self, trouble: str | None) -> None:
        """What became of the last batch: why it was not taken, None when it was."""
        with self._turn:
            self._report = msgspec.structs.replace(self._report, nothing_taken=trouble)

    def report(self) -> LineReport:
        """The line as last seen."""
        return self._report
