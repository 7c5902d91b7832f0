"""Who is asking: the one value that the rest of the server knows of authentication."""

from dataclasses import dataclass
from enum import StrEnum

from sync_server.people.roles import Role


class CallerKind(StrEnum):
    """What sort of caller it is; the audit trail says so with the name."""

    AGENT = "agent"
    PERSON = "person"
    SERVICE = "service"
    COMMAND_LINE = "command_line"
    """Somebody at the server's own command line, known by the name of their account on that machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller who proved who they are.

    `name`: a person's or service's name, or an agent's device id. `store_no` and `store_id` are set for who
    may touch that one store alone, `device_no` for agents. `request_id` and `origin` (an address) say by
    which request they come.
    """

    kind: CallerKind
    name: str
    roles: frozenset[Role] = frozenset()
    store_no: int | None = None
    store_id: str | None = None
    device_no: int | None = None
    request_id: str = ""
    origin: str = ""
