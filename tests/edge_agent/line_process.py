"""A headquarters that misbehaves on request: a real HTTP server in a process of its own.

Started by `misbehaving_line.py`. It keeps what it is sent like the real one (batches by id, events by sequence),
so that a test can ask what arrived; and it plays everything that stands between a store and its headquarters:
captive portals, proxies, load balancers, answers that are lost, cut off, or meant for somebody else.
"""

import base64
import gzip
import hashlib
import json
import socket
import ssl
import struct
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STORE = "STORE-01"
MARK = {"X-TillSync-Server": "0.0.test"}
PROFILE = {
    "storeId": STORE,
    "locationId": "LOC-1",
    "timezone": "America/New_York",
    "dayStart": "04:00",
    "currency": "USD",
    "limits": {"maxEvents": 2000},
}


class Books:
    """What the server holds, and how it is told to behave."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.credential = "first-credential"
        self.posted: dict[str, str] = {}
        self.attempts: list[dict[str, Any]] = []
        self.events: dict[int, str] = {}
        """Of the first stream that was ever heard of; a test with one agent need not ask which stream it is."""
        self.streams: dict[str, dict[int, str]] = {}
        self.poison: list[str] = []
        self.names_poison = True
        self.quarrels: list[list[str]] = []
        self.shrinking: list[int] = []
        self.enrolments: list[str] = []
        self.released = False
        self.heartbeats: list[dict[str, Any]] = []
        self.digests: list[dict[str, Any]] = []
        self.undeliverable: list[dict[str, Any]] = []
        self.discards: list[dict[str, Any]] = []
        self.backlogs: list[int] = []
        """Of every request in turn what it says waits behind it; -1 where it does not say."""
        self.commands: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        self.day_lists: list[dict[str, Any]] = []
        self.loses_results = False
        self.differs: dict[str, Any] | None = None
        self.behaviours: list[dict[str, Any]] = []
        self.standing: dict[str, Any] = {}

    def events_of(self, stream_id: str) -> dict[int, str]:
        """What was received of a stream, event ids by sequence."""
        if not self.streams:
            self.streams[stream_id] = self.events
        if stream_id == next(iter(self.streams)):
            return self.events
        return self.streams.setdefault(stream_id, {})

    def lacking(self, listed: dict[str, Any]) -> dict[str, Any]:
        """What of a day's list never came here; contents are not compared."""
        known, missing = self.events_of(listed["streamId"]), []
        for run in listed["runs"]:
            count = len(base64.b64decode(run["hashes"])) // 32
            sequences = range(run["first"], run["first"] + count)
            missing += [(sequence, sequence) for sequence in sequences if sequence not in known]
        return {"missing": missing, "different": [], "surplus": []}

    def acknowledged(self, stream_id: str) -> tuple[int, list[tuple[int, int]]]:
        """The acknowledged sequence of a stream and the gaps above it."""
        events = self.events_of(stream_id)
        known = sorted(events)
        done = 0
        while done + 1 in events:
            done += 1
        gaps, last = [], done
        for sequence in [sequence for sequence in known if sequence > done]:
            if sequence > last + 1:
                gaps.append((last + 1, sequence - 1))
            last = sequence
        return done, gaps


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # head and body are written apart: an answer would wait 40 ms for the other side
    )
    books: Books

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the parent's spelling
        """Says nothing."""

    def do_GET(self) -> None:
        """The profile, or what the server holds."""
        if self.path == "/control":
            books = self.books
            with books.turn:
                names = ["posted", "attempts", "events", "heartbeats", "digests", "undeliverable"]
                names += ["results", "day_lists", "enrolments", "discards", "backlogs"]
                held = {name: getattr(books, name) for name in names}
                self.answer(200, {**held, "streams": {s: books.events_of(s) for s in books.streams}})
        elif not self.misbehave(b""):
            if self.is_known():
                self.answer(200, PROFILE, MARK)
            else:
                self.answer(*problem(401, "UNAUTHENTICATED", "The credential is unknown"), MARK)

    def do_POST(self) -> None:
        """Everything else."""
        if (read := self.next_close_after()) is not None:
            self.rfile.read(read)
            return self.hang_up()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/control":
            with self.books.turn:
                for name, value in json.loads(body).items():
                    value = {int(k): v for k, v in value.items()} if name == "events" else value
                    setattr(self.books, name, value)
            return self.answer(200, {})
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.books.backlogs.append(int(self.headers.get("X-TillSync-Backlog", "-1")))
        if self.misbehave(body) or (self.books.loses_results and self.lose_result()):
            return None
        return self.work(body)

    def lose_result(self) -> bool:
        """Hangs up on the answer to a command, so that it never gets through."""
        if self.path.endswith("/result"):
            self.close_connection = True
        return self.close_connection

    def is_known(self) -> bool:
        """Whether the request shows the device's credential."""
        return self.headers.get("Authorization") == f"Bearer {self.books.credential}"

    def work(self, body: bytes) -> None:
        """Behaves as the real server would."""
        document = json.loads(body)
        if self.path.endswith("/enrolments"):
            self.books.enrolments.append(document["deviceId"])
            status, answer = 201, {
                "storeId": STORE, "deviceId": document["deviceId"], "credential": self.books.credential,
                "profile": PROFILE,
            }  # fmt: skip
        elif not self.is_known():
            status, answer = problem(401, "UNAUTHENTICATED", "The credential is unknown")
        else:
            status, answer = self.take(document, body)
        self.answer(status, answer, MARK)

    def take(self, document: dict[str, Any], body: bytes) -> tuple[int, dict[str, Any]]:
        """Batches, heartbeats, digests, undeliverable events."""
        books = self.books
        with books.turn:
            if self.path.endswith("/pos-batches"):
                return take_batch(books, document, body)
            if self.path.endswith("/heartbeats"):
                done, gaps = books.acknowledged(document.get("streamId", ""))
                books.heartbeats.append(document)
                asked = books.commands
                return 200, {
                    "serverTime": now(),
                    "acknowledgedSequence": done,
                    "gaps": gaps,
                    "commands": asked,
                }
            if self.path.endswith("/result"):
                return take_result(books, self.path.split("/")[-2], document)
            if self.path.endswith("/day-lists"):
                books.day_lists.append(document)
                answer, books.differs = books.differs, None
                return 200, answer or books.lacking(document)
            if self.path.endswith("/day-digests"):
                books.digests.append(document)
                if books.differs is not None:
                    return 200, {"state": "DIFFERS", "businessDate": document["businessDate"], "events": 0}
                return 200, {"state": "PROVEN", "businessDate": document["businessDate"], "events": 0}
            if self.path.endswith("/discards"):
                books.discards.append(document)
                return 200, {"discarded": len(document["events"])}
            books.undeliverable.append(document)
            for event in document["events"]:
                books.events_of(document["streamId"])[event["sequence"]] = "held"
            return 200, {}

    def next_close_after(self) -> int | None:
        """How many bytes of this batch are read before the connection is cut, when that is what comes next."""
        books = self.books
        with books.turn:
            due = self.path.endswith("/pos-batches") and books.behaviours
            if not due or "close_after" not in books.behaviours[0]:
                return None
            return int(books.behaviours.pop(0)["close_after"])

    def hang_up(self) -> None:
        """Resets the connection."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def misbehave(self, body: bytes) -> bool:
        """Does what the next behaviour says; False when there is none and the server behaves."""
        books = self.books
        with books.turn:
            batch = self.path.endswith("/pos-batches")
            behaviour = books.behaviours.pop(0) if batch and books.behaviours else books.standing
        if not behaviour:
            return False
        if behaviour.get("commit"):
            with books.turn:
                take_batch(books, json.loads(body), body)
        while behaviour.get("hold") and not books.released:
            time.sleep(0.01)
        if behaviour.get("hang_up"):
            self.hang_up()
            return True
        if behaviour.get("then_close"):  # answers well, and drops the connection without a word
            self.close_connection = True
            return False
        if "answer_of" in behaviour:
            document = {**json.loads(body), "batchId": behaviour["answer_of"]}
            self.answer(201, receipt(books, document, duplicate=False), MARK)
            return True
        headers = {**(MARK if behaviour.get("marked") else {}), **behaviour.get("headers", {})}
        content = behaviour.get("body", "").encode()
        self.answer(behaviour.get("status", 200), content, headers, announce=behaviour.get("announce"))
        return True

    def answer(
        self,
        status: int,
        document: Any,
        headers: dict[str, str] | None = None,
        announce: int | None = None,
    ) -> None:
        """Writes an answer; `announce` promises more bytes than come."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(announce or len(content)))
        if announce:
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)


def take_batch(books: Books, document: dict[str, Any], body: bytes) -> tuple[int, dict[str, Any]]:
    """Posts a batch, knows it again, or refuses it because of a poisoned event."""
    digest = hashlib.sha256(body).hexdigest()
    batch_id = document["batchId"]
    books.attempts.append({"batchId": batch_id, "sha256": digest, "events": len(document["events"])})
    if batch_id in books.posted:
        if books.posted[batch_id] != digest:
            return problem(409, "BATCH_CONFLICT", "The batch id was used for other content")
        return 200, receipt(books, document, duplicate=True)
    if books.shrinking and len(document["events"]) > books.shrinking[0]:
        books.shrinking = books.shrinking[1:] or books.shrinking
        return problem(413, "BODY_TOO_LARGE", "The batch is too large")
    items = {event.get("itemId") for event in document["events"]}
    if any(items.issuperset(quarrel) for quarrel in books.quarrels):
        return problem(422, "VALIDATION_FAILED", "POS batch validation failed")
    sick = [i for i, event in enumerate(document["events"]) if event.get("itemId") in books.poison]
    if sick:
        named = [{"field": f"events[{i}].itemId", "constraint": "No", "rejectedValue": None} for i in sick]
        details = {"violations": named} if books.names_poison else {}
        return problem(422, "VALIDATION_FAILED", "POS batch validation failed", details)
    books.posted[batch_id] = digest
    for event in document["events"]:
        # A sequence that is taken keeps its first event: the real server holds the second one for a person.
        held = books.events_of(document["streamId"])
        if held.get(event["sequence"], "held") == "held":
            held[event["sequence"]] = event["eventId"]
    return 201, receipt(books, document, duplicate=False)


def take_result(books: Books, command_id: str, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Keeps an answer and stops asking, as the real server does once it has one."""
    books.results.append({"commandId": command_id, **document})
    books.commands = [command for command in books.commands if command["commandId"] != command_id]
    return 200, {"commandId": command_id}


def receipt(books: Books, document: dict[str, Any], *, duplicate: bool) -> dict[str, Any]:
    """The answer to a batch."""
    done, gaps = books.acknowledged(document.get("streamId", ""))
    return {
        "batchId": document["batchId"], "storeId": STORE, "status": "POSTED", "duplicate": duplicate,
        "accepted": len(document["events"]), "duplicates": 0, "held": 0, "findings": [],
        "acknowledgedSequence": done, "gaps": gaps, "commands": [], "serverTime": now(),
    }  # fmt: skip


def problem(
    status: int, code: str, message: str, details: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    """An error in the spec's shape."""
    return status, {
        "errorCode": code, "message": message, "timestamp": now(), "requestId": "r", "details": details or {},
    }  # fmt: skip


def now() -> str:
    """The server's time."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def main() -> None:
    """Serves until its standard input closes, so that no test leaves it behind."""
    Handler.books = Books()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    server.daemon_threads = True
    if len(sys.argv) > 2:  # a certificate and its key
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
