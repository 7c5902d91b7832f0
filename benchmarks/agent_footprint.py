"""What the agent takes of a store's PC: memory and processor at rest, time until it sells, bytes for an event.

Held against fixed figures, not against another program: "at most" rows. The agent is a process of its own on a
folder of its own; its headquarters cannot be reached, which is when it matters. The backlog is put into the file
by hand, row for row as the agent would have written it, since a million commits would take an hour.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.agent_intake import AgentIntake, till_requests
from edge_agent.data_folder import DataFolder
from edge_agent.packed_event import pack_event, unpack_event
from edge_agent.spool import Spool
from shared.clock import SystemClock
from shared.identifiers import event_key_hex
from shared.wire_json import encode_json
from sync_server.demo.loopback import free_port

REST_SECONDS = 20.0
SETTLE_SECONDS = 8.0
HOST = "127.0.0.1"

MEMORY = "agent at rest, MiB"
PROCESSOR = "agent at rest, % of a core"
START = "start to first sale, s"
START_FULL = "start to first sale, backlog, s"
BYTES = "bytes on disk for a buffered event"
FIGURES = {MEMORY: 48.0, PROCESSOR: 0.5, START: 1.5, START_FULL: 1.5, BYTES: 700.0}
"""What each may be at most."""


def allowed(figure: str) -> str:
    """The series that holds what a figure may be at most."""
    return f"at most {FIGURES[figure]:g}"


def measure_agent_footprint(
    folder: Path, events: int, *, rest_seconds: float = REST_SECONDS
) -> Mapping[str, float]:
    """Every figure, with a backlog of `events`; seconds, MiB, percent, bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    empty, full = enrolled_folder(folder / "empty"), enrolled_folder(folder / "full")
    per_event = bytes_for_an_event(folder / "size.sqlite3", min(events, 20_000))
    fill_with_backlog(full.spool_file, events)
    starts = {}
    for name, data in ((START, empty), (START_FULL, full)):
        with running_agent(data) as (port, began):
            starts[name] = first_sale(port) - began
    with running_agent(full) as (port, _):
        first_sale(port)
        time.sleep(SETTLE_SECONDS if rest_seconds >= REST_SECONDS else 0)
        processor, memory = _at_rest(_pid_of(full), rest_seconds)
    found = {MEMORY: memory, PROCESSOR: processor, **starts, BYTES: per_event}
    return {**found, **{allowed(name): most for name, most in FIGURES.items()}}


def bytes_for_an_event(path: Path, events: int) -> float:
    """The file's size for each event of real baskets that the agent itself has taken, one a commit."""
    agent = AgentIntake(path)
    bodies = till_requests(events)
    agent.desk.ask(
        lambda spool: spool.connection.execute("PRAGMA synchronous = OFF")
    )  # size is asked, not speed
    agent.take(bodies)
    agent.desk.close()
    return path.stat().st_size / len(bodies)


def fill_with_backlog(path: Path, events: int) -> None:
    """Makes a spool with so many events that wait for headquarters, rows and index as the agent writes them."""
    with tempfile.TemporaryDirectory() as name:
        pattern = AgentIntake(Path(name) / "pattern.sqlite3")
        pattern.take(till_requests(1))
        row = pattern.rows()[0]
        pattern.desk.close()
    own_fields, stamp, _ = unpack_event(row[6], row[4], 0)
    before, _, tail = own_fields.partition(b'"eventId":"')
    after = tail.partition(b'"')[2]

    def rows() -> Iterator[tuple[object, ...]]:
        for position in range(1, events + 1):
            own_id = f"backlog-{position:012}"
            key = event_key_hex(own_id)
            high, low = (
                int.from_bytes(bytes.fromhex(half), "big", signed=True) for half in (key[:16], key[16:])
            )
            said = b'%b"eventId":"%b"%b' % (before, own_id.encode(), after)
            yield position, high, low, row[3], row[4], 0, pack_event(said, stamp, row[4], 0, 0)

    spool = Spool(path, SystemClock())
    spool.connection.execute("PRAGMA synchronous = OFF")
    with spool.transaction() as connection:
        connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows())
        connection.execute(
            "INSERT INTO event_key SELECT key_high, position FROM event ORDER BY key_high, position"
        )
        connection.execute("UPDATE batching SET keys_through = ?", (events,))
    spool.close()


def enrolled_folder(
    root: Path,
    *,
    server_url: str = f"http://{HOST}:9",
    store_id: str = "STORE-1",
    zone: str = "America/New_York",
    credential: str = "nobody asks",
) -> DataFolder:
    """A data folder as enrolling leaves it; unless told otherwise nobody answers at its headquarters' address."""
    folder = DataFolder(root)
    folder.create()
    device = "01a20529-56a7-771a-8a15-118a5343ff83"
    enrolment = {"storeId": store_id, "serverUrl": server_url, "deviceId": device}
    profile = {"storeId": store_id, "timezone": zone, "dayStart": "04:00", "currency": "USD"}
    folder.enrolment.write_bytes(encode_json(enrolment))
    folder.profile.write_bytes(encode_json(profile))
    folder.device.write_bytes(encode_json({"deviceId": device}))
    folder.credential.write_text(credential)
    return folder


@contextmanager
def running_agent(
    folder: DataFolder, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[int, float]]:
    """The agent's port, and when it was started; `settings` are further ones, as the environment has them."""
    port = free_port()
    environment = {
        **os.environ,
        "EDGE_AGENT_DATA_DIR": str(folder.root),
        "EDGE_AGENT_PORT": str(port),
        "EDGE_AGENT_LOG_LEVEL": "ERROR",
        **(settings or {}),
    }
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "edge_agent", "run"], env=environment)
    try:
        yield port, began
    finally:
        process.terminate()
        process.wait(timeout=30)


def first_sale(port: int) -> float:
    """When the agent answered the first sale with 201."""
    event = {"type": "SALE", "itemId": "item-1", "quantity": 1, "amount": 5}
    deadline = time.perf_counter() + 120
    while time.perf_counter() < deadline:
        connection = HTTPConnection(HOST, port, timeout=60)
        try:
            connection.request("POST", "/v1/events", encode_json(event), {"Content-Type": "application/json"})
            if connection.getresponse().status == 201:
                return time.perf_counter()
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise TimeoutError("the agent took no sale within two minutes")


def _pid_of(folder: DataFolder) -> int:
    return int(folder.lock.read_text())


def _at_rest(pid: int, seconds: float) -> tuple[float, float]:
    """Percent of one core over so many seconds, and MiB resident at their end."""
    before = _processor_seconds(pid)
    time.sleep(seconds)
    spent = _processor_seconds(pid) - before
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 100 * spent / seconds, resident / 2**20


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
