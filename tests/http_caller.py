"""Requests to the server's application in this process, from tests that are no coroutines, or from threads."""

from functools import partial
from typing import Any
from uuid import uuid4

import httpx
from anyio.from_thread import BlockingPortal


class HttpCaller:
    """An httpx client on an event loop of its own; `key` goes along as the Bearer credential."""

    def __init__(self, portal: BlockingPortal, client: httpx.AsyncClient, key: str | None = None) -> None:
        self._portal = portal
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def as_caller(self, key: str) -> "HttpCaller":
        """The same application, called with another credential."""
        return HttpCaller(self._portal, self._client, key)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Sends one request; `options` as httpx takes them."""
        options["headers"] = {**self._headers, **options.get("headers", {})}
        return self._portal.call(partial(self._client.request, method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Sends a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Sends a POST."""
        return self.request("POST", path, **options)

    def order(self, path: str, *, key: str | None = None, **options: Any) -> httpx.Response:
        """Sends a POST as operators do: under an idempotency key, a fresh one unless it is named."""
        options["headers"] = {"Idempotency-Key": key or str(uuid4()), **options.get("headers", {})}
        return self.post(path, **options)
