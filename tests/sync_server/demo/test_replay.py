"""The tills of a store against a door that behaves like an agent's: what is handed over is in the log."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.identifiers import event_key
from shared.wire_json import decode_json, encode_json
from sync_server.demo.errors import DemoFailed
from sync_server.demo.replay import StoreReplay
from sync_server.demo.replay_log import ReplayLog, read_replay_log
from sync_server.demo.till import Till
from sync_server.demo.till_events import TillTransaction


class Door(ThreadingHTTPServer):
    """Answers as an agent does; `statuses` are given to the first requests instead, 0 hangs up without a word."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.statuses: list[int] = []
        self.heard: list[bytes] = []


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def do_POST(self) -> None:
        """Notes what was posted and answers for it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(body)
        status = self.server.statuses.pop(0) if self.server.statuses else 201
        if status == 0:
            self.close_connection = True
            return
        answer = encode_json([{"eventId": event.get("eventId", "derived")} for event in decode_json(body)])
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Says nothing."""


@pytest.fixture
def door() -> Iterator[Door]:
    """The door, open in a thread of its own."""
    door = Door()
    thread = threading.Thread(target=door.serve_forever)
    thread.start()
    yield door
    door.shutdown()
    thread.join()
    door.server_close()


def sale(number: int, *, as_file: bool = False) -> TillTransaction:
    """A transaction of one line."""
    event = {"type": "SALE", "eventId": f"292-{number}-1"}
    return TillTransaction("STORE-292", datetime(2017, 9, 4, tzinfo=UTC), (event,), as_file)


def replayed(door: Door, tmp_path: Path, *transactions: TillTransaction) -> StoreReplay:
    """A replay of `transactions` that has ended."""

    async def run() -> StoreReplay:
        replay = StoreReplay(
            Till(door.server_address[1], tmp_path), ReplayLog(tmp_path / "log"), SystemClock()
        )
        try:
            await replay.run(transactions, 0)
        finally:
            replay.close()
        return replay

    return asyncio.run(run())


def test_what_the_agent_answered_for_is_in_the_log(door: Door, tmp_path: Path) -> None:
    replay = replayed(door, tmp_path, sale(1), sale(2))

    assert read_replay_log(tmp_path / "log") == {event_key("292-1-1"), event_key("292-2-1")}
    assert (replay.progress.lines, replay.progress.done) == (2, True)


@pytest.mark.parametrize("status", [0, 503, 507])
def test_a_request_without_an_answer_is_sent_again_as_it_was(door: Door, tmp_path: Path, status: int) -> None:
    door.statuses = [status]
    replayed(door, tmp_path, sale(1))

    assert len(door.heard) == 2
    assert door.heard[0] == door.heard[1]
    assert read_replay_log(tmp_path / "log") == {event_key("292-1-1")}


def test_a_refusal_ends_the_demo_with_the_agents_own_words(door: Door, tmp_path: Path) -> None:
    door.statuses = [422]

    with pytest.raises(DemoFailed, match=r"STORE-292 refused a transaction with status 422: .*292-1-1"):
        replayed(door, tmp_path, sale(1))
    assert read_replay_log(tmp_path / "log") == frozenset()


def test_a_file_appears_whole_in_the_drop_folder_and_in_the_log(door: Door, tmp_path: Path) -> None:
    replay = replayed(door, tmp_path, sale(1, as_file=True))

    assert (tmp_path / "292-1-1.ndjson").read_bytes() == b'{"type":"SALE","eventId":"292-1-1"}\n'
    assert read_replay_log(tmp_path / "log") == {event_key("292-1-1")}
    assert (replay.progress.files, door.heard) == (1, [])


def test_a_replay_that_is_stopped_has_logged_all_that_it_sold(door: Door, tmp_path: Path) -> None:
    async def run() -> None:
        replay = StoreReplay(
            Till(door.server_address[1], tmp_path), ReplayLog(tmp_path / "log"), SystemClock()
        )
        running = asyncio.create_task(replay.run([sale(number) for number in range(1000)], 100))
        while len(door.heard) < 3:
            await asyncio.sleep(0.01)
        replay.stop()
        await running
        replay.close()

    asyncio.run(run())

    sold = {event_key(decode_json(body)[0]["eventId"]) for body in door.heard}
    assert read_replay_log(tmp_path / "log") == sold
    assert len(sold) < 1000
