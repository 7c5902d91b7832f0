"""Whether the spool's past is still its own: told by a second file, outside the database.

The second file remembers the machine, how often an agent was started on the spool, how far the spool was, and how far
headquarters had acknowledged it. Where the two do not fit, the disk was cloned, the spool was put back from a copy, or
its log was deleted, and the agent begins a new stream (`spool_streams.py`). A machine that was rolled back as a whole
takes both files back; that is found out when headquarters knows more of the stream than the spool does.
"""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_agent import spool_streams as streams
from edge_agent.alarms import Alarm, AlarmCode
from edge_agent.damaged_files import damaged_files
from edge_agent.errors import SpoolFull
from edge_agent.machine import Facts, is_other_machine, read_machine
from edge_agent.spool import Spool
from edge_agent.spool_batches import unacknowledged
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_marker import Marker, marker_of, read_marker, write_marker
from shared.clock import Clock

log = logging.getLogger(__name__)


def why_not_its_own(
    marker: Marker,
    machine: Facts,
    *,
    generation: int,
    last_position: int,
    spool_was_there: bool,
    log_was_there: bool,
) -> str | None:
    """Pure: why the spool may not go on with its stream; None when everything fits."""
    if is_other_machine(marker.machine, machine):
        return "the data folder was made on another machine"
    if not spool_was_there:
        return "the spool's file was gone"
    if marker.running and not log_was_there:
        return "the spool's log (-wal) was deleted after the agent had not ended as it should"
    if generation < marker.generation or last_position < marker.last_position:
        return "the spool is older than what was noted beside it: it was put back from a copy"
    return None


class Generation:
    """Keeps the second file; made before the spool is opened, `check` once it is."""

    def __init__(self, spool_file: Path, clock: Clock, machine: Facts | None = None) -> None:
        self._path = path = marker_of(spool_file)
        self._clock = clock
        self._machine = dict(read_machine() if machine is None else machine)
        self._former = read_marker(path)
        self._spool_was_there = spool_file.exists()
        self._log_was_there = spool_file.with_name(f"{spool_file.name}-wal").exists()
        self._written: Marker | None = None

    def check(self, desk: SpoolDesk) -> None:
        """Holds the spool against the second file, begins a new stream if need be, and writes the file anew."""
        try:
            desk.ask(self._restart_if_need_be)
        except SpoolFull:  # whoever guards the disk has been told, and has made room for just this
            desk.ask(self._restart_if_need_be)
        with suppress(SpoolFull):  # an agent that cannot count starts all the same
            desk.ask(self._count)
        self._write(desk, running=True)

    def _restart_if_need_be(self, spool: Spool) -> None:
        former, counter = self._former, streams.generation(spool)
        reason = None
        if former is None:
            reason = "the file that remembers the spool's past was gone" if counter else None
        elif counter or spool.last_position or not damaged_files(spool):
            # Else it is the fresh file in the place of a damaged one, with a stream of its own.
            reason = why_not_its_own(
                former,
                self._machine,
                generation=counter,
                last_position=spool.last_position,
                spool_was_there=self._spool_was_there,
                log_was_there=self._log_was_there,
            )
        if reason is not None:
            self.restart(spool, reason)

    def _count(self, spool: Spool) -> None:
        if self._former is not None and self._former.generation > streams.generation(spool):
            streams.set_generation(spool, self._former.generation)
        streams.count_generation(spool)

    def restart(self, spool: Spool, reason: str) -> None:
        """Begins a new stream and says so."""
        streams.restart_stream(spool, reason, self._clock)
        log.error(
            "A new stream is begun, since %s; nothing is lost, events keep their ids",
            reason,
            extra={"action": "stream.restarted"},
        )

    def note(self, desk: SpoolDesk) -> None:
        """Writes down how far the spool is; costs nothing when nothing has changed."""
        self._write(desk, running=True)

    def end(self, desk: SpoolDesk) -> None:
        """The last word of an agent that ends as it should; call it just before the spool is closed."""
        self._write(desk, running=False)

    def _write(self, desk: SpoolDesk, *, running: bool) -> None:
        generation, last, acknowledged = desk.ask(_figures)
        marker = Marker(
            machine=self._machine,
            generation=generation,
            running=running,
            last_position=last,
            acknowledged_position=acknowledged,
        )
        if marker == self._written:
            return
        try:
            write_marker(self._path, marker)
            self._written = marker
        except OSError as error:  # a full disk; the next round tries again
            log.warning(
                "%s could not be written (%s)", self._path, error, extra={"action": "generation.failed"}
            )


def _figures(spool: Spool) -> tuple[int, int, int]:
    waiting: list[Any] = unacknowledged(spool)
    oldest = min((first for first, _ in waiting), default=spool.last_position + 1)
    return streams.generation(spool), spool.last_position, oldest - 1


def stream_alarms(desk: SpoolDesk, shown_after: str) -> list[Alarm]:
    """The alarm of a stream that was begun anew after the instant `shown_after`."""
    start = desk.ask(streams.latest_restart)
    if start is None or start.started_at < shown_after:
        return []
    sentence = (
        f"A new stream was begun, since {start.reason}. Nothing is lost. If this PC stands in another store, give it "
        "a data folder of its own and enrol it there."
    )
    return [Alarm(code=AlarmCode.STREAM_RESTARTED, since=start.started_at, sentence=sentence)]
