"""Forced resyncs: what would be sent again and what that costs, then one command for each agent concerned.

A resync cannot delete or double anything: the agents put what was acknowledged back into their backlog, and what
headquarters has already is counted as a duplicate, whoever asks and however often.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.multirange import Multirange

from shared.problems import Violation
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid, NotFound
from sync_server.people.callers import Caller
from sync_server.stores.agent_commands import AgentCommandType, give_command, same_open_command

BYTES_OF_EVENT = 90
"""What an event weighs on the line, compressed, as measured with real sales."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncWish:
    """What is to be sent again: at most one of a range of sequences, a business date, or all.

    With none of them: what headquarters lacks.
    """

    stream_id: str | None = None
    from_sequence: int | None = None
    to_sequence: int | None = None
    business_date: date | None = None
    all: bool = False

    def arguments(self) -> dict[str, Any]:
        """The command's arguments, as the agent reads them."""
        named = {
            "streamId": self.stream_id,
            "fromSequence": self.from_sequence,
            "toSequence": self.to_sequence,
            "businessDate": None if self.business_date is None else self.business_date.isoformat(),
            "all": self.all or None,
        }
        return {name: value for name, value in named.items() if value is not None}

    def require_sense(self) -> None:
        """Raises Invalid for a wish that contradicts itself."""
        ranged = self.from_sequence is not None or self.to_sequence is not None
        first = 1 if self.from_sequence is None else self.from_sequence
        found: list[Violation] = []
        if ranged + (self.business_date is not None) + self.all > 1:
            found.append(Violation("", "at most one of a range of sequences, a business date, or all"))
        if first < 1:
            found.append(Violation("fromSequence", "must be at least 1", first))
        if self.to_sequence is not None and self.to_sequence < first:
            found.append(Violation("toSequence", "must not lie below fromSequence", self.to_sequence))
        if self.stream_id is not None and not (ranged or self.business_date or self.all):
            found.append(Violation("streamId", "goes with a range, a business date or all", self.stream_id))
        if found:
            raise Invalid("The resync makes no sense", violations=found)


@dataclass(frozen=True, slots=True)
class StreamCost:
    """What a resync means for one stream: events that would come, of which headquarters lacks some."""

    stream_id: str
    device_no: int | None
    events: int
    missing: int
    bytes: int


@dataclass(frozen=True, slots=True)
class OrderedResync:
    """A command for one agent; `repeated` says that the very same one waited already."""

    command_id: UUID
    device_id: UUID
    repeated: bool


_STREAMS = """
SELECT s.stream_id, s.device_no, s.received, coalesce(h.last_sequence, 0),
       (SELECT coalesce(sum(r.last_sequence - r.first_sequence + 1), 0)::bigint FROM stream_receipt r
        WHERE r.store_no = s.store_no AND r.stream_no = s.stream_no AND r.business_date = %(day)s)
FROM stream s LEFT JOIN agent_heartbeat h USING (store_no, device_no, stream_id)
WHERE s.store_no = %(store_no)s AND (%(stream_id)s::text IS NULL OR s.stream_id = %(stream_id)s)
ORDER BY s.stream_no
"""
_DEVICES = """
SELECT d.device_no, d.device_id, h.stream_id FROM device d LEFT JOIN agent_heartbeat h USING (store_no, device_no)
WHERE d.store_no = %s AND d.revoked_at IS NULL ORDER BY d.device_no
"""


def resync_cost(work: Work, store_no: int, wish: ResyncWish) -> list[StreamCost]:
    """What `wish` would send of each stream that is known here, and what of it is missing."""
    wish.require_sense()
    parameters = {"store_no": store_no, "stream_id": wish.stream_id, "day": wish.business_date}
    costs = []
    for stream_id, device_no, received, last_sequence, of_day in work.connection.execute(
        _STREAMS, parameters
    ):
        top = max(int(last_sequence), (received[-1].upper or 1) - 1 if len(received) else 0)
        first, last = wish.from_sequence or 1, min(wish.to_sequence or top, top)
        missing = _missing(received, first, last)
        events = max(0, last - first + 1)
        if wish.business_date is not None:
            events = int(of_day) + missing  # which day a missing event belongs to, only its store knows
        elif not wish.arguments():
            events = missing
        costs.append(StreamCost(stream_id, device_no, events, missing, events * BYTES_OF_EVENT))
    return costs


def _missing(received: Multirange[int], first: int, last: int) -> int:
    if last < first:
        return 0
    there = 0
    for span in received:
        lower, upper = span.lower, span.upper
        assert lower is not None
        assert upper is not None
        there += max(0, min(upper - 1, last) - max(lower, first) + 1)
    return last - first + 1 - there


def order_resync(
    work: Work, store_no: int, wish: ResyncWish, *, reason: str, by: Caller, now: datetime
) -> list[OrderedResync]:
    """Leaves a command for each agent that is concerned; the same open one is not left twice.

    Raises NotFound for a stream that no agent of the store has, Conflict when the store has no agent.
    """
    wish.require_sense()
    devices = work.connection.execute(_DEVICES, [store_no]).fetchall()
    if not devices:
        raise Conflict("The store has no enrolled agent; make a code with `sync-server enrolment-code`")
    if wish.stream_id is not None:
        owner = work.connection.execute(
            "SELECT device_no FROM stream WHERE store_no = %s AND stream_id = %s", [store_no, wish.stream_id]
        ).fetchone()
        owners = [device for device in devices if owner and device[0] == owner[0]]
        devices = owners or [device for device in devices if device[2] == wish.stream_id]
        if not devices:
            raise NotFound(f"No agent of the store has the stream {wish.stream_id}")
    ordered = []
    for device_no, device_id, _ in devices:
        command, arguments = AgentCommandType.RESYNC, wish.arguments()
        open_one = same_open_command(work, store_no, command, arguments, device_no=device_no, now=now)
        command_id = open_one or give_command(
            work, store_no, command, arguments, by=by, now=now, device_no=device_no, reason=reason
        )
        ordered.append(OrderedResync(command_id, device_id, repeated=open_one is not None))
    return ordered
