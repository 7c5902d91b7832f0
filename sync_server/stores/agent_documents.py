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
MAX_ALARMS = 50
MAX_SENTENCE_CHARACTERS = 4000
MAX_ATTACHMENT_CHARACTERS = 3_000_000
MAX_LISTED_HASHES = 20_000
Count = Annotated[int, Field(ge=0, le=_LARGEST)]


class EnrolmentRequest(WireModel):
    """An agent asks to be let in; it made and saved its device id before it asked."""

    code: str = Field(min_length=1, max_length=100)
    device_id: UUID
    device_name: Identifier
    agent_version: Identifier
    signing_key: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="The public half of the device's Ed25519 key, in hex.",
    )


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


class AlarmOfAgent(WireModel):
    """Something that is wrong with an agent's PC, as the agent sees it."""

    code: Identifier
    since: AwareDatetime
    sentence: str = Field(max_length=MAX_SENTENCE_CHARACTERS, description="What happened and what to do.")


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
    alarms: list[AlarmOfAgent] = Field(
        default=[], max_length=MAX_ALARMS, description="Everything that is wrong now; each becomes a finding."
    )


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
    attachment: Annotated[str, Field(max_length=MAX_ATTACHMENT_CHARACTERS)] | None = Field(
        default=None, description="A file in base64, such as the zip of a BUNDLE."
    )


class CommandResultAnswer(WireModel):
    """The outcome is recorded."""

    command_id: UUID


class DayDigestRequest(WireModel):
    """The digest of a stream's business date, as the store sees it."""

    stream_id: Identifier
    business_date: CalendarDate
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    events: Count


class ListedRun(WireModel):
    """Neighbouring sequences: the first one, and the content hashes one after the other in base64."""

    first: Annotated[int, Field(ge=1, lt=2**53)]
    hashes: str = Field(max_length=MAX_LISTED_HASHES * 44)


class DayListRequest(WireModel):
    """Everything that the store has of a stream's business date from one sequence to another."""

    stream_id: Identifier
    business_date: CalendarDate
    first_sequence: Annotated[int, Field(ge=1, lt=2**53)]
    last_sequence: Annotated[int, Field(ge=1, lt=2**53)]
    runs: list[ListedRun] = Field(max_length=MAX_LISTED_HASHES)


class DayListAnswer(WireModel):
    """What of it headquarters lacks, has with other content, or has and the store has not."""

    missing: list[SequenceRange]
    different: list[SequenceRange]
    surplus: list[SequenceRange]


class DayDigestAnswer(WireModel):
    """Whether headquarters holds the same events, and how many it holds."""

    state: DayState
    business_date: date
    events: int
