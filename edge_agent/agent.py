"""The running agent: everything wired together, started in the order an event travels, stopped in the same
order.
"""

import logging
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import msgspec

from edge_agent.clock_offset import ClockOffset
from edge_agent.data_folder import DataFolder
from edge_agent.day_close import DayClose
from edge_agent.delivery import Delivery
from edge_agent.enrolment import CredentialFile, load_enrolment
from edge_agent.folder_lock import FolderLock
from edge_agent.generation import Generation
from edge_agent.headquarters import Headquarters
from edge_agent.headquarters_commands import HeadquartersCommands
from edge_agent.heartbeat import Heartbeat
from edge_agent.intake import Intake
from edge_agent.line_state import LineState
from edge_agent.loopback import DAY_DIGESTS_PATH, FILES_PATH, STATUS_PATH, read_token
from edge_agent.loopback_errands import SupportErrands
from edge_agent.page.store_page import StorePage
from edge_agent.pulse import Pulse
from edge_agent.refused_records import RefusedRecords
from edge_agent.retry_policy import RetryPolicy
from edge_agent.schedule import Schedule
from edge_agent.settings import Settings
from edge_agent.sources import PosSource
from edge_agent.sources.configured import configured_sources
from edge_agent.sources.file_drop import FileDrop
from edge_agent.sources.file_formats import file_readers
from edge_agent.sources.local_http import LocalHttp
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_keeping import SpoolKeeping
from edge_agent.status import Status
from edge_agent.store_profile import CurrentProfile, load_profile
from edge_agent.undeliverable import Undeliverable
from edge_agent.undeliverable_desk import UndeliverableDesk
from edge_agent.uplink import Uplink
from shared.clock import Clock

log = logging.getLogger(__name__)

LAST_REQUEST_SECONDS = 1.5
"""How long a request under way may still take at the end; the whole stop stays within five seconds."""

PULSE_SECONDS = 10.0
LATE_SECONDS = 120.0
"""How often the schedule says that it turns, and when its silence means that it does not."""


class Agent:
    """One store's agent on one data folder. Use as a context: entering starts it, leaving stops it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Reads what is on the disk and takes the folder; starts nothing.

        Raises NotEnrolled, FolderLocked, SettingsError, SpoolUnsafe, SpoolFull or SpoolFault.
        """
        self._settings = settings
        self._folder = DataFolder(settings.data_dir)
        self._folder.create()
        enrolment, profile = load_enrolment(self._folder), load_profile(self._folder.profile)
        token = read_token(settings.token_file)
        self._lock = FolderLock(self._folder.lock)
        self._refused = RefusedRecords(self._folder.undeliverable, settings.undeliverable_max_bytes, clock)
        try:
            generation = Generation(self._folder.spool_file, clock)
            self._desk = SpoolDesk(self._folder.spool_file, clock, on_accepted=self._wake_delivery)
        except BaseException:
            self._lock.release()
            raise
        self.store_id = enrolment.store_id
        self._device_id, self._server_url = enrolment.device_id, settings.server_url or enrolment.server_url
        self._profile = CurrentProfile(self._folder.profile, profile)
        self._line, self._offset, self.pulse = LineState(clock), ClockOffset(), Pulse(clock)
        self._uplink = Uplink(
            self._server_url,
            CredentialFile(self._folder.credential),
            clock,
            connect_timeout=settings.connect_timeout,
            answer_timeout=settings.answer_timeout,
            ca_file=settings.ca_file,
        )
        self._keeping = SpoolKeeping(
            settings, self._desk, generation, self._refused, self._offset, clock, self._wake_delivery
        )
        self._headquarters = Headquarters(self.store_id, self._uplink, self._line, self._offset, clock)
        self._wire_delivery(self._headquarters, clock)
        try:
            self._keeping.begin()
            self._wire_sources(token, clock)
        except BaseException:
            self._desk.close()
            self._lock.release()
            raise

    def _wire_delivery(self, headquarters: Headquarters, clock: Clock) -> None:
        settings = self._settings
        retry = RetryPolicy(
            first=settings.retry_first, cap=settings.retry_cap, retry_after_cap=settings.retry_after_cap
        )
        self._delivery = Delivery(
            self._desk,
            headquarters,
            lambda: self._profile.limits(settings.batch_max_events, settings.batch_max_bytes),
            retry,
            clock,
            self.pulse,
            on_commands=self._take_commands,
            ahead=self._keeping.ahead,
        )
        self._heartbeat = heartbeat = Heartbeat(
            self._desk,
            headquarters,
            self._offset,
            self._folder.root,
            clock,
            self._wake_delivery,
            self._keeping.alarms,
            on_commands=self._take_commands,
            ahead=self._keeping.ahead,
        )
        self._delivery.ask_before_the_first_batch(heartbeat.run_once)
        self._day_close = DayClose(self._desk, headquarters, self._profile, clock, self._wake_delivery)
        undeliverable = Undeliverable(self._desk, headquarters, clock)
        self._schedule = Schedule(clock)
        self._keeping.schedule(self._schedule)
        self._schedule.every(settings.heartbeat_interval, "heartbeat", heartbeat.run_once, at_once=True)
        self._schedule.every(settings.day_close_interval, "day-close", self._day_close.run_once)
        self._schedule.every(settings.heartbeat_interval, "undeliverable", undeliverable.run_once)
        self._schedule.every(
            PULSE_SECONDS, "pulse", lambda: self.pulse.beat("schedule", LATE_SECONDS), apart=True
        )
        self._schedule.every(
            settings.profile_interval, "profile", lambda: self._profile.refresh(headquarters), at_once=True
        )

    def _wire_sources(self, token: str | None, clock: Clock) -> None:
        settings, folder, refused = self._settings, self._folder, self._refused
        intake = Intake(self._desk, self._profile.rule, clock)
        status = Status(
            self.store_id,
            self._desk,
            self._line,
            self._offset,
            refused,
            self._keeping.disk,
            self._keeping.alarms,
            self.pulse,
        )
        page = StorePage(self.store_id, status.report, clock, settings.call_support_after)
        support = self._support(intake, refused, status, clock)
        self._commands = HeadquartersCommands(
            folder.commands, support.actions(), self._headquarters, self._offset, clock
        )
        self._files = FileDrop(
            folder,
            intake,
            refused,
            clock,
            file_readers(folder.configuration),
            interval=settings.file_drop_interval,
            settle=settings.file_drop_settle,
        )
        self._http = LocalHttp(
            settings.port,
            token,
            intake,
            refused,
            {
                ("GET", STATUS_PATH): lambda _: page.status(),
                ("POST", FILES_PATH): self._take_file,
                ("POST", DAY_DIGESTS_PATH): lambda _: self._prove_days(),
                **support.errands(),
            },
            clock,
            page.leaves,
        )
        self._sources: Sequence[PosSource] = (
            self._http,
            self._files,
            *configured_sources(folder, intake, refused, self._profile.rule, clock),
        )

    def _support(
        self, intake: Intake, refused: RefusedRecords, status: Status, clock: Clock
    ) -> SupportErrands:
        undeliverable = UndeliverableDesk(
            self._desk, refused, intake, self._folder.given_up, clock, self._wake_delivery
        )
        return SupportErrands(
            settings=self._settings,
            folder=self._folder,
            server_url=self._server_url,
            device_id=self._device_id,
            desk=self._desk,
            headquarters=self._headquarters,
            heartbeat=self._heartbeat,
            day_close=self._day_close,
            status=status,
            undeliverable=undeliverable,
            sources=lambda: [source.name for source in self._sources],
            alarms=self._keeping.alarms,
            clock=clock,
            on_resend=self._wake_delivery,
        )

    def _take_commands(self, commands: object) -> None:
        self._commands.take(commands)

    def _take_file(self, asked: Any) -> Any:
        name = asked.get("file") if isinstance(asked, dict) else None
        return msgspec.to_builtins(self._files.take_now(str(name)))

    def _prove_days(self) -> Any:
        return msgspec.to_builtins(self._day_close.run_once(today_too=True))

    def _wake_delivery(self) -> None:
        self._delivery.wake()

    @property
    def port(self) -> int:
        """The loopback port that tills reach."""
        return self._http.port

    def __enter__(self) -> "Agent":
        """Opens for tills first: nothing that headquarters does or fails to do may hold up a sale."""
        try:
            for source in self._sources:
                source.start()
        except BaseException:
            self._desk.close()
            self._lock.release()
            raise
        for source in self._sources:
            if source.interval is not None:
                name, apart = f"source-{source.name}", source is not self._files
                self._schedule.every(
                    source.interval, name, source.look, at_once=True, local=True, apart=apart
                )
        self._delivery.start()
        self._commands.start()
        self._schedule.start()
        log.info(
            "The agent of %s takes events on port %d",
            self.store_id,
            self.port,
            extra={"action": "agent.started"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Within five seconds: tills are answered, the request under way may end, the file is closed."""
        self._schedule.stop()
        self._commands.stop()
        ending = threading.Thread(target=self._delivery.stop, args=(LAST_REQUEST_SECONDS,))
        ending.start()
        for source in self._sources:
            source.stop()
        ending.join()
        self._uplink.close()
        self._keeping.end()
        self._desk.close()
        self._lock.release()
        log.info("The agent of %s has stopped", self.store_id, extra={"action": "agent.stopped"})
