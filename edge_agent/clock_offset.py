"""How far the PC's clock is from headquarters', measured at every exchange; reported, never applied to
events.
"""

from datetime import datetime, timedelta

from shared.clock import read_instant


class ClockOffset:
    """The last measurement; written by whoever exchanged something, read by heartbeat and status."""

    def __init__(self) -> None:
        self.milliseconds: int | None = None
        """Server's clock minus this one's; None before the first exchange."""

    def measure(self, sent: datetime, received: datetime, server_time: object) -> None:
        """Takes in one exchange; `server_time` is what the answer says, ignored when it says nothing
        sensible.
        """
        if isinstance(server_time, str):
            try:
                self.milliseconds = offset_milliseconds(sent, received, read_instant(server_time))
            except (ValueError, OverflowError):
                return


def offset_milliseconds(sent: datetime, received: datetime, server_time: datetime) -> int:
    """Server minus agent, taking the server's reading as made half way between sending and receiving."""
    halfway = sent + (received - sent) / 2
    return round((server_time - halfway) / timedelta(milliseconds=1))
