"""The agent's intake as a till sees it, over HTTP: one till alone, and thirty-two at once.

The limit is `minimal_door.py`: the same HTTP server and the same clients, and of the work nothing but a durable append.
The two take turns, so that a disk that changes its mind slows both alike.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.agent_footprint import HOST, enrolled_folder, first_sale, running_agent
from benchmarks.agent_intake import till_requests
from benchmarks.starting_gate import ROOT
from sync_server.demo.loopback import free_port

CLIENTS = (1, 32)
_TURN = 200
"""Sales at one door before it is the other's turn."""
_LARGEST_ANSWER = 65536


def ours(clients: int) -> str:
    """The agent's series with so many tills."""
    return f"agent over HTTP, {_tills(clients)}"


def limit(clients: int) -> str:
    """The minimal door's series with so many tills."""
    return f"fdatasync behind the same HTTP, {_tills(clients)}"


def _tills(clients: int) -> str:
    return "1 till" if clients == 1 else f"{clients} tills"


class Tills:
    """Tills that each wait for the answer to a sale before they send the next."""

    def __init__(self, port: int, clients: int) -> None:
        """Opens the connections."""
        self._port = port
        self._connections = [socket.create_connection((HOST, port), timeout=60) for _ in range(clients)]
        for connection in self._connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def sell(self, bodies: Sequence[bytes]) -> float:
        """Sells everything, each sale answered with 201; the seconds that it took."""
        requests = deque(_request(self._port, body) for body in bodies)
        began = time.perf_counter()
        if len(self._connections) == 1:
            (connection,) = self._connections
            for request in requests:
                connection.sendall(request)
                _read_answer(connection)
        else:
            self._sell_at_once(requests)
        return time.perf_counter() - began

    def _sell_at_once(self, requests: deque[bytes]) -> None:
        with selectors.DefaultSelector() as waiting:
            under_way = 0
            for connection in self._connections[: len(requests)]:
                waiting.register(connection, selectors.EVENT_READ)
                connection.sendall(requests.popleft())
                under_way += 1
            while under_way:
                for key, _ in waiting.select(timeout=60):
                    ready: socket.socket = key.fileobj  # type: ignore[assignment]  # only sockets were registered
                    _read_answer(ready)
                    if requests:
                        ready.sendall(requests.popleft())
                    else:
                        under_way -= 1


def _request(port: int, body: bytes) -> bytes:
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def _read_answer(connection: socket.socket) -> None:
    """Reads one answer to its end."""
    answer = connection.recv(_LARGEST_ANSWER)
    while True:
        head, found, body = answer.partition(b"\r\n\r\n")
        if found:
            length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
            if len(body) >= length:
                break
        more = connection.recv(_LARGEST_ANSWER)
        if not more:
            raise ConnectionError(f"the door hung up after {answer[:200]!r}")
        answer += more
    if not answer.startswith(b"HTTP/1.1 201"):
        raise ValueError(f"a sale was not accepted: {answer[:400]!r}")


def measure_agent_http(folder: Path, events: int) -> Mapping[str, float]:
    """Sales a second of both sides with 1 and with 32 tills, which are a process of their own."""
    folder.mkdir()
    with (
        running_agent(enrolled_folder(folder / "agent")) as (agent_port, _),
        _running_door(folder / "door") as door_port,
    ):
        first_sale(agent_port)
        ports = (str(agent_port), str(door_port))
        command = [sys.executable, "-m", "benchmarks.agent_http", *ports, str(events)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, cwd=ROOT)
    return {name: float(figure) for name, figure in json.loads(done.stdout).items()}


@contextmanager
def _running_door(path: Path) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.minimal_door", str(port), str(path)], cwd=ROOT
    )
    try:
        _await_port(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await_port(port: int) -> None:
    deadline = time.perf_counter() + 60
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def main(agent_port: int, door_port: int, events: int) -> None:
    """Sells at both doors, turn by turn."""
    requests = till_requests(events * len(CLIENTS))
    figures: dict[str, float] = {}
    for number, clients in enumerate(CLIENTS):
        bodies = requests[number * events : (number + 1) * events]
        tills = {ours(clients): Tills(agent_port, clients), limit(clients): Tills(door_port, clients)}
        spent = dict.fromkeys(tills, 0.0)
        for start in range(0, len(bodies), _TURN):
            for series, at_door in tills.items():
                spent[series] += at_door.sell(bodies[start : start + _TURN])
        figures |= {series: len(bodies) / seconds for series, seconds in spent.items()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
