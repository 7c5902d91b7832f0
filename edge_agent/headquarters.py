"""The agent's conversation with headquarters: every exchange is measured and noted in this one place.

Delivery, heartbeat, day close and profile all speak through here, so that status, clock offset and the log do
not depend on which of them spoke last.
"""

import logging
from collections.abc import Callable, Mapping

from edge_agent.clock_offset import ClockOffset
from edge_agent.line_state import LineState
from edge_agent.retry_policy import TryLater
from edge_agent.uplink import Delivered, Outcome, Uplink
from shared.clock import Clock

log = logging.getLogger(__name__)


class Headquarters:
    """The server of one store; may be used from several threads."""

    def __init__(
        self, store_id: str, uplink: Uplink, line: LineState, offset: ClockOffset, clock: Clock
    ) -> None:
        self.store_id = store_id
        self._uplink = uplink
        self._line = line
        self._offset = offset
        self._clock = clock

    def get(self, path: str) -> Outcome:
        """Fetches `path`."""
        return self._exchange(lambda: self._uplink.get(path))

    def post(self, path: str, body: bytes, more: Mapping[str, str] | None = None) -> Outcome:
        """Posts a JSON body; `more` are further headers."""
        return self._exchange(lambda: self._uplink.post(path, body, more))

    def delivery_came_to(self, trouble: str | None) -> None:
        """What became of the last batch, for whoever asks how the line is; None when it was taken."""
        self._line.delivery_came_to(trouble)

    def _exchange(self, request: Callable[[], Outcome]) -> Outcome:
        sent = self._clock.now()
        outcome = request()
        if isinstance(outcome, TryLater) and not (outcome.not_offered or outcome.paced):
            if self._line.failed(outcome):
                log.warning("Headquarters: %s", outcome.reason, extra={"action": "line.down"})
            return outcome
        if isinstance(outcome, Delivered) and type(outcome.document) is dict:
            self._offset.measure(sent, self._clock.now(), outcome.document.get("serverTime"))
        if self._line.succeeded():
            log.info("Headquarters answers", extra={"action": "line.up"})
        return outcome
