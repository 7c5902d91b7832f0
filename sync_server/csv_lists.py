"""Lists as CSV: whoever asks for `Accept: text/csv` gets the page of a list as a table.

Numbers keep their digits, what is a list or an object itself stands in its cell as JSON, null is an empty cell.
The cursor of the next page is in a header, since a table has no place for it. Wraps the application: no list knows.
"""

import csv
import io
from collections.abc import Awaitable, Callable, MutableMapping
from decimal import Decimal
from typing import Any

from shared.wire_json import JsonError, decode_json, encode_json

NEXT_HEADER = "X-Next-Cursor"
CSV_TYPE = "text/csv; charset=utf-8"

Message = MutableMapping[str, Any]
Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class CsvLists:
    """ASGI middleware that turns `{"items":[…],"next":…}` into a table for those who accept nothing but one."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serves one request; all but GETs that ask for CSV pass through untouched."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _asks_for_csv(scope):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def gather(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                await _answer(start, bytes(body), send)

        await self._app(scope, receive, gather)


def as_table(items: list[dict[str, Any]]) -> str:
    """Rows of a list as CSV with a header; nothing at all where there are none."""
    if not items:
        return ""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = list(dict.fromkeys(name for item in items for name in item))
    writer.writerow(columns)
    for item in items:
        writer.writerow([_cell(item.get(column)) for column in columns])
    return text.getvalue()


async def _answer(start: Message, body: bytes, send: Callable[[Message], Awaitable[None]]) -> None:
    page = _page(body) if start["status"] == 200 else None
    if page is not None:
        body = as_table(page["items"]).encode()
        kept = [
            (name, value)
            for name, value in start["headers"]
            if name not in (b"content-type", b"content-length")
        ]
        own = [(b"content-type", CSV_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        if page.get("next"):
            own.append((NEXT_HEADER.lower().encode(), str(page["next"]).encode()))
        start = {**start, "headers": [*kept, *own]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _asks_for_csv(scope: MutableMapping[str, Any]) -> bool:
    accepts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"accept"]
    wanted = [part.partition(";")[0].strip() for text in accepts for part in text.split(",")]
    return "text/csv" in wanted and "application/json" not in wanted


def _page(body: bytes) -> dict[str, Any] | None:
    try:
        page = decode_json(body)
    except JsonError:
        return None
    listed = isinstance(page, dict) and isinstance(page.get("items"), list)
    return page if listed and all(isinstance(item, dict) for item in page["items"]) else None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    return encode_json(value).decode()
