"""The loopback door, through a real socket: what tills may send, what they are told, who is kept out."""

import asyncio
import gc
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.errors import SettingsError
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources.local_http import LocalHttp
from edge_agent.spool_desk import SpoolDesk
from tests.edge_agent.builders import ManualClock, open_intake, sale
from tests.edge_agent.loopback_till import LoopbackTill


@pytest.fixture
def desk_and_till(tmp_path: Path) -> Iterator[tuple[SpoolDesk, LoopbackTill]]:
    """A till in front of the loopback door, behind it a spool on the real disk."""
    with opened(tmp_path) as both:
        yield both


@pytest.fixture
def till(desk_and_till: tuple[SpoolDesk, LoopbackTill]) -> LoopbackTill:
    """The till alone."""
    return desk_and_till[1]


class opened:  # noqa: N801  # reads as a sentence where it is used
    """The door, open on a free port."""

    def __init__(self, folder: Path, token: str | None = None) -> None:
        clock = ManualClock()
        self.desk, intake = open_intake(folder, clock)
        (folder / "undeliverable").mkdir()
        refused = RefusedRecords(folder / "undeliverable", 1_000_000, clock)
        errands = {
            ("GET", "/v1/status"): lambda _: {"fine": True},
            ("POST", "/v1/files"): lambda asked: asked,
        }
        self.door = LocalHttp(0, token, intake, refused, errands, clock)

    def __enter__(self) -> tuple[SpoolDesk, LoopbackTill]:
        self.door.start()
        return self.desk, LoopbackTill(self.door.port)

    def __exit__(self, *_: object) -> None:
        self.door.stop()
        self.desk.close()


def assert_problem(answer: tuple[int, Any], status: int, code: str) -> dict[str, Any]:
    assert answer[0] == status, answer
    assert set(answer[1]) == {"errorCode", "message", "timestamp", "requestId", "details"}
    assert answer[1]["errorCode"] == code
    problem: dict[str, Any] = answer[1]
    return problem


def test_a_single_event_is_answered_in_the_promised_shape(till: LoopbackTill) -> None:
    status, answer = till.post(sale(eventId="till-1"))
    assert status == 201
    assert answer == [{"eventId": "till-1", "sequence": 1, "businessDate": "2026-02-10", "duplicate": False}]


def test_an_array_is_answered_in_its_order(till: LoopbackTill) -> None:
    status, answer = till.post([sale(eventId=name) for name in ("a", "b", "a")])
    assert status == 201
    assert [(line["eventId"], line["sequence"], line["duplicate"]) for line in answer] == [
        ("a", 1, False), ("b", 2, False), ("a", 1, True),
    ]  # fmt: skip


def test_ndjson_is_one_event_a_line(till: LoopbackTill) -> None:
    body = b"\n".join(json.dumps(sale(eventId=name)).encode() for name in "ab") + b"\r\n\n"
    status, answer = till.send(body, {"Content-Type": "application/x-ndjson; charset=utf-8"})
    assert (status, [line["eventId"] for line in answer]) == (201, ["a", "b"])


def test_an_acknowledged_event_is_in_the_file(desk_and_till: tuple[SpoolDesk, LoopbackTill]) -> None:
    desk, till = desk_and_till
    till.post(sale(amount=12, note="kept"))
    body = desk.ask(lambda spool: spool.body_at(1))
    assert body is not None
    assert b'"note":"kept"' in body


def test_an_exact_amount_stays_exact(desk_and_till: tuple[SpoolDesk, LoopbackTill]) -> None:
    desk, till = desk_and_till
    till.send(b'{"type":"SALE","itemId":"i","quantity":0.10,"amount":12345678901234567.89}')
    assert b'"quantity":0.10,"amount":12345678901234567.89' in (
        desk.ask(lambda spool: spool.body_at(1)) or b""
    )


def test_lines_of_one_transaction_are_one_group(desk_and_till: tuple[SpoolDesk, LoopbackTill]) -> None:
    desk, till = desk_and_till
    till.post([sale(saleId="A"), sale(saleId="A"), sale(saleId="B"), sale(), sale(), sale(saleId="A")])
    sizes = desk.ask(
        lambda spool: [
            row[0] for row in spool.connection.execute("SELECT lines_after FROM event ORDER BY position")
        ]
    )
    assert sizes == [1, 0, 0, 0, 0, 0]


def test_a_bad_event_is_named_by_index_and_nothing_is_kept(
    desk_and_till: tuple[SpoolDesk, LoopbackTill],
) -> None:
    desk, till = desk_and_till
    problem = assert_problem(till.post([sale(), sale(quantity=0)]), 422, "VALIDATION_FAILED")
    assert problem["details"]["violations"] == [
        {
            "field": "events[1].quantity",
            "constraint": "Quantity must be greater than zero",
            "rejectedValue": 0,
        }
    ]
    assert problem["details"]["refused"] == [1]
    assert desk.ask(lambda spool: spool.last_sequence) == 0


def test_with_partial_the_good_ones_are_kept(desk_and_till: tuple[SpoolDesk, LoopbackTill]) -> None:
    desk, till = desk_and_till
    answer = till.post([sale(eventId="good"), sale(quantity=0)], "?partial=true")
    problem = assert_problem(answer, 422, "VALIDATION_FAILED")
    assert [line["eventId"] for line in problem["details"]["accepted"]] == ["good"]
    assert desk.ask(lambda spool: spool.last_sequence) == 1


def test_what_is_refused_is_kept_raw_once(till: LoopbackTill, tmp_path: Path) -> None:
    for _ in range(3):
        till.post([sale(), sale(quantity=0, note="look")])
    till.send(b'{"type": "SALE", oops')
    kept = [json.loads(path.read_bytes()) for path in (tmp_path / "undeliverable").iterdir()]
    assert sorted("oops" in record["raw"] for record in kept) == [False, True]
    assert any('"note":"look"' in record["raw"] for record in kept)


def test_an_unreadable_line_is_named_beside_the_others(till: LoopbackTill) -> None:
    body = b'{"type":"SALE"}\n{oops\n' + json.dumps(sale(eventId="ok")).encode()
    answer = till.send(body, {"Content-Type": "application/x-ndjson"}, "?partial=true")
    problem = assert_problem(answer, 422, "VALIDATION_FAILED")
    assert {violation["field"] for violation in problem["details"]["violations"]} == {
        "events[0].itemId", "events[0].quantity", "events[0].amount", "events[1]",
    }  # fmt: skip
    assert len(problem["details"]["accepted"]) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1,", b"\xff\xfe", b"NaN", b'{"type":"SALE","quantity":NaN}', b"[" * 100_000, b'"\\ud800"'],
)
def test_malformed_json_is_refused_in_the_specs_shape(till: LoopbackTill, body: bytes) -> None:
    assert_problem(till.send(body), 400, "MALFORMED_JSON")


@pytest.mark.parametrize(
    "document", [1, "x", None, [[]], [None], {"type": []}, {"type": "SALE", "quantity": 10**400}]
)
def test_what_is_no_event_is_named(till: LoopbackTill, document: Any) -> None:
    assert_problem(till.post(document), 422, "VALIDATION_FAILED")


def test_a_type_that_is_not_json_is_refused(till: LoopbackTill) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = till.send(json.dumps(sale()).encode(), {"Content-Type": content_type})
        assert_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_web_pages_are_kept_out(till: LoopbackTill) -> None:
    body = json.dumps(sale()).encode()
    for header in ({"Origin": "http://127.0.0.1"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert_problem(till.send(body, header), 403, "FORBIDDEN")


def test_a_foreign_host_is_kept_out(till: LoopbackTill) -> None:
    for host in ("evil.example", f"evil.example:{till.port}", "127.0.0.1", "", "127.0.0.1:1"):
        assert_problem(till.send(b"{}", {"Host": host}), 403, "FORBIDDEN")
    assert till.send(json.dumps(sale()).encode(), {"Host": f"localhost:{till.port}"})[0] == 201


def test_with_a_token_file_only_its_holder_gets_in(tmp_path: Path) -> None:
    with opened(tmp_path, token="long-random-text") as (_, till):
        body = json.dumps(sale()).encode()
        assert_problem(till.send(body), 401, "UNAUTHENTICATED")
        assert_problem(till.send(body, {"Authorization": "Bearer wrong"}), 401, "UNAUTHENTICATED")
        assert till.send(body, {"Authorization": "Bearer long-random-text"})[0] == 201


def test_a_body_over_the_limit_is_refused_before_and_while_it_is_read(till: LoopbackTill) -> None:
    large = b"[" + b" " * (4 * 1024 * 1024) + b"]"
    assert_problem(till.send(large), 413, "BODY_TOO_LARGE")
    assert_problem(till.send_chunked(large), 413, "BODY_TOO_LARGE")


def test_too_many_events_are_refused(till: LoopbackTill) -> None:
    assert_problem(till.post([{}] * 2001), 413, "BODY_TOO_LARGE")


def test_unknown_paths_and_methods_are_refused_in_the_specs_shape(till: LoopbackTill) -> None:
    assert_problem(till.ask("GET", "/v1/nothing"), 404, "NOT_FOUND")
    assert_problem(till.ask("GET", "/v1/events"), 405, "METHOD_NOT_ALLOWED")
    assert_problem(till.ask("DELETE", "/v1/status"), 405, "METHOD_NOT_ALLOWED")


def test_what_is_no_http_is_answered_in_the_specs_shape(till: LoopbackTill) -> None:
    assert_problem(till.raw(b"\x16\x03\x01 hello\r\n\r\n"), 400, "MALFORMED_JSON")


def test_the_request_id_is_taken_or_made(till: LoopbackTill) -> None:
    _, answer = till.send(b"{", {"X-Request-Id": "req-till-7"})
    assert answer["requestId"] == "req-till-7"
    assert till.send(b"{")[1]["requestId"].startswith("req-")


def test_an_errand_gets_the_body_and_gives_the_answer(till: LoopbackTill) -> None:
    assert till.ask("GET", "/v1/status") == (200, {"fine": True})
    assert till.ask("POST", "/v1/files", b'{"file": "x"}') == (200, {"file": "x"})
    assert_problem(till.ask("POST", "/v1/files", b"{"), 400, "MALFORMED_JSON")


def test_a_full_disk_is_answered_with_507(desk_and_till: tuple[SpoolDesk, LoopbackTill]) -> None:
    desk, till = desk_and_till
    desk.ask(lambda spool: spool.connection.execute("PRAGMA max_page_count = 13").fetchall())
    answer = till.post([sale(note="x" * 1000) for _ in range(100)])
    assert_problem(answer, 507, "DISK_FULL")
    desk.ask(lambda spool: spool.connection.execute("PRAGMA max_page_count = 100000").fetchall())
    assert till.post(sale())[1][0]["sequence"] == 1


def test_no_answer_waits_for_the_tills_acknowledgement(tmp_path: Path) -> None:
    """Head and body leave as two segments; with Nagle's algorithm on, the second would wait 40 ms."""
    with opened(tmp_path) as (_, till), socket.create_connection(("127.0.0.1", till.port)) as connection:
        connection.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1)
        (server_side,) = _accepted_sockets(till.port)
        assert server_side.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def _accepted_sockets(port: int) -> list[Any]:
    """This process's ends of the connections to `port`."""
    transports = [item for item in gc.get_objects() if isinstance(item, asyncio.Transport)]
    ends = [transport.get_extra_info("socket") for transport in transports]
    return [end for end in ends if end is not None and end.fileno() >= 0 and end.getsockname()[1] == port]


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        desk, intake = open_intake(tmp_path, ManualClock())
        refused = RefusedRecords(tmp_path, 1, ManualClock())
        door = LocalHttp(other.getsockname()[1], None, intake, refused, {}, ManualClock())
        with pytest.raises(SettingsError, match="cannot be taken"):
            door.start()
        desk.close()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux counts how often a thread wakes")
def test_the_door_sleeps_while_nobody_calls_and_still_answers_and_ends_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, till):
        thread = next(each for each in threading.enumerate() if each.name == "local-http")
        assert till.post(sale(eventId="before"))[0] == 201
        time.sleep(0.2)  # the connection's end is seen to
        before = _wakes(thread)
        time.sleep(1)
        assert _wakes(thread) == before
        assert till.post(sale(eventId="after"))[0] == 201
    assert not thread.is_alive()


def _wakes(thread: threading.Thread) -> int:
    """How often a thread of this process has gone to sleep so far."""
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])
