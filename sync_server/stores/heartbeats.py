"""What an agent says of itself, kept as the last word, and what it hears back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.multirange import Multirange

from sync_server.database import Work
from sync_server.stores.agent_alarms import AgentAlarm, alarm_column, note_alarms
from sync_server.stores.agent_commands import PendingCommand, pending_commands
from sync_server.stores.stream_gaps import StreamProgress, stream_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """An agent's state: its stream and how far it is, its backlog, its clock, its disk."""

    agent_version: str
    stream_id: str
    sent_at: datetime
    timezone_data: str
    clock_offset_ms: int | None
    backlog_events: int
    oldest_accepted_at: datetime | None
    last_sequence: int
    acknowledged_sequence: int
    undeliverable: int
    disk_free_bytes: int
    alarms: Sequence[AgentAlarm] = ()


@dataclass(frozen=True, slots=True)
class HeartbeatReply:
    """How far its stream has arrived here, and the commands that wait."""

    progress: StreamProgress
    commands: list[PendingCommand]


_KEEP = """
INSERT INTO agent_heartbeat (store_no, device_no, received_at, sent_at, agent_version, stream_id,
    timezone_data, clock_offset_ms, backlog_events, oldest_accepted_at, last_sequence, acknowledged_sequence,
    undeliverable, disk_free_bytes, alarms)
VALUES (%(store_no)s, %(device_no)s, %(now)s, %(sent_at)s, %(agent_version)s, %(stream_id)s,
    %(timezone_data)s, %(clock_offset_ms)s, %(backlog_events)s, %(oldest_accepted_at)s, %(last_sequence)s,
    %(acknowledged_sequence)s, %(undeliverable)s, %(disk_free_bytes)s, %(alarms)s)
ON CONFLICT (store_no, device_no) DO UPDATE SET
    received_at = excluded.received_at, sent_at = excluded.sent_at, agent_version = excluded.agent_version,
    stream_id = excluded.stream_id, timezone_data = excluded.timezone_data,
    clock_offset_ms = excluded.clock_offset_ms, backlog_events = excluded.backlog_events,
    oldest_accepted_at = excluded.oldest_accepted_at, last_sequence = excluded.last_sequence,
    acknowledged_sequence = excluded.acknowledged_sequence, undeliverable = excluded.undeliverable,
    disk_free_bytes = excluded.disk_free_bytes, alarms = excluded.alarms
"""
_RECEIVED = "SELECT received FROM stream WHERE store_no = %s AND stream_id = %s"


def record_heartbeat(
    work: Work, store_no: int, device_no: int, beat: Heartbeat, *, now: datetime
) -> HeartbeatReply:
    """Keeps the agent's last word and says what it should know; takes no lock on the store.

    What the agent says is wrong becomes a finding, and ends as one when it no longer says so.
    """
    note_alarms(work, store_no, device_no, beat.alarms, now=now)
    parameters = {name: getattr(beat, name) for name in Heartbeat.__slots__}
    parameters["alarms"] = alarm_column(beat.alarms)
    work.connection.execute(_KEEP, {**parameters, "store_no": store_no, "device_no": device_no, "now": now})
    row = work.connection.execute(_RECEIVED, [store_no, beat.stream_id]).fetchone()
    received: Multirange[int] = row[0] if row else Multirange()
    return HeartbeatReply(
        progress=stream_progress(received, acknowledged_before=beat.acknowledged_sequence),
        commands=pending_commands(work.connection, store_no, device_no, now),
    )
