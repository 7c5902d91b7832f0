"""What can be read of a damaged spool, taken over into the present stream, in pieces, while tills are served.

Only what headquarters surely has is left out: everything up to the position that the second file remembers as
acknowledged (`generation.py`), for in a damaged file nothing says so reliably. Headquarters knows every event by
its id, so that one that it has already adds nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta

from edge_agent.alarms import Alarm, AlarmCode
from edge_agent.damaged_files import DamagedFile, damaged_files
from edge_agent.packed_event import what_the_till_said
from edge_agent.refused_records import RefusedRecords
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_pages import SpoolPages, StoredRow
from edge_agent.spool_repair import damaged_folder
from edge_agent.stamped_event import StampedEvent
from edge_agent.stored_event import regrouped, verified
from shared.clock import Clock, instant_text, read_instant
from shared.problems import Violation

log = logging.getLogger(__name__)

EVENTS_AT_ONCE = 200
"""Events in one commit; a till waits for one of these at most."""
MAX_KEPT_RAW = 1000
"""Rows of one file that are kept raw because they do not fit their hash."""
MAX_POSITIONS = 50_000_000
"""Positions after the acknowledged one that are believed; a flipped bit may make a number of any size."""
NOTICE_DAYS = 7

_Line = tuple[int, int, StampedEvent]
"""Position, lines of its group that follow, event."""


class Salvage:
    """Takes over damaged files; `run_once` does what there is."""

    def __init__(self, desk: SpoolDesk, refused: RefusedRecords, clock: Clock) -> None:
        self._desk = desk
        self._refused = refused
        self._clock = clock

    def run_once(self) -> int:
        """Reads every file that is not finished; how many events were taken over."""
        return sum(self._take_over(file) for file in self._desk.ask(_unfinished))

    def alarms(self) -> list[Alarm]:
        """One alarm for each file, for a week after it was dealt with."""
        since = self._clock.now() - timedelta(days=NOTICE_DAYS)
        return [
            Alarm(code=AlarmCode.SPOOL_DAMAGED, since=file.set_aside, sentence=_sentence(file))
            for file in self._desk.ask(damaged_files)
            if file.finished_at is None or read_instant(file.finished_at) > since
        ]

    def _take_over(self, name: str) -> int:
        acknowledged, through, before = self._desk.ask(lambda spool: _progress(spool, name))
        folder = damaged_folder(self._desk.path)
        try:
            with SpoolPages(folder / name) as pages:
                reading = _Reading(pages, acknowledged)
                for lines, upto in reading.pieces():
                    if upto > through:  # else it was stored before a restart, and is only counted
                        self._store(name, lines, upto)
        except OSError:
            log.exception("%s cannot be read; it is tried again", name, extra={"action": "salvage.failed"})
            return 0
        for body in reading.broken():
            self._refused.keep(body, [Violation("", "The record was damaged on the disk", None)], name)
        unreadable = reading.missing()
        self._desk.ask(lambda spool: _finish(spool, name, unreadable, self._clock))
        recovered = self._desk.ask(lambda spool: _progress(spool, name))[2]
        log.warning(
            "%d events of %s were taken over, %d cannot be read",
            recovered,
            name,
            unreadable,
            extra={"action": "salvage.finished"},
        )
        return recovered - before

    def _store(self, name: str, lines: Sequence[_Line], upto: int) -> None:
        groups = list(regrouped(lines))

        def store(spool: Spool) -> None:
            before = spool.last_position
            spool.append(
                groups,
                lambda connection: connection.execute(
                    "UPDATE salvage SET through = ?, recovered = recovered + ? WHERE file = ?",
                    (upto, spool.last_position - before, name),
                ),
            )

        self._desk.ask(store)


class _Reading:
    """One pass over a file, page by page in the order of their lowest position."""

    def __init__(self, pages: SpoolPages, acknowledged: int) -> None:
        self._pages = pages
        self._acknowledged = acknowledged
        self._found = bytearray()
        """One byte for each position after `acknowledged`: whether it was read."""
        self._lowest: int | None = None
        self._broken: dict[int, bytes] = {}

    def pieces(self) -> Iterator[tuple[list[_Line], int]]:
        """(events in rising position, the position up to which every page is done); some EVENTS_AT_ONCE each."""
        lines: dict[int, _Line] = {}
        places = sorted(self._pages.places_in_order())
        for number, (_, place) in enumerate(places):
            for row in self._pages.rows(place):
                line = self._read(row)
                if line is not None:
                    lines[row.position] = line
            following = places[number + 1][0] if number + 1 < len(places) else None
            upto = max(lines, default=0) if following is None else following - 1
            if lines and (following is None or (len(lines) >= EVENTS_AT_ONCE and upto >= max(lines))):
                yield [lines[position] for position in sorted(lines)], upto
                lines = {}

    def _read(self, row: StoredRow) -> _Line | None:
        self._lowest = row.position if self._lowest is None else min(self._lowest, row.position)
        at = row.position - self._acknowledged - 1
        if not 0 <= at < MAX_POSITIONS:
            return None
        event = verified(row)
        if event is None:
            if len(self._broken) < MAX_KEPT_RAW:
                self._broken[row.position] = what_the_till_said(row.body)
            return None
        if at >= len(self._found):
            self._found.extend(bytes(at + 1 - len(self._found)))
        self._found[at] = 1
        return row.position, row.lines_after, event

    def broken(self) -> list[bytes]:
        """The bytes of rows that do not fit their hash and stand nowhere else as they should."""
        base = self._acknowledged + 1
        return [
            body
            for position, body in self._broken.items()
            if not (position - base < len(self._found) and self._found[position - base])
        ]

    def missing(self) -> int:
        """How many positions between the lowest and the highest that were read stand nowhere."""
        first = max((self._lowest or 1) - self._acknowledged - 1, 0)
        return self._found[first:].count(0)


def _sentence(file: DamagedFile) -> str:
    text = f"The spool was damaged and lies in spool/damaged as {file.file}; "
    if file.finished_at is None:
        return f"{text}what can be read of it is being taken over, new sales are accepted."
    text += f"{file.recovered} events were taken over"
    if file.unreadable:
        return f"{text}, {file.unreadable} cannot be read: call support and have the disk checked."
    return f"{text}, none is missing. Have the disk checked."


def _unfinished(spool: Spool) -> list[str]:
    rows = spool.connection.execute("SELECT file FROM salvage WHERE finished_at IS NULL ORDER BY file")
    return [name for (name,) in rows]


def _progress(spool: Spool, name: str) -> tuple[int, int, int]:
    """(position up to which headquarters has it, position up to which it is done, events taken over)."""
    row = spool.connection.execute(
        "SELECT acknowledged, through, recovered FROM salvage WHERE file = ?", (name,)
    ).fetchone()
    return (row[0], row[1], row[2]) if row else (0, 0, 0)


def _finish(spool: Spool, name: str, unreadable: int, clock: Clock) -> None:
    with spool.transaction() as connection:
        connection.execute(
            "UPDATE salvage SET unreadable = ?, finished_at = ? WHERE file = ?",
            (unreadable, instant_text(clock.now()), name),
        )
