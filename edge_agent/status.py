"""What `edge-agent status` and `GET /v1/status` say: whether every sale is safe and sent, and if not, why."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from edge_agent.alarms import Alarm, AlarmSource
from edge_agent.clock_offset import ClockOffset
from edge_agent.disk_guard import DiskGuard
from edge_agent.heartbeat import SpoolReport, report_of
from edge_agent.line_state import LineReport, LineState
from edge_agent.program_version import program_version
from edge_agent.pulse import Pulse
from edge_agent.refused_records import RefusedRecords
from edge_agent.spool_days import count_days
from edge_agent.spool_desk import SpoolDesk
from shared.clock import instant_text
from shared.zone_data import zone_data_version


class Status:
    """Gathers the figures; costs the same however large the backlog is."""

    def __init__(
        self,
        store_id: str,
        desk: SpoolDesk,
        line: LineState,
        offset: ClockOffset,
        refused: RefusedRecords,
        disk: DiskGuard,
        alarms: AlarmSource,
        pulse: Pulse,
    ) -> None:
        self._store_id = store_id
        self._desk = desk
        self._line = line
        self._offset = offset
        self._refused = refused
        self._disk = disk
        self._alarms = alarms
        self._pulse = pulse

    def report(self) -> dict[str, Any]:
        """The answer of `GET /v1/status`."""
        spool, days = self._desk.ask(lambda spool: (report_of(spool), count_days(spool)))
        line = self._line.report()
        disk, alarms = self._disk.report(), self._alarms()
        return {
            "running": True,
            "storeId": self._store_id,
            "version": program_version(),
            "online": line.online,
            "lastSuccess": None if line.last_success is None else instant_text(line.last_success),
            "trouble": line.trouble or line.nothing_taken,
            "enrolmentNeeded": line.unauthorised,
            "backlog": {"events": spool.backlog, "oldestAcceptedAt": spool.oldest_accepted_at},
            "streamId": spool.stream_id,
            "lastSequence": spool.last_sequence,
            "acknowledgedSequence": spool.acknowledged_sequence,
            "undeliverable": spool.undeliverable,
            "refusedRecords": self._refused.count(),
            "days": days,
            "stoppedLoops": self._pulse.stopped(),
            "clockOffsetMs": self._offset.milliseconds,
            "diskFreeBytes": disk.free_bytes,
            "disk": msgspec.to_builtins(disk),
            "intakeOpen": not any(alarm.code.stops_intake for alarm in alarms),
            "alarms": msgspec.to_builtins(alarms),
            "timezoneData": zone_data_version(),
            "sqliteVersion": sqlite3.sqlite_version,
            "summary": _summary(spool, line, alarms),
        }


def _summary(spool: SpoolReport, line: LineReport, alarms: Sequence[Alarm]) -> str:
    """One sentence for a person: what is the case, and what to do if anything."""
    stopping = [alarm for alarm in alarms if alarm.code.stops_intake]
    if stopping:
        return stopping[0].sentence
    if line.unauthorised:
        return (
            f"{spool.backlog} events are safe here, but headquarters does not know this device: "
            "ask for an enrolment code and run `edge-agent enrol URL CODE`."
        )
    if spool.undeliverable:
        return f"{spool.undeliverable} events were refused by headquarters and are kept here: call support."
    if spool.backlog == 0:
        return "All events are safe and sent."
    if line.online:
        return f"{spool.backlog} events are safe here and being sent."
    return f"{spool.backlog} events are safe here and wait for the line; nothing needs to be done."
