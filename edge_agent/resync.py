"""Sending again on request: which events go back into the backlog, and what that costs.

Nothing is deleted and nothing is doubled: headquarters knows every event by its id and counts what it has as
a duplicate. What waits for headquarters anyway is left where it is, so that asking twice adds nothing.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from edge_agent import spool_batches as batches
from edge_agent.errors import AgentRefused
from edge_agent.packed_event import END_BYTES, wire_length
from edge_agent.pruned_hashes import still_here
from edge_agent.resend import Range, without
from edge_agent.spool import Spool
from edge_agent.spool_streams import moved

SAMPLE = 500
"""Events whose size is looked at to say how much a resync weighs."""


class ResyncRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What to send again: one of a range of sequences, a business date, or all."""

    stream_id: str | None = None
    """The stream that the sequences belong to; without it the current one, or every one that is concerned."""
    from_sequence: int | None = None
    to_sequence: int | None = None
    business_date: date | None = None
    all: bool = False
    dry_run: bool = False


class StreamPart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What of one stream is sent again."""

    stream_id: str
    ranges: list[Range]
    """First and last sequence of each run."""
    events: int


class ResyncPlan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a resync sends again, or would send."""

    dry_run: bool
    events: int
    bytes: int
    """About what it weighs before compression."""
    waiting: int
    """Events that wait for headquarters anyway, whatever is asked here."""
    streams: list[StreamPart]


def read_request(asked: Any) -> ResyncRequest:
    """The request in a decoded document. Raises AgentRefused for one that makes no sense."""
    try:
        request = msgspec.convert(asked, ResyncRequest)
    except msgspec.ValidationError as error:
        raise AgentRefused(f"This is no resync that the agent understands ({error}).") from error
    bounds = request.from_sequence is not None or request.to_sequence is not None
    if bounds + (request.business_date is not None) + request.all != 1:
        raise AgentRefused("Name one of a range of sequences, a business date, or all.")
    first = 1 if request.from_sequence is None else request.from_sequence
    if first < 1 or (request.to_sequence is not None and request.to_sequence < first):
        raise AgentRefused("Sequences start at 1, and the first must not lie above the last.")
    return request


def resync(spool: Spool, request: ResyncRequest) -> ResyncPlan:
    """Puts what is asked for back into the backlog, unless it is a dry run; says what that is."""
    refused = spool.connection.execute("SELECT position, position FROM undeliverable").fetchall()
    taken = [*batches.unacknowledged(spool), *refused]
    return put_back(spool, without(wanted_positions(spool, request), taken), dry_run=request.dry_run)


def put_back(spool: Spool, positions: Sequence[Range], *, dry_run: bool) -> ResyncPlan:
    """Puts acknowledged position ranges back into the backlog, unless it is a dry run; says what they are.

    What was pruned is left out.
    """
    positions = still_here(spool, positions)
    if positions and not dry_run:
        batches.send_again(spool, positions)
    parts: dict[str, list[Range]] = {}
    for first, last in positions:
        _, stream_id, first_of_stream = spool.stream_of(first)
        shift = first_of_stream - 1
        parts.setdefault(stream_id, []).append((first - shift, last - shift))
    return ResyncPlan(
        dry_run=dry_run,
        events=count_of(positions),
        bytes=_weight(spool, positions),
        waiting=batches.backlog(spool).events,
        streams=[
            StreamPart(stream_id=stream_id, ranges=ranges, events=count_of(ranges))
            for stream_id, ranges in parts.items()
        ],
    )


def wanted_positions(spool: Spool, request: ResyncRequest) -> list[Range]:
    """The position ranges that the request names, cut where a stream ends.

    What is pruned is not among them, and what was taken over into a later stream only there.
    """
    if request.stream_id is not None and request.stream_id not in [stream[1] for stream in spool.streams]:
        raise AgentRefused(f"This agent has no stream {request.stream_id}; `edge-agent status` names it.")
    wanted: list[Range] = []
    for number, (_, stream_id, first_of_stream) in enumerate(spool.streams):
        if request.stream_id in (None, stream_id):
            later = spool.streams[number + 1 :]
            end = later[0][2] - 1 if later else spool.last_position
            wanted += _asked_for(spool, request, first_of_stream, end)
    return without(wanted, moved(spool))


def _asked_for(spool: Spool, request: ResyncRequest, first: int, end: int) -> list[Range]:
    """The position ranges of one stream (positions `first` to `end`) that the request names."""
    oldest = spool.connection.execute("SELECT MIN(position) FROM event WHERE position >= ?", (first,))
    low = max(first, oldest.fetchone()[0] or end + 1)  # what was pruned is acknowledged, proven and gone
    if low > end:
        return []
    if request.business_date is not None:
        return _runs_of_day(spool, request.business_date.toordinal(), low, end)
    if request.all:
        return [(low, end)]
    if request.stream_id is None and first != spool.position_of(1):
        return []  # sequences without a stream are the current one's
    low = max(low, first + (request.from_sequence or 1) - 1)
    high = min(end, first + (request.to_sequence or 2**62) - 1)
    return [_whole_groups(spool, low, high)] if low <= high else []


def _runs_of_day(spool: Spool, business_day: int, low: int, end: int) -> list[Range]:
    days = spool.connection.execute(
        "SELECT MIN(first_position), MAX(last_position) FROM stream_day WHERE business_day = ?"
        " AND first_position <= ? AND last_position >= ?",
        (business_day, end, low),
    ).fetchone()
    if days[0] is None:
        return []
    rows: list[Range] = spool.connection.execute(
        "SELECT MIN(position), MAX(position) FROM (SELECT position,"
        " position - ROW_NUMBER() OVER (ORDER BY position) AS run FROM event"
        " WHERE position BETWEEN ? AND ? AND business_day = ?) GROUP BY run ORDER BY 1",
        (max(low, days[0]), min(end, days[1]), business_day),
    ).fetchall()
    return rows


def _whole_groups(spool: Spool, low: int, high: int) -> Range:
    """The range widened to the edges of its groups, since headquarters posts a group as one."""
    before = spool.connection.execute(
        "SELECT MAX(position) FROM event WHERE position < ? AND lines_after = 0", (low,)
    ).fetchone()[0]
    after = spool.connection.execute(
        "SELECT MIN(position) FROM event WHERE position >= ? AND lines_after = 0", (high,)
    ).fetchone()[0]
    return (low if before is None else before + 1, after or high)


def count_of(ranges: Sequence[Range]) -> int:
    """How many sequences or positions the ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def _weight(spool: Spool, ranges: Sequence[Range]) -> int:
    if not ranges:
        return 0
    sample = spool.connection.execute(
        "SELECT length(body), substr(body, ?) FROM event WHERE position >= ? LIMIT ?",
        (-END_BYTES, ranges[0][0], SAMPLE),
    ).fetchall()
    size = sum(wire_length(length, end) for length, end in sample)
    return size * count_of(ranges) // len(sample) if sample else 0
