"""What headquarters asks of a store's agents: a closed list, fetched by them, expiring, answered once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Json, Jsonb

from shared.wire_json import encode_json
from sync_server.database import RawConnection, Work
from sync_server.errors import NotFound
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller

DEFAULT_EXPIRY = timedelta(days=7)
MAX_AT_ONCE = 50


class AgentCommandType(StrEnum):
    """The commands that an agent knows; there is no other, and none that runs a program."""

    RESEND = "RESEND"
    """Send the sequences `firstSequence` to `lastSequence` of `streamId` once more."""


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command that waits for an agent."""

    command_id: UUID
    type: str
    arguments: dict[str, Any]
    expires_at: datetime


_PENDING = """
SELECT command_id, type, arguments, expires_at FROM agent_command
WHERE store_no = %(store_no)s AND finished_at IS NULL AND expires_at > %(now)s
  AND (device_no IS NULL OR device_no = %(device_no)s)
ORDER BY command_no LIMIT %(limit)s
"""
_GIVE = """
INSERT INTO agent_command (command_id, store_no, type, arguments, created_at, created_by, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_FINISH = """
UPDATE agent_command SET finished_at = %(now)s, succeeded = %(succeeded)s, result = %(result)s
WHERE store_no = %(store_no)s AND command_id = %(command_id)s AND finished_at IS NULL
  AND (device_no IS NULL OR device_no = %(device_no)s)
"""
_THERE = "SELECT 1 FROM agent_command WHERE store_no = %s AND command_id = %s"


def give_command(
    work: Work,
    store_no: int,
    command: AgentCommandType,
    arguments: dict[str, Any],
    *,
    by: Caller,
    now: datetime,
    expires_in: timedelta = DEFAULT_EXPIRY,
) -> UUID:
    """Leaves a command for the store's agents; the first one that fetches and answers it has done it."""
    command_id = uuid4()
    document = Jsonb(arguments, dumps=encode_json)
    row = (command_id, store_no, command.value, document, now, by.name, now + expires_in)
    work.connection.execute(_GIVE, row)
    after = {"type": command.value, "arguments": arguments}
    facts = facts_by(by, at=now, action="command.given", subject=str(command_id), after=after)
    append_entry(work, store_no, facts)
    return command_id


def pending_commands(
    connection: RawConnection, store_no: int, device_no: int | None, now: datetime
) -> list[PendingCommand]:
    """What waits for that agent of the store, the oldest first."""
    parameters = {"store_no": store_no, "device_no": device_no, "now": now, "limit": MAX_AT_ONCE}
    return [PendingCommand(*row) for row in connection.execute(_PENDING, parameters)]


def record_result(
    work: Work, command_id: UUID, *, by: Caller, succeeded: bool, result: dict[str, Any], now: datetime
) -> None:
    """Records an agent's outcome; the first answer counts, a repeated one changes nothing.

    Raises NotFound for a command that the agent's store never had.
    """
    assert by.store_no is not None
    parameters = {
        "store_no": by.store_no,
        "device_no": by.device_no,
        "command_id": command_id,
        "succeeded": succeeded,
        "result": Json(result, dumps=encode_json),
        "now": now,
    }
    if work.connection.execute(_FINISH, parameters).rowcount:
        after = {"succeeded": succeeded}
        facts = facts_by(by, at=now, action="command.answered", subject=str(command_id), after=after)
        append_entry(work, by.store_no, facts)
    elif not work.connection.execute(_THERE, [by.store_no, command_id]).fetchone():
        raise NotFound(f"Store {by.store_id} has no command {command_id}")
