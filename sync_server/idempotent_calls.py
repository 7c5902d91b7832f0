"""The door of every operators' POST: what is asked twice under one key is done once and answered alike.

    def post_transfer(request: Request, caller: Controller, key: RequiredKey, body: …) -> Response:
        def act(work: Work) -> Response:
            …
            return answer(shown, 201)
        return once(request, caller, key, act)

`once` opens the unit of work. The key belongs to its caller, is kept with the answer in the transaction of the
effect (a crash leaves both or neither), and never expires: a repetition after a year gets the answer of the
first time. A request that was refused has left nothing and takes no key.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Protocol

from fastapi import Header
from starlette.requests import Request
from starlette.responses import Response

from shared.canonical_json import canonical_hash
from shared.problems import ErrorCode
from shared.wire_json import encode_json
from sync_server.database import Work
from sync_server.errors import Conflict
from sync_server.request_body import body_read_for
from sync_server.request_context import parts_of

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

_KEY = Header(
    alias=KEY_HEADER,
    min_length=1,
    max_length=200,
    pattern=r"^[!-~]+$",
    description="Chosen by the caller, one per intention: the same request under the same key is done once, however "
    "often it is sent; another request under it is refused (409 IDEMPOTENCY_CONFLICT). Never expires.",
)
RequiredKey = Annotated[str, _KEY]
"""The key of an operators' POST; a request without one is refused (422)."""
OptionalKey = Annotated[str | None, _KEY]
"""For the one request that the specification writes without a key."""

Act = Callable[[Work], Response]
"""Does what was asked, in the transaction it is given, and answers; raises Refused to leave nothing behind."""


class Asking(Protocol):
    """Who asks; a `people.callers.Caller` is one."""

    @property
    def kind(self) -> str:
        """Person, service, command line: two of one name are two."""

    @property
    def name(self) -> str:
        """The name that the audit trail has."""


_CLAIM = """
INSERT INTO idempotency_key (actor, key, operation, request_sha256, created_at)
VALUES (%(actor)s, %(key)s, %(operation)s, %(sha256)s, %(now)s) ON CONFLICT DO NOTHING RETURNING true
"""
"""Waits for a transaction that is using the same key; afterwards its answer can be seen."""
_ANSWERED = """
SELECT operation, request_sha256, status, answer FROM idempotency_key
WHERE actor = %(actor)s AND key = %(key)s
"""
_KEEP = """
UPDATE idempotency_key SET status = %(status)s, answer = %(answer)s WHERE actor = %(actor)s AND key = %(key)s
"""


def once(request: Request, caller: Asking, key: str | None, act: Act) -> Response:
    """What `act` answers, done once for this caller and key; without a key it is simply done.

    Raises Conflict (IDEMPOTENCY_CONFLICT) when the key came before with another path or body. A key is taken
    before any store is locked, so that waiting for one holds up nobody else.
    """
    parts = parts_of(request)
    with parts.database.unit_of_work() as work:
        if key is None:
            return act(work)
        facts = {
            "actor": f"{caller.kind}:{caller.name}",
            "key": key,
            "operation": _operation(request),
            "sha256": _body_sha256(request),
            "now": parts.clock.now(),
        }
        if work.connection.execute(_CLAIM, facts).fetchone() is None:
            return _replay(work, facts)
        made = act(work)
        work.connection.execute(_KEEP, facts | {"status": made.status_code, "answer": bytes(made.body)})
        return made


def _replay(work: Work, facts: dict[str, object]) -> Response:
    row = work.connection.execute(_ANSWERED, facts).fetchone()
    assert row is not None
    operation, sha256, status, body = row
    if operation != facts["operation"] or bytes(sha256) != facts["sha256"]:
        raise Conflict(
            f"This {KEY_HEADER} was used before, for {operation} or with another body; "
            "choose a new key for a new request.",
            code=ErrorCode.IDEMPOTENCY_CONFLICT,
        )
    return Response(bytes(body), status, headers={REPLAYED_HEADER: "true"}, media_type="application/json")


def _operation(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.method} {request.url.path}{query}".replace("\x00", "")


def _body_sha256(request: Request) -> bytes:
    value = body_read_for(request)
    try:
        return canonical_hash(value)
    except ValueError:  # a number that nobody reads, too long for a canonical form
        return hashlib.sha256(encode_json(value)).digest()
