"""What can go wrong at headquarters, and what each error becomes at the border.

    SyncServerError
    ├── Refused               a caller asked for what may not be; leaves as a problem with its ErrorCode
    │   ├── Unauthenticated   nobody known is asking (401)
    │   ├── Forbidden         somebody known, who may not do this (403)
    │   ├── NotFound          no such store, document or route (404)
    │   ├── Invalid           the request is understood and wrong, every violation named (422)
    │   ├── Conflict          what is there already says otherwise (409)
    │   └── Unavailable       not now; the same request may succeed later (503, Retry-After)
    └── CannotRun             the program cannot do its work; one sentence on stderr, exit code 1
        ├── SettingsInvalid
        ├── DatabaseUnreachable
        ├── SchemaOutdated
        └── EmbeddedPostgresFailed

Errors of libraries are translated where they come in: psycopg's in `database.py`, FastAPI's in
`problem_responses.py`. Whatever is not in this tree is a fault of ours and leaves as INTERNAL_ERROR.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.problems import ErrorCode, Violation


class SyncServerError(Exception):
    """Any error that this program foresees."""


class Refused(SyncServerError):
    """A request that is not carried out: its error code, a sentence, and what was wrong with which field."""

    code: ErrorCode

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode | None = None,
        violations: Sequence[Violation] = (),
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.violations = violations
        self.details = details
        self.headers = headers or {}


class Unauthenticated(Refused):
    """No credential, or one that nobody here knows."""

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Refused):
    """The caller is known and may not do this."""

    code = ErrorCode.FORBIDDEN


class NotFound(Refused):
    """What the request names does not exist."""

    code = ErrorCode.NOT_FOUND


class Invalid(Refused):
    """The request cannot be carried out as it stands, whoever sends it and however often."""

    code = ErrorCode.VALIDATION_FAILED


class Conflict(Refused):
    """The request contradicts what is already recorded."""

    code = ErrorCode.CONFLICT


class Unavailable(Refused):
    """A part that is needed does not answer; the same request is safe to send again."""

    code = ErrorCode.UNAVAILABLE

    def __init__(self, message: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_seconds)})


class CannotRun(SyncServerError):
    """The program cannot start or go on; the message says what happened and what to do."""


class SettingsInvalid(CannotRun):
    """A setting is unknown or has a value that cannot be used."""


class DatabaseUnreachable(CannotRun):
    """The database that the settings name does not let us in."""


class SchemaOutdated(CannotRun):
    """The database's schema is not the one that this version of the program needs."""


class EmbeddedPostgresFailed(CannotRun):
    """The embedded PostgreSQL could not be created, started or reached."""
