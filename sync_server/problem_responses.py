"""Every error leaves in one shape, the spec's: whoever raises it, the framework included.

`errorCode`, `message`, `timestamp`, `requestId`, `details` with `violations[]`: see `shared/problems.py`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.problems import ErrorCode, Problem, Violation
from shared.wire_json import encode_json
from sync_server.errors import Forbidden, Refused
from sync_server.request_context import parts_of, request_id_of

JSON = "application/json"
RecordRefusal = Callable[[Request, Forbidden], Awaitable[None]]
"""Hears of every refusal of a caller who may be known; the audit trail wants it."""

_CODE_OF_STATUS = {
    400: ErrorCode.MALFORMED_JSON,
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.BODY_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    429: ErrorCode.TOO_MANY_REQUESTS,
    503: ErrorCode.UNAVAILABLE,
}


def install_problem_responses(app: FastAPI, record_refusal: RecordRefusal) -> None:
    """Makes `app` answer every error that its routes raise as a problem."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        if isinstance(error, Forbidden):
            await record_refusal(request, error)
        return problem_response(
            request, error.code, error.message, error.violations, details=error.details, headers=error.headers
        )

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, _parameters_invalid)
    app.add_exception_handler(HTTPException, _framework_refused)


def problem_response(
    request: Request,
    code: ErrorCode,
    message: str,
    violations: Sequence[Violation] = (),
    *,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to `request` that tells of one problem."""
    problem = Problem(
        code=code,
        message=message,
        timestamp=parts_of(request).clock.now(),
        request_id=request_id_of(request),
        violations=violations,
        details=details,
    )
    return Response(encode_json(problem.to_wire()), code.http_status, headers=headers, media_type=JSON)


async def _parameters_invalid(request: Request, error: Exception) -> Response:
    """A path or query parameter that FastAPI could not read."""
    assert isinstance(error, RequestValidationError)
    violations = violations_of(error.errors())
    return problem_response(
        request, ErrorCode.VALIDATION_FAILED, "The request's parameters are not valid", violations
    )


async def _framework_refused(request: Request, error: Exception) -> Response:
    """What Starlette refuses by itself: unknown routes and methods."""
    assert isinstance(error, HTTPException)
    code = _CODE_OF_STATUS.get(error.status_code, ErrorCode.INTERNAL_ERROR)
    if code is ErrorCode.NOT_FOUND:
        message = f"There is nothing at {request.url.path}"
    elif code is ErrorCode.METHOD_NOT_ALLOWED:
        message = f"{request.method} is not possible at {request.url.path}"
    else:
        message = str(error.detail or HTTPStatus(error.status_code).phrase)
    return problem_response(request, code, message, headers=error.headers)


def violations_of(errors: Sequence[Mapping[str, Any]]) -> list[Violation]:
    """Pydantic's errors as violations: `lines[0].counted`, what must hold, what came."""
    return [
        Violation(
            field=_field(error["loc"]),
            constraint=_constraint(error),
            rejected_value=_shown(error.get("input")),
        )
        for error in errors
    ]


def _field(location: Sequence[str | int]) -> str:
    names = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    field = ""
    for name in names:
        field += f"[{name}]" if isinstance(name, int) else f".{name}" if field else str(name)
    return field


def _constraint(error: Mapping[str, Any]) -> str:
    return "is required" if error["type"] == "missing" else str(error["msg"]).removeprefix("Value error, ")


def _shown(value: Any) -> Any:
    """A rejected value is shown where it is a plain one; of a container only its kind matters."""
    return value if value is None or isinstance(value, (str, int, bool)) else type(value).__name__
