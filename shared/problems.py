"""What can go wrong between a till, an agent, an operator and HQ: one code each, its status, whether to retry.

Every error that leaves either program has one shape, the one that ADR-010 lays down:
`errorCode`, `message`, `timestamp`, `requestId`, `details` with `violations[]`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.clock import instant_text

MAX_REJECTED_CHARACTERS = 200
"""Characters of a rejected value that are given back; a sender knows the rest."""


class ErrorCode(StrEnum):
    """Every error code of the product."""

    VALIDATION_FAILED = "VALIDATION_FAILED"
    MALFORMED_JSON = "MALFORMED_JSON"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    STORE_NOT_FOUND = "STORE_NOT_FOUND"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    BATCH_CONFLICT = "BATCH_CONFLICT"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    INSUFFICIENT_AVAILABLE = "INSUFFICIENT_AVAILABLE"
    AVAILABILITY_STALE = "AVAILABILITY_STALE"
    RESERVATION_NOT_OPEN = "RESERVATION_NOT_OPEN"
    ENROLMENT_REFUSED = "ENROLMENT_REFUSED"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    UNAVAILABLE = "UNAVAILABLE"
    DISK_FULL = "DISK_FULL"

    @property
    def http_status(self) -> int:
        """The HTTP status that the code travels with."""
        return _STATUS[self]

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without anybody changing it."""
        return self.http_status in (429, 500, 503, 507)


_STATUS = {
    ErrorCode.VALIDATION_FAILED: 422,
    ErrorCode.MALFORMED_JSON: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.STORE_NOT_FOUND: 404,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.CONFLICT: 409,
    ErrorCode.BATCH_CONFLICT: 409,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.INSUFFICIENT_AVAILABLE: 409,
    ErrorCode.AVAILABILITY_STALE: 409,
    ErrorCode.RESERVATION_NOT_OPEN: 409,
    ErrorCode.ENROLMENT_REFUSED: 403,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.TOO_MANY_REQUESTS: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.DISK_FULL: 507,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with one field: where (`events[0].quantity`), what must hold, and what came."""

    field: str
    constraint: str
    rejected_value: Any = None

    def to_wire(self) -> dict[str, Any]:
        """The violation as the spec spells it."""
        return {
            "field": self.field,
            "constraint": self.constraint,
            "rejectedValue": _bounded(self.rejected_value),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error answer: what happened, for which request, and every violation that caused it."""

    code: ErrorCode
    message: str
    timestamp: datetime
    request_id: str
    violations: Sequence[Violation] = ()
    details: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        """The problem in the shape of ADR-010."""
        details = dict(self.details or {})
        if self.violations:
            details["violations"] = [violation.to_wire() for violation in self.violations]
        return {
            "errorCode": self.code.value,
            "message": self.message,
            "timestamp": instant_text(self.timestamp),
            "requestId": self.request_id,
            "details": details,
        }


def _bounded(value: Any) -> Any:
    """The value itself where it is small; the beginning of its text where it is not."""
    if value is None or type(value) is bool:
        return value
    text = str(value)
    if len(text) > MAX_REJECTED_CHARACTERS:
        return text[:MAX_REJECTED_CHARACTERS] + "…"
    return value
