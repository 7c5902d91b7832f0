"""Agents' deliveries over HTTP: a few connections, each keeping a few stores busy, one batch of each at a time.

Bodies and headers are made beforehand; what is timed is sending and the server. Like an agent, it sends a
store's next batch once the last one is answered.
"""

import http.client
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.agent_batches import Batch
from shared.protocol import pos_batches_path
from shared.wire_json import decode_json

TIMEOUT_SECONDS = 60
Delivery = tuple[str, bytes, dict[str, str]]
"""Path, body and headers of a request."""


@dataclass
class LoadGenerator:
    """Sends each lane's batches over a connection of its own; see `starting_gate.Task`.

    Every answer must have `status`, and of all lines `fresh` must have been accepted, the others known.
    """

    port: int
    credentials: dict[str, str]
    lanes: Sequence[Sequence[Batch]]
    status: int = 201
    fresh: bool = True
    _answers: list[bytes] = field(default_factory=list)
    _wrong: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Makes the requests and opens the connections."""
        self._deliveries = [[self._delivery(batch) for batch in lane] for lane in self.lanes]
        self._connections = [_connected(self.port) for _ in self.lanes]

    def run(self) -> int:
        """Sends everything; returns how many lines were answered for."""
        threads = [
            threading.Thread(target=self._deliver, args=pair)
            for pair in zip(self._connections, self._deliveries, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._answered_lines()

    def _delivery(self, batch: Batch) -> Delivery:
        headers = {
            "Authorization": f"Bearer {self.credentials[batch.store_id]}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        return pos_batches_path(batch.store_id), batch.body, headers

    def _deliver(self, connection: http.client.HTTPConnection, deliveries: Sequence[Delivery]) -> None:
        for path, body, headers in deliveries:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            self._answers.append(content)
            if answer.status != self.status:
                self._wrong.append(f"{answer.status} {content[:400]!r}")
                return

    def _answered_lines(self) -> int:
        assert not self._wrong, self._wrong
        counts: Counter[str] = Counter()
        for answer in self._answers:
            receipt = decode_json(answer)
            counts.update({name: receipt[name] for name in ("accepted", "duplicates", "held")})
        lines = sum(batch.lines for lane in self.lanes for batch in lane)
        wanted = "accepted" if self.fresh else "duplicates"
        assert counts == Counter({wanted: lines}), f"{dict(counts)} instead of {lines} lines {wanted}"
        return lines


def lanes_of(stores: Sequence[Sequence[Batch]], count: int) -> list[list[Batch]]:
    """Deals the stores out over `count` connections; each goes round its stores, batch by batch."""
    lanes: list[list[Batch]] = []
    for lane in range(min(count, len(stores))):
        mine = stores[lane::count]
        rounds = max(len(batches) for batches in mine)
        lanes.append([batches[turn] for turn in range(rounds) for batches in mine if turn < len(batches)])
    return lanes


def _connected(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    connection.request("GET", "/health/live")
    connection.getresponse().read()
    return connection
