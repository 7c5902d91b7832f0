"""The stores as support sees them: last contact, backlog, streams with what is missing of each."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from shared.identifiers import is_store_id
from sync_server.database import Work
from sync_server.schema import HEADQUARTERS
from sync_server.stores.stream_gaps import StreamProgress, stream_progress


@dataclass(frozen=True, slots=True)
class StoreOverview:
    """One store in a list; `last_contact` and what follows are None while no agent has ever been heard of."""

    store_no: int
    store_id: str
    location_id: str
    timezone: str
    day_start: str
    currency: str
    intake: str | None
    last_contact: datetime | None
    backlog_events: int | None
    oldest_unsent_at: datetime | None
    open_findings: int


@dataclass(frozen=True, slots=True)
class AgentState:
    """An agent of a store and its last word."""

    device_id: str
    device_name: str
    agent_version: str
    enrolled_at: datetime
    last_contact: datetime | None
    stream_id: str | None
    backlog_events: int | None
    clock_offset_ms: int | None
    undeliverable: int | None
    disk_free_bytes: int | None
    timezone_data: str | None
    alarms: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream of a store and how far it has arrived."""

    stream_id: str
    device_id: str | None
    progress: StreamProgress


_OVERVIEW = """
SELECT s.store_no, s.store_id, s.location_id, s.timezone, to_char(s.day_start, 'HH24:MI') AS day_start,
       s.currency, s.intake, h.last_contact, h.backlog_events, h.oldest_unsent_at,
       (SELECT count(*) FROM finding f WHERE f.store_no = s.store_no AND f.status = 'OPEN') AS open_findings
FROM store s
LEFT JOIN LATERAL (
    SELECT max(received_at) AS last_contact, sum(backlog_events)::bigint AS backlog_events,
           min(oldest_accepted_at) AS oldest_unsent_at
    FROM agent_heartbeat a WHERE a.store_no = s.store_no
) h ON true
WHERE s.store_no <> %(headquarters)s AND {condition}
ORDER BY s.store_id LIMIT %(limit)s
"""
_AFTER = _OVERVIEW.format(condition="s.store_id > %(store_id)s")
_EXACTLY = _OVERVIEW.format(condition="s.store_id = %(store_id)s")
_AGENTS = """
SELECT d.device_id::text, d.device_name, coalesce(h.agent_version, d.agent_version) AS agent_version,
       d.enrolled_at, h.received_at AS last_contact, h.stream_id, h.backlog_events, h.clock_offset_ms,
       h.undeliverable, h.disk_free_bytes, h.timezone_data, coalesce(h.alarms, '[]') AS alarms
FROM device d LEFT JOIN agent_heartbeat h USING (store_no, device_no)
WHERE d.store_no = %s AND d.revoked_at IS NULL ORDER BY d.device_no
"""
_STREAMS = """
SELECT s.stream_id, d.device_id::text, s.received
FROM stream s LEFT JOIN device d USING (device_no) WHERE s.store_no = %s ORDER BY s.stream_no
"""


def overviews(work: Work, *, after: str, limit: int) -> list[StoreOverview]:
    """Stores by id, from the one after `after` on, at most `limit`."""
    return _overviews(work, _AFTER, after, limit)


def overview_of(work: Work, store_id: str) -> StoreOverview | None:
    """The one store of that id."""
    found = _overviews(work, _EXACTLY, store_id, 1) if is_store_id(store_id) else []
    return next(iter(found), None)


def agents_of(work: Work, store_no: int) -> list[AgentState]:
    """The store's enrolled agents, the oldest first."""
    with work.connection.cursor(row_factory=class_row(AgentState)) as cursor:
        return cursor.execute(_AGENTS, [store_no]).fetchall()


def streams_of(work: Work, store_no: int) -> list[StreamState]:
    """The store's streams, the oldest first."""
    rows = work.connection.execute(_STREAMS, [store_no])
    return [
        StreamState(stream_id, device_id, stream_progress(received))
        for stream_id, device_id, received in rows
    ]


def _overviews(work: Work, query: str, store_id: str, limit: int) -> list[StoreOverview]:
    parameters = {"headquarters": HEADQUARTERS, "store_id": store_id, "limit": limit}
    with work.connection.cursor(row_factory=class_row(StoreOverview)) as cursor:
        return cursor.execute(query, parameters).fetchall()
