"""Reading a request's body: bounded while it is read, unpacked if gzip, decoded without a float.

It is read by a dependency, after the one that authenticates, so that a stranger's body is never read.
"""

import zlib
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from shared.problems import ErrorCode
from shared.protocol import Limits
from shared.wire_json import JsonError, decode_json
from sync_server.errors import Invalid, Refused
from sync_server.problem_responses import violations_of
from sync_server.request_context import parts_of

Model = TypeVar("Model", bound=BaseModel)


class BodyRefused(Refused):
    """A body that is too large, of another type, or cannot be unpacked or decoded."""


async def read_body(request: Request) -> bytes:
    """The body of `request`, unpacked where it came as gzip.

    Raises BodyRefused as soon as it grows beyond the limits, packed or unpacked, or is of another type.
    """
    limits = parts_of(request).limits
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise BodyRefused(
            f"The body is {content_type!r}; send application/json", code=ErrorCode.UNSUPPORTED_MEDIA_TYPE
        )
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limits.max_body_bytes:
        raise _too_large(limits)
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "gzip":
        return await _read_gzip(request, limits)
    if encoding != "identity":
        raise BodyRefused(
            f"The body is encoded as {encoding!r}; send gzip or none", code=ErrorCode.UNSUPPORTED_MEDIA_TYPE
        )
    return await _read_plain(request, limits)


async def _read_plain(request: Request, limits: Limits) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limits.max_body_bytes:
            raise _too_large(limits)
        chunks.append(chunk)
    return b"".join(chunks)


async def _read_gzip(request: Request, limits: Limits) -> bytes:
    """Unpacks chunk by chunk, so that a bomb is noticed at the limit and not when memory is gone."""
    unpacker = zlib.decompressobj(wbits=31)
    chunks: list[bytes] = []
    packed, size = 0, 0
    try:
        async for chunk in request.stream():
            packed += len(chunk)
            part = unpacker.decompress(chunk, limits.max_decompressed_bytes - size + 1)
            size += len(part)
            if packed > limits.max_body_bytes or size > limits.max_decompressed_bytes:
                raise _too_large(limits)
            chunks.append(part)
    except zlib.error as error:
        raise BodyRefused(
            f"The body is not gzip as its header says: {error}", code=ErrorCode.MALFORMED_JSON
        ) from error
    if not unpacker.eof or unpacker.unused_data:
        raise BodyRefused("The gzip body is cut off or followed by something", code=ErrorCode.MALFORMED_JSON)
    return b"".join(chunks)


def _too_large(limits: Limits) -> BodyRefused:
    return BodyRefused(
        f"The body is too large: at most {limits.max_body_bytes} bytes as sent and "
        f"{limits.max_decompressed_bytes} unpacked; send less at once",
        code=ErrorCode.BODY_TOO_LARGE,
        details={
            "limits": {
                "maxBodyBytes": limits.max_body_bytes,
                "maxDecompressedBytes": limits.max_decompressed_bytes,
            }
        },
    )


def decoded_json(body: bytes) -> Any:
    """The JSON value of `body`, numbers exact; raises BodyRefused with what is wrong with it."""
    try:
        return decode_json(body)
    except JsonError as error:
        raise unreadable(error) from error


def unreadable(error: JsonError) -> BodyRefused:
    """The refusal of a body that is no JSON that we read."""
    return BodyRefused(f"The body cannot be read: {error}", code=ErrorCode.MALFORMED_JSON)


def remember_body(request: Request, value: Any) -> None:
    """Keeps what `request` said, for whoever has to know the same request again (`idempotent_calls`)."""
    request.state.body_read = value


def body_read_for(request: Request) -> Any:
    """The JSON value that was read from `request`; None if nothing was."""
    return getattr(request.state, "body_read", None)


class JsonBody(Generic[Model]):
    """A FastAPI dependency: the request's body as a `model`; the OpenAPI document learns of it from here."""

    def __init__(self, model: type[Model], *, may_be_empty: bool = False) -> None:
        """`may_be_empty`: no body at all says as much as `{}`."""
        self.model = model
        self.may_be_empty = may_be_empty

    async def __call__(self, request: Request) -> Model:
        """Raises BodyRefused for what is no JSON, Invalid with every violation for what does not fit."""
        body = await read_body(request)
        value = decoded_json(body or b"{}" if self.may_be_empty else body)
        remember_body(request, value)
        try:
            return self.model.model_validate(value)
        except ValidationError as error:
            raise Invalid(
                "The request body is not valid", violations=violations_of(error.errors(include_url=False))
            ) from error
