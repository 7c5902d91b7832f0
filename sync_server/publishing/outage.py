"""Says once that something has stopped and once that it goes on, however often it was tried in between."""

from prometheus_client import Gauge
from structlog.typing import FilteringBoundLogger

from shared.clock import Clock
from sync_server.errors import SyncServerError


class Outage:
    """The time in which nothing can be published, or posted from Kafka, whatever the reason."""

    def __init__(
        self,
        log: FilteringBoundLogger,
        clock: Clock,
        gauge: Gauge,
        *,
        action: str = "publishing",
        stopped: str = "Nothing is published, the messages wait in the outbox",
        resumed: str = "Publishing goes on",
    ) -> None:
        """`gauge` is 1 during an outage and 0 otherwise; the others are how the log puts it."""
        self._action = action
        self._stopped = stopped
        self._resumed = resumed
        self._log = log
        self._clock = clock
        self._gauge = gauge
        self._reason: type[SyncServerError] | None = None
        self._since = clock.monotonic()

    @property
    def lasts(self) -> bool:
        """Whether nothing goes on at the moment."""
        return self._reason is not None

    def begin(self, error: SyncServerError) -> None:
        """It does not go on; said in the log unless an error of this kind was the last thing said."""
        if self._reason is None:
            self._since = self._clock.monotonic()
        if self._reason is not type(error):
            self._log.warning(f"{self._stopped}: {error}", action=f"{self._action}.stopped")
        self._reason = type(error)
        self._gauge.set(1)

    def end(self) -> None:
        """It goes on."""
        if self._reason is not None:
            seconds = round(self._clock.monotonic() - self._since)
            self._log.info(
                f"{self._resumed} after {seconds} s.", action=f"{self._action}.resumed", seconds=seconds
            )
        self._reason = None
        self._gauge.set(0)
