"""What headquarters asks of a store's agents: a closed list, fetched by them, expiring, answered once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import class_row
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

    RESYNC = "RESYNC"
    """Send again: `fromSequence` and `toSequence` of `streamId`, or a `businessDate`, or `all`; with none of
    them what headquarters lacks. `dryRun` says what that would be."""
    PROVE = "PROVE"
    """Send the digest of every day that is not proven, today's included."""
    DOCTOR = "DOCTOR"
    """Examine yourself, and say how everything is."""
    BUNDLE = "BUNDLE"
    """Send the zip for support."""


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command that waits for an agent."""

    command_id: UUID
    type: str
    arguments: dict[str, Any]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CommandState:
    """A command as it stands; `result` is what the agent answered."""

    command_no: int
    command_id: UUID
    device_id: UUID | None
    type: str
    arguments: dict[str, Any]
    reason: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    finished_at: datetime | None
    succeeded: bool | None
    result: dict[str, Any] | None
    attachment_bytes: int | None

    def state(self, now: datetime) -> str:
        """WAITING for the agent, DONE, FAILED at the agent, or EXPIRED without an answer."""
        if self.finished_at is not None:
            return "DONE" if self.succeeded else "FAILED"
        return "WAITING" if self.expires_at > now else "EXPIRED"


_PENDING = """
SELECT command_id, type, arguments, expires_at FROM agent_command
WHERE store_no = %(store_no)s AND finished_at IS NULL AND expires_at > %(now)s
  AND (device_no IS NULL OR device_no = %(device_no)s)
ORDER BY command_no LIMIT %(limit)s
"""
_GIVE = """
INSERT INTO agent_command (command_id, store_no, device_no, type, arguments, created_at, created_by, expires_at,
                           reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAME_OPEN = """
SELECT command_id FROM agent_command
WHERE store_no = %s AND device_no IS NOT DISTINCT FROM %s AND type = %s AND arguments = %s
  AND finished_at IS NULL AND expires_at > %s ORDER BY command_no LIMIT 1
"""
_FINISH = """
UPDATE agent_command
SET finished_at = %(now)s, succeeded = %(succeeded)s, result = %(result)s, attachment = %(attachment)s
WHERE store_no = %(store_no)s AND command_id = %(command_id)s AND finished_at IS NULL
  AND (device_no IS NULL OR device_no = %(device_no)s)
"""
_THERE = "SELECT 1 FROM agent_command WHERE store_no = %s AND command_id = %s"
_LIST = """
SELECT c.command_no, c.command_id, d.device_id, c.type, c.arguments, c.reason, c.created_at, c.created_by,
       c.expires_at, c.finished_at, c.succeeded, c.result, octet_length(c.attachment) AS attachment_bytes
FROM agent_command c LEFT JOIN device d USING (device_no)
WHERE c.store_no = %(store_no)s AND (%(before)s::bigint IS NULL OR c.command_no < %(before)s)
  AND (%(command_id)s::uuid IS NULL OR c.command_id = %(command_id)s)
  AND (%(types)s::text[] IS NULL OR c.type = ANY (%(types)s))
ORDER BY c.command_no DESC LIMIT %(limit)s
"""
_ATTACHMENT = "SELECT attachment FROM agent_command WHERE store_no = %s AND command_id = %s"


def give_command(
    work: Work,
    store_no: int,
    command: AgentCommandType,
    arguments: dict[str, Any],
    *,
    by: Caller,
    now: datetime,
    device_no: int | None = None,
    reason: str | None = None,
    expires_in: timedelta = DEFAULT_EXPIRY,
) -> UUID:
    """Leaves a command for one agent of the store, or for whichever fetches and answers it first."""
    command_id = uuid4()
    document = Jsonb(arguments, dumps=encode_json)
    row = (command_id, store_no, device_no, command.value, document, now, by.name, now + expires_in, reason)
    work.connection.execute(_GIVE, row)
    after = {"type": command.value, "arguments": arguments, "reason": reason}
    facts = facts_by(by, at=now, action="command.given", subject=str(command_id), after=after)
    append_entry(work, store_no, facts)
    return command_id


def same_open_command(
    work: Work,
    store_no: int,
    command: AgentCommandType,
    arguments: dict[str, Any],
    *,
    device_no: int | None,
    now: datetime,
) -> UUID | None:
    """The very same command if it still waits for its agent: asking twice needs no second one."""
    document = Jsonb(arguments, dumps=encode_json)
    row = work.connection.execute(_SAME_OPEN, [store_no, device_no, command.value, document, now]).fetchone()
    return None if row is None else row[0]


def pending_commands(
    connection: RawConnection, store_no: int, device_no: int | None, now: datetime
) -> list[PendingCommand]:
    """What waits for that agent of the store, the oldest first."""
    parameters = {"store_no": store_no, "device_no": device_no, "now": now, "limit": MAX_AT_ONCE}
    return [PendingCommand(*row) for row in connection.execute(_PENDING, parameters)]


def record_result(
    work: Work,
    command_id: UUID,
    *,
    by: Caller,
    succeeded: bool,
    result: dict[str, Any],
    now: datetime,
    attachment: bytes | None = None,
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
        "attachment": attachment,
        "now": now,
    }
    if work.connection.execute(_FINISH, parameters).rowcount:
        after = {"succeeded": succeeded}
        facts = facts_by(by, at=now, action="command.answered", subject=str(command_id), after=after)
        append_entry(work, by.store_no, facts)
    elif not work.connection.execute(_THERE, [by.store_no, command_id]).fetchone():
        raise NotFound(f"Store {by.store_id} has no command {command_id}")


def list_commands(
    work: Work,
    store_no: int,
    *,
    types: Sequence[AgentCommandType] | None = None,
    before: int | None = None,
    limit: int,
) -> list[CommandState]:
    """A store's commands, the newest first, from the one before number `before` on."""
    return _states(work, store_no, types=types, before=before, limit=limit)


def find_command(work: Work, store_no: int, command_id: UUID) -> CommandState:
    """One command of the store; raises NotFound."""
    found = _states(work, store_no, command_id=command_id, limit=1)
    if not found:
        raise NotFound(f"The store has no command {command_id}")
    return found[0]


def attachment_of(work: Work, store_no: int, command_id: UUID) -> bytes:
    """The file that the answer brought along; raises NotFound when there is none."""
    row = work.connection.execute(_ATTACHMENT, [store_no, command_id]).fetchone()
    if row is None or row[0] is None:
        raise NotFound(f"Command {command_id} has brought no file; it was not answered yet, or asks for none")
    return bytes(row[0])


def _states(
    work: Work,
    store_no: int,
    *,
    types: Sequence[AgentCommandType] | None = None,
    before: int | None = None,
    command_id: UUID | None = None,
    limit: int,
) -> list[CommandState]:
    parameters = {
        "store_no": store_no,
        "types": None if types is None else [each.value for each in types],
        "before": before,
        "command_id": command_id,
        "limit": limit,
    }
    with work.connection.cursor(row_factory=class_row(CommandState)) as cursor:
        return cursor.execute(_LIST, parameters).fetchall()
