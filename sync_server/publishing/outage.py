"""Says once that publishing has stopped and once that it goes on, however often it was tried in between."""

from prometheus_client import Gauge
from structlog.typing import FilteringBoundLogger

from shared.clock import Clock
from sync_server.errors import SyncServerError


class Outage:
    """The time in which nothing can be published, whatever the reason."""

    def __init__(self, log: FilteringBoundLogger, clock: Clock, gauge: Gauge) -> None:
        """`gauge` is 1 during an outage and 0 otherwise."""
        self._log = log
        self._clock = clock
        self._gauge = gauge
        self._reason: type[SyncServerError] | None = None
        self._since = clock.monotonic()

    def begin(self, error: SyncServerError) -> None:
        """Publishing does not go on; said in the log unless an error of this kind was the last thing said."""
        if self._reason is None:
            self._since = self._clock.monotonic()
        if self._reason is not type(error):
            self._log.warning(
                f"Nothing is published, the messages wait in the outbox: {error}", action="publishing.stopped"
            )
        self._reason = type(error)
        self._gauge.set(1)

    def end(self) -> None:
        """Publishing goes on."""
        if self._reason is not None:
            seconds = round(self._clock.monotonic() - self._since)
            self._log.info(
                f"Publishing goes on after {seconds} s.", action="publishing.resumed", seconds=seconds
            )
        self._reason = None
        self._gauge.set(0)
