"""A till in front of the loopback door, down to the bytes."""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any


class LoopbackTill:
    """Sends what a test wants sent; every answer is (status, decoded body)."""

    def __init__(self, port: int) -> None:
        self.port = port

    def post(self, document: Any, query: str = "") -> tuple[int, Any]:
        """Posts a JSON document to /v1/events."""
        return self.send(json.dumps(document).encode(), {}, query)

    def send(self, body: bytes, headers: Mapping[str, str] | None = None, query: str = "") -> tuple[int, Any]:
        """Posts bytes to /v1/events; a header given replaces the usual one."""
        return self.ask("POST", f"/v1/events{query}", body, headers)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Any request."""
        usual = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json"}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {**usual, "Content-Length": str(len(body)), **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders()
            with suppress(ConnectionError):  # refused before all of it was read; the answer is there
                connection.send(body)
            return _answer(connection.getresponse())
        finally:
            connection.close()

    def send_chunked(self, body: bytes) -> tuple[int, Any]:
        """Posts a body that does not announce its size."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            parts = (body[at : at + 65536] for at in range(0, len(body), 65536))
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/events", parts, headers, encode_chunked=True)
            return _answer(connection.getresponse())
        finally:
            connection.close()

    def raw(self, data: bytes) -> tuple[int, Any]:
        """Bytes that need not be HTTP."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            response = HTTPResponse(connection)
            response.begin()
            return _answer(response)


def _answer(response: HTTPResponse) -> tuple[int, Any]:
    return response.status, json.loads(response.read())
