"""One request to headquarters and what came of it: Delivered, TryLater or Refused.

Only our own server's word counts as an answer. A captive portal says 200 to everything, proxies and load
balancers have opinions of their own; what does not carry the server's mark is no answer, and is tried again.
"""

import gzip
import logging
import secrets
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec

from edge_agent.errors import SettingsError
from edge_agent.program_version import program_version
from edge_agent.retry_policy import TryLater, read_retry_after
from shared.clock import Clock
from shared.problems import ErrorCode
from shared.protocol import AGENT_VERSION_HEADER, REQUEST_ID_HEADER, SERVER_MARK_HEADER
from shared.wire_json import JsonError, decode_json

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 16 * 1024 * 1024
COMPRESS_FROM = 1024
"""Bytes from which on compressing saves more than it costs."""
COMPRESSION_LEVEL = 1
"""Fast: the till shares this processor. Events repeat their field names, so that even 1 gives a sixth."""

REFUSING_STATUSES = frozenset({400, 409, 413, 415, 422})
"""What our server says about the request itself; the same bytes would get the same answer."""


class Delivered(msgspec.Struct, frozen=True):
    """The server did what was asked; `document` is its answer, `status` 200 or 201."""

    status: int
    document: Any


class Refused(msgspec.Struct, frozen=True):
    """The server understood and refuses this very request; `problem` is its answer in the spec's shape."""

    status: int
    problem: dict[str, Any]

    @property
    def code(self) -> str:
        """The error code."""
        return str(self.problem.get("errorCode", ""))

    @property
    def sentence(self) -> str:
        """What a person is told."""
        return f"{self.code}: {self.problem.get('message', '')}"


Outcome = Delivered | TryLater | Refused


class Uplink:
    """The way to one server; may be used from several threads."""

    def __init__(
        self,
        server_url: str,
        credential: Callable[[], str | None],
        clock: Clock,
        *,
        connect_timeout: float,
        answer_timeout: float,
        ca_file: str = "",
    ) -> None:
        """`credential` gives the device's secret as it is now; timeouts in seconds. Raises SettingsError."""
        self._server_url = server_url.rstrip("/")
        self._credential = credential
        self._clock = clock
        self._answer_timeout = answer_timeout
        timeout = httpx.Timeout(answer_timeout, connect=connect_timeout)
        self._ca_file = ca_file
        self._timeout = timeout
        self._client: httpx.Client | None = None
        self._turn = threading.Lock()

    def close(self) -> None:
        """Closes the connections; a request under way ends with TryLater."""
        with self._turn:
            if self._client is not None:
                self._client.close()

    def get(self, path: str) -> Outcome:
        """Fetches `path`."""
        return self._exchange("GET", path, b"", {})

    def post(self, path: str, body: bytes, more: Mapping[str, str] | None = None) -> Outcome:
        """Posts a JSON body, compressed where that pays; `more` are further headers."""
        headers = {"Content-Type": "application/json", **(more or {})}
        if len(body) >= COMPRESS_FROM:
            body = gzip.compress(body, COMPRESSION_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return self._exchange("POST", path, body, headers)

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Outcome:
        headers = {
            **headers,
            "Accept": "application/json",
            AGENT_VERSION_HEADER: program_version(),
            REQUEST_ID_HEADER: f"req-{secrets.token_hex(8)}",
        }
        if credential := self._credential():
            headers["Authorization"] = f"Bearer {credential}"
        try:
            with self._open().stream(
                method, f"{self._server_url}{path}", content=body, headers=headers
            ) as response:
                answer = self._read(response)
        except (httpx.RequestError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError) as error:
            # RequestError is more than TransportError: it also covers an answer that cannot be unpacked.
            return TryLater(reason=f"no line to {self._server_url}: {_reason(error)}")
        return answer if isinstance(answer, TryLater) else self._judge(response, answer)

    def _open(self) -> httpx.Client:
        # Made at first use: loading the certificates takes longer than a till should wait for its agent.
        with self._turn:
            if self._client is None:
                trust = _trust(self._server_url, self._ca_file)
                self._client = httpx.Client(verify=trust, timeout=self._timeout, follow_redirects=False)
            return self._client

    def _read(self, response: httpx.Response) -> bytes | TryLater:
        """The answer's body, bounded in size and in time, since who answers is not known yet."""
        if SERVER_MARK_HEADER not in response.headers:
            return TryLater(
                reason=f"somebody else answers for {self._server_url} (status {response.status_code}): "
                "a captive portal, a proxy or a load balancer"
            )
        deadline = self._clock.monotonic() + self._answer_timeout
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES or self._clock.monotonic() > deadline:
                return TryLater(reason="the server's answer does not end")
        return b"".join(parts)

    def _judge(self, response: httpx.Response, body: bytes) -> Outcome:
        status = response.status_code
        retry_after = read_retry_after(response.headers.get("Retry-After"), self._clock.now())
        try:
            document = decode_json(body)
        except JsonError:
            return TryLater(
                reason=f"the server's answer (status {status}) cannot be read", retry_after=retry_after
            )
        if status in (200, 201):
            return Delivered(status, document)
        problem: dict[str, Any] = document if type(document) is dict else {}
        code = problem.get("errorCode")
        if status in REFUSING_STATUSES and code is not None:
            return Refused(status, problem)
        return TryLater(
            reason=f"the server answers {status} ({code}: {problem.get('message')})",
            retry_after=retry_after,
            unauthorised=status in (401, 403),
            paced=status == 429 and code is not None,
            not_offered=code in (ErrorCode.NOT_FOUND, ErrorCode.METHOD_NOT_ALLOWED),
        )


def _trust(server_url: str, ca_file: str) -> ssl.SSLContext | bool:
    if not server_url.startswith("https:"):
        return False  # nothing to verify on the demo's loopback line; building a context would cost 7 MB
    if not ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"The certificate authority {ca_file} cannot be read ({error}); correct ca_file."
        ) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
