"""The loopback door: tills post events, the command line asks; nobody else gets in.

A bare ASGI application under uvicorn, on 127.0.0.1 alone. A web page on the same PC must not be able to post
sales or read the status, so that any `Origin` and any foreign `Host` (DNS rebinding) is refused. The store's own
page is shown here too; it is the only thing that needs no token.
"""

import asyncio
import hmac
import logging
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn

from edge_agent.errors import EdgeAgentError, SettingsError, SpoolFull
from edge_agent.intake import Intake
from edge_agent.loopback import EVENTS_PATH, LOOPBACK
from edge_agent.page.store_page import HEADERS, Leaf
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources import event_requests as requests
from edge_agent.sources.event_requests import RequestRefused
from edge_agent.sources.loopback_protocol import protocol_class
from edge_agent.sources.loopback_server import LoopbackServer
from edge_agent.spool_desk import Outcome
from edge_agent.stamped_event import Accepted, EventGroup, Refused
from shared.clock import Clock
from shared.problems import ErrorCode
from shared.protocol import REQUEST_ID_HEADER
from shared.wire_json import JsonError, decode_json, encode_json

log = logging.getLogger(__name__)

BODY_SECONDS = 30.0
"""How long a request's body may take to arrive."""
MAX_AT_ONCE = 128
"""Requests under way; with the body limit this bounds the memory that tills can take."""
JOIN_SECONDS = 2.0

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, bytes]
Errand = Callable[[Any], Any]
"""Something that the command line asks the agent for: the decoded body (None for a GET) to what is answered.
"""


class LocalHttp:
    """The source behind `POST /v1/events`, and the errands of the command line beside it."""

    name = "http"
    interval: float | None = None

    def __init__(
        self,
        port: int,
        token: str | None,
        intake: Intake,
        refused: RefusedRecords,
        errands: Mapping[tuple[str, str], Errand],
        clock: Clock,
        leaves: Mapping[str, Callable[[], Leaf]] | None = None,
    ) -> None:
        """`errands` maps (method, path) to what is run, off the event loop, and answered with its result; `leaves`
        maps the paths of the store's page to what makes them, off the loop too.
        """
        self._wanted_port = port
        self._token = token
        self._intake = intake
        self._refused = refused
        self._errands = errands
        self._leaves = leaves or {}
        self._clock = clock
        self._under_way = 0
        self._serving_soon = False

    def start(self) -> None:
        """Binds the port and serves from a thread of its own."""
        self._socket = _bind(self._wanted_port)
        self.port: int = self._socket.getsockname()[1]
        self._hosts = frozenset(f"{host}:{self.port}".encode() for host in (LOOPBACK, "localhost", "[::1]"))
        config = uvicorn.Config(
            self,
            interface="asgi3",
            loop="asyncio",
            http=protocol_class(self._clock),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = LoopbackServer(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="local-http", daemon=True
        )
        self._thread.start()

    def look(self) -> None:
        """Nothing to look for: tills call."""

    def stop(self) -> None:
        """Takes no further connection, answers what is under way."""
        self._server.ask_to_end()
        self._thread.join(JOIN_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        request_id = f"req-{secrets.token_hex(8)}"
        try:
            headers = dict(scope["headers"])
            request_id = _request_id(headers) or request_id
            self._check_caller(headers)
            if scope["path"] in self._leaves:
                return await self._show(scope, send)
            self._check_token(headers)
            status, body = await self._route(scope, headers, receive, request_id)
        except RequestRefused as refusal:
            status = refusal.code.http_status
            body = self._problem(request_id, refusal.code, refusal.message, details=refusal.details)
        except EdgeAgentError as error:
            code = ErrorCode.DISK_FULL if isinstance(error, SpoolFull) else ErrorCode.UNAVAILABLE
            status, body = code.http_status, self._problem(request_id, code, str(error))
        except Exception:
            log.exception(
                "A request failed unexpectedly", extra={"action": "http.failed", "request_id": request_id}
            )
            code = ErrorCode.INTERNAL_ERROR
            message = (
                "The agent failed unexpectedly and has logged why; send the same again, then call support."
            )
            status, body = code.http_status, self._problem(request_id, code, message)
        return await _send(send, status, body, request_id)

    def _check_caller(self, headers: Mapping[bytes, bytes]) -> None:
        if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            raise RequestRefused(
                ErrorCode.FORBIDDEN, "Web pages may not speak to the agent; post from the till itself."
            )
        if headers.get(b"host", b"").lower() not in self._hosts:
            raise RequestRefused(
                ErrorCode.FORBIDDEN,
                f"Address the agent as {LOOPBACK}:{self.port}; the Host header named another.",
            )

    def _check_token(self, headers: Mapping[bytes, bytes]) -> None:
        if self._token is not None:
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, b"Bearer " + self._token.encode()):
                raise RequestRefused(
                    ErrorCode.UNAUTHENTICATED, "Send the content of the agent's token file as a Bearer token."
                )

    async def _show(self, scope: Scope, send: Send) -> None:
        """Answers a browser with a leaf of the store's page."""
        if scope["method"] != "GET":
            raise RequestRefused(ErrorCode.METHOD_NOT_ALLOWED, f"{scope['path']} can only be read.")
        kind, body = await asyncio.to_thread(self._leaves[scope["path"]])
        length = str(len(body)).encode()
        headers = [(b"content-type", kind), (b"content-length", length), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, *HEADERS]})
        await send({"type": "http.response.body", "body": body})

    async def _route(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, request_id: str
    ) -> Answer:
        method, path = scope["method"], scope["path"]
        if path == EVENTS_PATH:
            if method != "POST":
                raise RequestRefused(ErrorCode.METHOD_NOT_ALLOWED, "Events are posted: POST /v1/events.")
            if self._under_way >= MAX_AT_ONCE:
                raise RequestRefused(
                    ErrorCode.TOO_MANY_REQUESTS, "Too many requests at once; send again in a moment."
                )
            self._under_way += 1
            try:
                return await self._take_events(scope, headers, receive, request_id)
            finally:
                self._under_way -= 1
        errand = self._errands.get((method, path))
        if errand is not None:
            asked = None if method == "GET" else _decode(await _read_body(headers, receive))
            return 200, encode_json(await asyncio.to_thread(errand, asked))
        if any(path == known for _, known in self._errands):
            raise RequestRefused(ErrorCode.METHOD_NOT_ALLOWED, f"{method} is not among what {path} can do.")
        raise RequestRefused(ErrorCode.NOT_FOUND, f"The agent knows no {path}; events go to POST /v1/events.")

    async def _take_events(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, request_id: str
    ) -> Answer:
        body = await _read_body(headers, receive)
        try:
            records = requests.read_records(body, headers.get(b"content-type", b"").decode("latin-1"))
        except RequestRefused as refusal:
            if refusal.code is ErrorCode.MALFORMED_JSON:
                await asyncio.to_thread(self._refused.keep, body, [], self.name)
            raise
        translated = self._intake.translate(records)
        if not translated.refused:
            return 201, requests.accepted_answer(await self._store(translated.groups))
        await asyncio.to_thread(self._keep_refused, records, translated.refused)
        partial = b"partial=true" in scope["query_string"].split(b"&")
        accepted = await self._store(translated.groups) if partial else None
        violations = [violation for entry in translated.refused for violation in entry.violations]
        code = ErrorCode.VALIDATION_FAILED
        details = requests.refused_details(translated.refused, accepted)
        message = requests.REFUSED_MESSAGE
        return code.http_status, requests.problem_body(
            self._clock, request_id, code, message, violations, details
        )

    def _keep_refused(self, records: list[Any], refused: list[Refused]) -> None:
        for entry in refused:
            self._refused.keep(requests.raw_bytes(records[entry.index]), entry.violations, self.name)

    async def _store(self, groups: list[EventGroup]) -> list[Accepted]:
        """Waits until the groups are durable; all requests of this turn of the loop share one commit."""
        if not groups:
            return []
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[Outcome] = loop.create_future()
        own_thread = threading.get_ident()

        def answer(outcome: Outcome) -> None:
            # Whoever had the turn commits: mostly this very thread, sometimes the one that fetches a batch.
            if threading.get_ident() == own_thread:
                _settle(stored, outcome)
            else:
                loop.call_soon_threadsafe(_settle, stored, outcome)

        self._intake.line_up(groups, answer)
        if not self._serving_soon:
            self._serving_soon = True
            loop.call_soon(self._serve)
        outcome = await stored
        if isinstance(outcome, EdgeAgentError):
            raise outcome
        return outcome

    def _serve(self) -> None:
        self._serving_soon = False
        self._intake.serve()

    def _problem(
        self, request_id: str, code: ErrorCode, message: str, details: dict[str, Any] | None = None
    ) -> bytes:
        return requests.problem_body(self._clock, request_id, code, message, details=details)


def _settle(stored: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not stored.done():  # the caller may have hung up; the events are durable all the same
        stored.set_result(outcome)


def _bind(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is spelled out; with it on, a till waits 40 ms for
    # every answer, since uvicorn sends head and body apart.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: nobody else may take the port beside us
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"Port {port} on {LOOPBACK} cannot be taken ({error.strerror}); stop the program that has it, "
            "or choose another with --port or EDGE_AGENT_PORT."
        ) from error
    return listening


def _decode(body: bytes) -> Any:
    try:
        return decode_json(body)
    except JsonError as error:
        raise RequestRefused(ErrorCode.MALFORMED_JSON, f"The request cannot be read: {error}.") from None


def _request_id(headers: Mapping[bytes, bytes]) -> str | None:
    given = headers.get(REQUEST_ID_HEADER.lower().encode(), b"").decode("latin-1")
    return given if 0 < len(given) <= 128 and given.isascii() and given.isprintable() else None


async def _read_body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > requests.MAX_BODY_BYTES:
        raise _too_large()
    message = await receive()
    if not message.get("more_body"):
        if message["type"] == "http.disconnect":
            raise RequestRefused(
                ErrorCode.MALFORMED_JSON, "The connection closed before the request was complete."
            )
        body: bytes = message.get("body", b"")
        if len(body) > requests.MAX_BODY_BYTES:
            raise _too_large()
        return body
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_rest(message.get("body", b""), receive)
    except TimeoutError:
        raise RequestRefused(
            ErrorCode.MALFORMED_JSON,
            f"The body did not arrive within {BODY_SECONDS:.0f} seconds; send it again.",
        ) from None


async def _read_rest(begun: bytes, receive: Receive) -> bytes:
    parts, size = [begun], len(begun)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused(
                ErrorCode.MALFORMED_JSON, "The connection closed before the request was complete."
            )
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > requests.MAX_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return b"".join(parts)


def _too_large() -> RequestRefused:
    return RequestRefused(
        ErrorCode.BODY_TOO_LARGE,
        f"A request may weigh {requests.MAX_BODY_BYTES} bytes; send the events in several.",
    )


async def _send(send: Send, status: int, body: bytes, request_id: str) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (REQUEST_ID_HEADER.lower().encode(), request_id.encode("latin-1")),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
