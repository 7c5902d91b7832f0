"""How far the PC's clock is from headquarters', measured at every exchange; reported, never applied to
events.
"""

from datetime import datetime, timedelta

from edge_agent.alarms import Alarm, AlarmCode
from shared.clock import instant_text, read_instant

WRONG_CLOCK_MS = 300_000
"""From here on headquarters marks sales as CLOCK_SUSPECT."""


class ClockOffset:
    """The last measurement; written by whoever exchanged something, read by heartbeat and status."""

    def __init__(self) -> None:
        self.milliseconds: int | None = None
        """Server's clock minus this one's; None before the first exchange."""
        self._wrong_since: str | None = None

    def measure(self, sent: datetime, received: datetime, server_time: object) -> None:
        """Takes in one exchange; `server_time` is what the answer says, ignored when it says nothing
        sensible.
        """
        if isinstance(server_time, str):
            try:
                self.milliseconds = offset_milliseconds(sent, received, read_instant(server_time))
            except (ValueError, OverflowError):
                return
            if abs(self.milliseconds) <= WRONG_CLOCK_MS:
                self._wrong_since = None
            elif self._wrong_since is None:
                self._wrong_since = instant_text(received)

    def alarms(self) -> list[Alarm]:
        """The clock's alarm, if there is one."""
        since, offset = self._wrong_since, self.milliseconds
        if since is None or offset is None:
            return []
        sentence = (
            f"This PC's clock is {abs(offset) // 60_000} minutes {'behind' if offset > 0 else 'ahead of'} "
            "headquarters'. Set it and switch on its automatic time; sales keep the instant they were given."
        )
        return [Alarm(code=AlarmCode.CLOCK_WRONG, since=since, sentence=sentence)]


def offset_milliseconds(sent: datetime, received: datetime, server_time: datetime) -> int:
    """Server minus agent, taking the server's reading as made half way between sending and receiving."""
    halfway = sent + (received - sent) / 2
    return round((server_time - halfway) / timedelta(milliseconds=1))
