"""What a till may send in one request, and what it is answered: pure reading and writing, no sockets."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_agent.plain_record import read_record
from edge_agent.stamped_event import Accepted, Refused, UnreadableLine
from shared.clock import Clock
from shared.problems import ErrorCode, Problem, Violation
from shared.protocol import DEFAULT_LIMITS
from shared.wire_json import JsonError, decode_json, encode_json

JSON_TYPES = frozenset({"application/json"})
NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

MAX_BODY_BYTES = DEFAULT_LIMITS.max_body_bytes
MAX_EVENTS = DEFAULT_LIMITS.max_events

REFUSED_MESSAGE = "POS event validation failed"

_encode = msgspec.json.Encoder().encode
_split_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class RequestRefused(Exception):
    """A request that is answered with an error; carries what the answer needs."""

    def __init__(self, code: ErrorCode, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


def read_records(body: bytes, content_type: str) -> list[Any]:
    """The records of a request: one event, an array, or one a line. Raises RequestRefused.

    A line that is no JSON becomes an UnreadableLine, so that it is named beside the others.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in NDJSON_TYPES:
        records: list[Any] = [_read_line(line) for line in body.splitlines() if line.strip()]
    elif media_type in JSON_TYPES:
        try:
            records = _read_document(body)
        except JsonError as error:
            fault = f"{str(error)[:1].upper()}{str(error)[1:]}"
            hint = "send one event, an array, or NDJSON as application/x-ndjson"
            raise RequestRefused(ErrorCode.MALFORMED_JSON, f"{fault}; {hint}.") from None
    else:
        raise RequestRefused(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Send events as application/json or application/x-ndjson."
        )
    if len(records) > MAX_EVENTS:
        raise _too_many(len(records))
    return records


def _read_document(body: bytes) -> list[Any]:
    """One event or an array of them; raises JsonError."""
    try:
        if not body.lstrip().startswith(b"["):
            return [read_record(body)]
        elements = _split_array(body)
        if len(elements) > MAX_EVENTS:
            raise _too_many(len(elements))
        return [read_record(bytes(element)) for element in elements]
    except (msgspec.DecodeError, RecursionError, JsonError):
        # Said once more of the whole: what is wrong has its place in the document and not in one event.
        document = decode_json(body)
        return document if type(document) is list else [document]


def _too_many(count: int) -> RequestRefused:
    return RequestRefused(
        ErrorCode.BODY_TOO_LARGE,
        f"A request may hold {MAX_EVENTS} events; send these {count} in several.",
    )


def _read_line(line: bytes) -> Any:
    try:
        return read_record(line)
    except JsonError as error:
        return UnreadableLine(raw=line, reason=str(error))


def raw_bytes(record: Any) -> bytes:
    """A record as it can be kept."""
    return record.raw if type(record) is UnreadableLine else encode_json(record)


def accepted_answer(accepted: Sequence[Accepted]) -> bytes:
    """The body of a 201: `[{eventId, sequence, businessDate, duplicate}]` in the order of the request."""
    return _encode(accepted)


def refused_details(refused: Sequence[Refused], accepted: Sequence[Accepted] | None) -> dict[str, Any]:
    """What a 422 says beside the violations; `accepted` only when the good ones were kept."""
    details: dict[str, Any] = {"refused": [entry.index for entry in refused]}
    if accepted is not None:
        details["accepted"] = msgspec.to_builtins(accepted)
    return details


def problem_body(
    clock: Clock,
    request_id: str,
    code: ErrorCode,
    message: str,
    violations: Sequence[Violation] = (),
    details: dict[str, Any] | None = None,
) -> bytes:
    """An error answer in the spec's shape."""
    problem = Problem(
        code=code,
        message=message,
        timestamp=clock.now(),
        request_id=request_id,
        violations=violations,
        details=details,
    )
    return encode_json(problem.to_wire())
