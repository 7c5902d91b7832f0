"""The answer to a batch: what it held when it was posted, and what has become of its stream since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor
from psycopg.types.multirange import Multirange

from shared.clock import instant_text
from shared.event_batch import BatchReceipt
from sync_server.people.callers import Caller, CallerKind
from sync_server.stores.agent_commands import pending_commands
from sync_server.stores.agent_documents import CommandForAgent
from sync_server.stores.locked_store import KnownStream, stream_with
from sync_server.stores.stream_gaps import stream_progress

POSTED = "POSTED"

_KNOWN = """
SELECT EXISTS (SELECT FROM agent_command WHERE store_no = %(store_no)s AND finished_at IS NULL),
       s.stream_no, s.received, b.content_hash, b.stream_no, b.accepted, b.duplicates, b.held, b.findings
FROM (SELECT) AS asked
LEFT JOIN stream AS s ON s.store_no = %(store_no)s AND s.stream_id = %(stream_id)s
LEFT JOIN pos_batch AS b ON b.store_no = %(store_no)s AND b.batch_id = %(batch_id)s
"""


@dataclass(frozen=True, slots=True)
class Answering:
    """Who is answered about which batch of which store, and when."""

    caller: Caller
    store_no: int
    store_id: str
    batch_id: str
    now: datetime
    asks: bool
    """Whether the store's agents are asked for anything; a command given in this very moment waits for a heartbeat."""


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What became of a batch's events when it was posted."""

    accepted: int
    duplicates: int
    held: int
    findings: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class BatchAsPosted:
    """A batch that was posted before."""

    content_hash: bytes
    stream_no: int | None
    counts: BatchCounts


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a stream and of a batch of one store; None for what has never been heard of."""

    stream: KnownStream | None
    batch: BatchAsPosted | None
    asks: bool
    """Whether any command of the store is open."""


def read_known(cursor: Cursor[Any], store_no: int, stream_id: str | None, batch_id: str) -> Known:
    """The store's stream of that id and its batch of that id, both in one question."""
    asked = {"store_no": store_no, "stream_id": stream_id, "batch_id": batch_id}
    row = cursor.execute(_KNOWN, asked, prepare=True).fetchone()
    assert row is not None
    asks, stream_no, received, content_hash, batch_stream_no, *counts = row
    stream = None if stream_no is None else stream_with(stream_no, str(stream_id), received)
    if content_hash is None:
        return Known(stream, None, asks)
    return Known(stream, BatchAsPosted(bytes(content_hash), batch_stream_no, BatchCounts(*counts)), asks)


def receipt_for(
    cursor: Cursor[Any],
    answering: Answering,
    counts: BatchCounts,
    received: Multirange[int],
    *,
    duplicate: bool,
) -> BatchReceipt:
    """The receipt: `counts` as they were, how far the stream has arrived, what the agent is asked to do."""
    progress = stream_progress(received)
    return BatchReceipt(
        batch_id=answering.batch_id,
        store_id=answering.store_id,
        status=POSTED,
        duplicate=duplicate,
        accepted=counts.accepted,
        duplicates=counts.duplicates,
        held=counts.held,
        findings=counts.findings,
        acknowledged_sequence=progress.acknowledged_sequence,
        gaps=progress.gaps,
        commands=_commands_for(cursor, answering),
        server_time=instant_text(answering.now),
    )


def _commands_for(cursor: Cursor[Any], answering: Answering) -> list[dict[str, Any]]:
    caller = answering.caller
    if caller.kind is not CallerKind.AGENT or not answering.asks:
        return []
    waiting = pending_commands(cursor.connection, answering.store_no, caller.device_no, answering.now)
    return [
        CommandForAgent.model_validate(command, from_attributes=True).model_dump(by_alias=True, mode="json")
        for command in waiting
    ]
