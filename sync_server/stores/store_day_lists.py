"""A store's business dates as they are listed: how many events came, whether they are proven, what is missing.

A number that never came has no date of its own: a gap belongs to every day between the events on its either side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from sync_server.database import Work
from sync_server.stores.stream_gaps import stream_progress

_LATEST = """greatest(
    (SELECT max(business_date) FROM stream_receipt WHERE store_no = %(store_no)s AND business_date < {before}),
    (SELECT max(business_date) FROM store_day WHERE store_no = %(store_no)s AND business_date < {before}),
    (SELECT max(business_date) FROM pos_event
     WHERE store_no = %(store_no)s AND stream_no IS NULL AND business_date < {before}))"""
_DATES = f"""
WITH RECURSIVE day (number, business_date) AS (
    SELECT 1, {_LATEST.format(before="%(before)s::date")}
    UNION ALL
    SELECT number + 1, {_LATEST.format(before="day.business_date")} FROM day
    WHERE business_date IS NOT NULL AND number < %(limit)s
)
SELECT business_date FROM day WHERE business_date IS NOT NULL ORDER BY number
"""  # noqa: S608  # built from constants
_RECEIVED = """
SELECT r.business_date, r.stream_no, sum(r.last_sequence - r.first_sequence + 1)::bigint
FROM stream_receipt r WHERE r.store_no = %(store_no)s AND r.business_date = ANY(%(dates)s::date[]) GROUP BY 1, 2
"""
_COMPARED = """
SELECT business_date, stream_no, state FROM store_day
WHERE store_no = %(store_no)s AND business_date = ANY(%(dates)s::date[])
"""
_DIRECT = """
SELECT business_date, count(*) FROM pos_event
WHERE store_no = %(store_no)s AND stream_no IS NULL AND business_date = ANY(%(dates)s::date[])
  AND event_key NOT IN (SELECT released_key FROM held_event
                        WHERE store_no = %(store_no)s AND stream_no IS NOT NULL AND released_key IS NOT NULL)
GROUP BY 1
"""
"""What was held and released since is there as its stream received it, once."""
_STREAMS = (
    "SELECT stream_no, stream_id, received FROM stream WHERE store_no = %(store_no)s ORDER BY stream_no"
)
_NEIGHBOURS = """
SELECT (SELECT business_date FROM stream_receipt r
        WHERE r.store_no = %(store_no)s AND r.stream_no = gap.stream_no AND r.first_sequence < gap.low
        ORDER BY r.first_sequence DESC LIMIT 1),
       (SELECT business_date FROM stream_receipt r
        WHERE r.store_no = %(store_no)s AND r.stream_no = gap.stream_no AND r.first_sequence > gap.high
        ORDER BY r.first_sequence LIMIT 1)
FROM unnest(%(streams)s::int[], %(lows)s::bigint[], %(highs)s::bigint[]) WITH ORDINALITY
    AS gap (stream_no, low, high, number) ORDER BY number
"""


class StoreDayState(StrEnum):
    """Where a business date stands."""

    PROVEN = "PROVEN"
    """Every stream that was active that day holds the same events as headquarters."""
    DIFFERS = "DIFFERS"
    OPEN = "OPEN"
    """Not compared yet, or something came since."""


@dataclass(slots=True)
class StreamOfDay:
    """What one stream brought of a business date."""

    stream_id: str
    events: int = 0
    state: StoreDayState = StoreDayState.OPEN
    gaps: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class ListedDay:
    """A business date of a store."""

    business_date: date
    direct_events: int = 0
    """Events outside any stream: they are counted, nothing can prove them."""
    streams: dict[int, StreamOfDay] = field(default_factory=dict)

    @property
    def events(self) -> int:
        """Everything that came of that date."""
        return self.direct_events + sum(stream.events for stream in self.streams.values())

    @property
    def state(self) -> StoreDayState:
        """The worst of its streams."""
        states = {stream.state for stream in self.streams.values() if stream.events or stream.state != "OPEN"}
        if StoreDayState.DIFFERS in states:
            return StoreDayState.DIFFERS
        return StoreDayState.PROVEN if states == {StoreDayState.PROVEN} else StoreDayState.OPEN


def list_days(work: Work, store_no: int, *, before: date | None, limit: int) -> list[ListedDay]:
    """The store's business dates before that one, the latest first."""
    found = work.connection.execute(
        _DATES, {"store_no": store_no, "before": before or date.max, "limit": limit}
    ).fetchall()
    days = {row[0]: ListedDay(row[0]) for row in found}
    if not days:
        return []
    facts = {"store_no": store_no, "dates": list(days)}
    streams = work.connection.execute(_STREAMS, facts).fetchall()
    names = {stream_no: stream_id for stream_no, stream_id, _ in streams}
    for day, stream_no, events in work.connection.execute(_RECEIVED, facts):
        _stream(days[day], stream_no, names).events = events
    for day, stream_no, state in work.connection.execute(_COMPARED, facts):
        _stream(days[day], stream_no, names).state = StoreDayState(state)
    for day, events in work.connection.execute(_DIRECT, facts):
        days[day].direct_events = events
    for stream_no, gap, first, last in _dated_gaps(work, store_no, streams):
        for listed in days.values():
            if first <= listed.business_date <= last:
                _stream(listed, stream_no, names).gaps.append(gap)
    return list(days.values())


def _stream(day: ListedDay, stream_no: int, names: dict[int, str]) -> StreamOfDay:
    return day.streams.setdefault(stream_no, StreamOfDay(names[stream_no]))


def _dated_gaps(
    work: Work, store_no: int, streams: Sequence[tuple[Any, ...]]
) -> Iterable[tuple[int, tuple[int, int], date, date]]:
    """(stream, gap, first date, last date) of every gap that is known."""
    gaps = [(stream_no, gap) for stream_no, _, received in streams for gap in stream_progress(received).gaps]
    if not gaps:
        return
    parameters = {
        "store_no": store_no,
        "streams": [stream_no for stream_no, _ in gaps],
        "lows": [low for _, (low, _) in gaps],
        "highs": [high for _, (_, high) in gaps],
    }
    rows = work.connection.execute(_NEIGHBOURS, parameters).fetchall()
    for (stream_no, gap), (before, after) in zip(gaps, rows, strict=True):
        known = [each for each in (before, after) if each is not None]
        if known:
            yield stream_no, gap, min(known), max(known)
