"""Everything that looks after the spool's file while tills are served: disk, second file, salvage, retention."""

from collections.abc import Callable
from datetime import timedelta

from edge_agent.alarms import Alarm
from edge_agent.clock_offset import ClockOffset
from edge_agent.disk_guard import DiskGuard
from edge_agent.generation import Generation, stream_alarms
from edge_agent.refused_records import RefusedRecords
from edge_agent.retention import EVERY_SECONDS, Retention
from edge_agent.row_check import RowCheck
from edge_agent.salvage import NOTICE_DAYS, Salvage
from edge_agent.schedule import Schedule
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_streams import take_over
from shared.clock import Clock, instant_text


class SpoolKeeping:
    """The duties around one open spool; `start` puts them on the schedule."""

    def __init__(
        self,
        settings: Settings,
        desk: SpoolDesk,
        generation: Generation,
        refused: RefusedRecords,
        offset: ClockOffset,
        clock: Clock,
        on_taken_over: Callable[[], None],
    ) -> None:
        """`on_taken_over` is called when former events wait to be sent once more."""
        self._settings = settings
        self._desk = desk
        self._generation = generation
        self._offset = offset
        self._clock = clock
        self._on_taken_over = on_taken_over
        self._salvage = Salvage(desk, refused, clock)
        self._row_check = RowCheck(desk)
        self._retention = Retention(desk, offset, settings.retention_days, clock)
        self.disk = DiskGuard(
            desk.path.parent,
            reserve_bytes=settings.disk_reserve_bytes,
            warning_bytes=settings.disk_warning_bytes,
            clock=clock,
            on_change=desk.refuse_intake,
        )
        desk.on_trouble(self.disk.notice)

    def begin(self) -> None:
        """Holds the spool against what is remembered of it; before anything is taken or sent."""
        self._generation.check(self._desk)

    def schedule(self, schedule: Schedule) -> None:
        """Puts the duties on the schedule; none of them ever waits for headquarters."""
        settings = self._settings
        schedule.every(settings.disk_check_interval, "disk", self.disk.look, at_once=True, local=True)
        schedule.every(
            settings.disk_check_interval, "take-over", self.take_over, at_once=True, local=True, apart=True
        )
        schedule.every(settings.heartbeat_interval, "generation", self.note, local=True)
        schedule.every(settings.disk_check_interval, "row-check", self._row_check.run_once, apart=True)
        schedule.every(EVERY_SECONDS, "retention", self._retention.run_once, apart=True)

    def note(self) -> None:
        """Writes down how far the spool is."""
        self._generation.note(self._desk)

    def end(self) -> None:
        """The last word before the spool is closed."""
        self._generation.end(self._desk)

    def take_over(self) -> int:
        """Takes over what damaged files and former streams hold; how many events.

        What they hold is safe where it is, so that on a full disk tills come first.
        """
        if self.disk.stops_intake:
            return 0
        done = self._salvage.run_once()
        while moved := self._desk.ask(take_over):
            done += moved
        if done:
            self._on_taken_over()
        return done

    def ahead(self, spool: Spool, sequence: int) -> None:
        """Headquarters knows `sequence` of the present stream, which was never sent from here."""
        reason = (
            f"headquarters has sequence {sequence} of the stream, which was never sent from here: "
            "the machine was rolled back, or another one has the same stream"
        )
        self._generation.restart(spool, reason)

    def alarms(self) -> list[Alarm]:
        """Everything about disk, file and clock that somebody should know, the worst first."""
        shown_after = instant_text(self._clock.now() - timedelta(days=NOTICE_DAYS))
        return [
            *self.disk.alarms(),
            *self._salvage.alarms(),
            *stream_alarms(self._desk, shown_after),
            *self._offset.alarms(),
        ]
