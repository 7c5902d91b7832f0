"""What surrounds every request, whatever route it takes: its id, its marks, its log line, its last resort.

A bare ASGI middleware, since it stands in front of the hot path: it adds a handful of microseconds.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request

from shared.clock import Clock
from shared.problems import ErrorCode, Problem
from shared.protocol import REQUEST_ID_HEADER, SERVER_MARK_HEADER, Limits
from shared.wire_json import encode_json
from sync_server.database import Database
from sync_server.settings import Settings

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Observe = Callable[[str, str, int, float], None]
"""Hears of every answer: method, route's pattern, status, seconds."""

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", re.ASCII)
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()
_SERVER_MARK = SERVER_MARK_HEADER.lower().encode()
UNMATCHED_ROUTE = "unmatched"

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What endpoints work with; made once in `create_app`, found again through their request."""

    settings: Settings
    database: Database
    clock: Clock
    limits: Limits


def parts_of(request: Request) -> ServerParts:
    """The server's parts, for the application that serves `request`."""
    parts: ServerParts = request.app.state.parts
    return parts


def request_id_of(request: Request) -> str:
    """The id under which `request` is answered, logged and audited."""
    return str(request.scope.get("request_id", ""))


def origin_of(request: Request) -> str:
    """The address that `request` came from, as far as trusted proxies tell."""
    return request.client.host if request.client else "unknown"


def problem_body(clock: Clock, request_id: str, code: ErrorCode, message: str) -> bytes:
    """A problem without details as it goes over the wire."""
    return encode_json(
        Problem(code=code, message=message, timestamp=clock.now(), request_id=request_id).to_wire()
    )


class RequestContext:
    """Gives each request an id, marks each answer as ours, and turns a fault of ours into a problem."""

    def __init__(self, app: Application, *, clock: Clock, version: str, observe: Observe) -> None:
        self._app = app
        self._clock = clock
        self._mark = (_SERVER_MARK, version.encode())
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; other scopes pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()
        request_id = _sane_request_id(scope["headers"]) or f"req-{secrets.token_hex(12)}"
        scope["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (_REQUEST_ID, request_id.encode()), self._mark]
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            log.info("the caller hung up in mid-request", action="request.abandoned", path=scope["path"])
        except Exception:
            log.exception("a request failed by a fault of this program", action="request.failed")
            if status:
                # Half an answer is on its way; cutting the connection is the only honest end of it.
                raise
            await _answer_fault(self._clock, request_id, send_marked)
        finally:
            self._note(scope, status, self._clock.monotonic() - began)
            structlog.contextvars.clear_contextvars()

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED_ROUTE)
        self._observe(scope["method"], route, status, seconds)
        level = log.debug if status < 400 else log.info if status < 500 else log.warning
        level(
            "answered",
            action="request.answered",
            method=scope["method"],
            path=scope["path"],
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )


async def _answer_fault(clock: Clock, request_id: str, send: Send) -> None:
    message = "The server failed; the request id leads to the cause in its log. Send the same request again."
    body = problem_body(clock, request_id, ErrorCode.INTERNAL_ERROR, message)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    status = ErrorCode.INTERNAL_ERROR.http_status
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _sane_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The caller's own request id, where it is one that may stand in a log line."""
    for name, value in headers:
        if name == _REQUEST_ID:
            text = value.decode("latin-1")
            return text if _SANE_REQUEST_ID.fullmatch(text) else None
    return None
