"""Who is asking, and whether they may: the one dependency that every route but a few named ones carries.

Default deny: a route says which roles may use it, and whether the store's own agent may. An agent, and a
service bound to a store, may touch that store alone, whatever path, body or header says.

    def show_stores(caller: Annotated[Caller, authenticated(*READERS)]) -> Response: ...
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Depends
from starlette.requests import Request

from sync_server.errors import Forbidden, Unauthenticated
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.known_credentials import KnownCredentials
from sync_server.people.roles import Role
from sync_server.request_context import origin_of, request_id_of

STORE_PARAMETER = "storeId"
"""The path parameter that names the store which a request touches."""


class Permission:
    """What a route asks of its callers; as a dependency it gives the caller or refuses."""

    def __init__(self, roles: frozenset[Role], *, agents: bool) -> None:
        self.roles = roles
        self.agents = agents

    async def __call__(self, request: Request) -> Caller:
        """The caller of `request`; raises Unauthenticated or Forbidden."""
        known: KnownCredentials = request.app.state.credentials
        key = _bearer(request)
        caller = known.remembered(key) or await run_sync(known.look_up, key)
        if caller is None:
            raise Unauthenticated("The credential is unknown, expired or revoked")
        caller = replace(caller, request_id=request_id_of(request), origin=origin_of(request))
        request.state.caller = caller
        self.require(caller, request.path_params)
        return caller

    def require(self, caller: Caller, path: Mapping[str, Any]) -> None:
        """Raises Forbidden unless `caller` may use a route of this permission at `path`."""
        if caller.kind is CallerKind.AGENT:
            if not self.agents:
                raise Forbidden("An agent may not do this")
        elif not self.roles & caller.roles:
            needed = ", ".join(sorted(self.roles)) or "none that a person or service can have"
            raise Forbidden(f"This needs one of these roles: {needed}")
        if caller.store_id is not None and path.get(STORE_PARAMETER) != caller.store_id:
            raise Forbidden(f"This credential is for store {caller.store_id} alone")


def authenticated(*roles: Role, agents: bool = False) -> Any:
    """The dependency of a route that callers with any of `roles` may use, and agents if `agents`."""
    return Depends(Permission(frozenset(roles), agents=agents))


def caller_known_to(request: Request) -> Caller | None:
    """Who sent `request`, if that was found out; for whoever records its refusal."""
    return getattr(request.state, "caller", None)


def _bearer(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated("Send your credential as `Authorization: Bearer …`")
    return key.strip()
