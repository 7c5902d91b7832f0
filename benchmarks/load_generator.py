"""Agents' deliveries over HTTP: a few connections that serve many agents in turn, one batch at a time.

Bodies and headers are made beforehand; what is timed is sending and the server. Like an agent, it sends the
next batch once the last one is answered. A connection that is free takes the agent that has waited longest,
so that workers of the server that got fewer connections than others do not stand idle in the end.
"""

import http.client
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from benchmarks.agent_batches import Batch
from shared.protocol import pos_batches_path
from shared.wire_json import decode_json

CONNECTIONS = 8
TIMEOUT_SECONDS = 60
Delivery = tuple[str, bytes, dict[str, str]]
"""Path, body and headers of a request."""


@dataclass
class LoadGenerator:
    """Sends the batches of all agents; see `starting_gate.Task`.

    Every answer must have `status`, and of all lines `fresh` must have been accepted, the others known.
    """

    port: int
    credentials: dict[str, str]
    agents: Sequence[Sequence[Batch]]
    status: int = 201
    fresh: bool = True
    _answers: list[bytes] = field(default_factory=list)
    _wrong: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Makes the requests and opens the connections."""
        self._waiting = deque(deque(map(self._delivery, batches)) for batches in self.agents)
        self._connections = [_connected(self.port) for _ in range(CONNECTIONS)]

    def run(self) -> int:
        """Sends everything; returns how many lines were answered for."""
        threads = [
            threading.Thread(target=self._deliver, args=(connection,)) for connection in self._connections
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._answered_lines()

    def _await_turn(self) -> None:
        """Called before each request; as fast as the server answers."""

    def _delivery(self, batch: Batch) -> Delivery:
        headers = {
            "Authorization": f"Bearer {self.credentials[batch.store_id]}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        return pos_batches_path(batch.store_id), batch.body, headers

    def _deliver(self, connection: http.client.HTTPConnection) -> None:
        """Goes on until no agent waits; one whose batch is under way comes back to whoever sent it."""
        while self._waiting:
            try:
                agent = self._waiting.popleft()
            except IndexError:  # another connection was quicker
                return
            path, body, headers = agent.popleft()
            self._await_turn()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            self._answers.append(content)
            if answer.status != self.status:
                self._wrong.append(f"{answer.status} {content[:400]!r}")
                return
            if agent:
                self._waiting.append(agent)

    def _answered_lines(self) -> int:
        assert not self._wrong, self._wrong
        counts: Counter[str] = Counter()
        for answer in self._answers:
            receipt = decode_json(answer)
            counts.update({name: receipt[name] for name in ("accepted", "duplicates", "held")})
        lines = lines_of(self.agents)
        wanted = "accepted" if self.fresh else "duplicates"
        assert counts == Counter({wanted: lines}), f"{dict(counts)} instead of {lines} lines {wanted}"
        return lines


@dataclass
class PacedLoad(LoadGenerator):
    """The same at `rate` requests a second, however fast the server could."""

    rate: float = 1.0
    _turns: Iterator[int] = field(default_factory=count)
    _began: float | None = None

    def _await_turn(self) -> None:
        if self._began is None:
            self._began = time.perf_counter()
        due = self._began + next(self._turns) / self.rate
        time.sleep(max(0.0, due - time.perf_counter()))


def lines_of(agents: Sequence[Sequence[Batch]]) -> int:
    """How many lines the batches of all agents have."""
    return sum(batch.lines for batches in agents for batch in batches)


def _connected(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    connection.request("GET", "/health/live")
    connection.getresponse().read()
    return connection
