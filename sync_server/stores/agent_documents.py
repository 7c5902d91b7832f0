"""The requests and answers between agents and headquarters, other than batches, as they go over the wire."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from sync_server.stores.agent_commands import AgentCommandType
from sync_server.stores.store_days import DayState
from sync_server.stores.store_facts import Profile
from sync_server.wire_models import CalendarDate, Identifier, SequenceRange, WireModel

_LARGEST = 2**63 - 1
Count = Annotated[int, Field(ge=0, le=_LARGEST)]


class EnrolmentRequest(WireModel):
    """An agent asks to be let in; it made and saved its device id before it asked."""

    code: str = Field(min_length=1, max_length=100)
    device_id: UUID
    device_name: Identifier
    agent_version: Identifier


class EnrolmentAnswer(WireModel):
    """The agent's store and its own credential, told this once."""

    store_id: str
    device_id: UUID
    credential: str
    profile: Profile


class Backlog(WireModel):
    """What an agent holds and headquarters has not acknowledged."""

    events: Count
    oldest_accepted_at: AwareDatetime | None = None


class HeartbeatRequest(WireModel):
    """How an agent is."""

    agent_version: Identifier
    stream_id: Identifier
    sent_at: AwareDatetime
    clock_offset_ms: Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)] | None = None
    backlog: Backlog
    last_sequence: Count
    acknowledged_sequence: Count
    undeliverable: Count
    disk_free_bytes: Count
    timezone_data: Identifier


class CommandForAgent(WireModel):
    """Something that headquarters asks of the agent."""

    command_id: UUID
    type: AgentCommandType
    arguments: dict[str, Any]
    expires_at: datetime


class HeartbeatAnswer(WireModel):
    """How far the agent's stream has arrived, what is missing, and what to do."""

    server_time: datetime
    acknowledged_sequence: int
    gaps: list[SequenceRange]
    commands: list[CommandForAgent]


class CommandResultRequest(WireModel):
    """What came of a command."""

    succeeded: bool
    result: dict[str, Any] = Field(default_factory=dict)


class CommandResultAnswer(WireModel):
    """The outcome is recorded."""

    command_id: UUID


class DayDigestRequest(WireModel):
    """The digest of a stream's business date, as the store sees it."""

    stream_id: Identifier
    business_date: CalendarDate
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    events: Count


class DayDigestAnswer(WireModel):
    """Whether headquarters holds the same events, and how many it holds."""

    state: DayState
    business_date: date
    events: int
