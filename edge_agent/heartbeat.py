"""How the agent is, told to headquarters; what headquarters lacks, learnt from its answer and sent again."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge_agent import resend
from edge_agent import spool_batches as batches
from edge_agent.alarms import AlarmSource
from edge_agent.clock_offset import ClockOffset
from edge_agent.errors import SpoolDamaged
from edge_agent.headquarters import Headquarters
from edge_agent.program_version import program_version
from edge_agent.resync import ResyncPlan, put_back
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.uplink import Delivered
from shared.clock import Clock, instant_text
from shared.protocol import heartbeats_path
from shared.wire_json import JsonError, decode_json, encode_json
from shared.zone_data import zone_data_version

log = logging.getLogger(__name__)


class SpoolReport(msgspec.Struct, frozen=True, kw_only=True):
    """The spool's figures at one instant."""

    stream_id: str
    backlog: int
    oldest_accepted_at: str | None
    last_sequence: int
    cut_through: int
    """The newest sequence that was ever in a batch."""
    acknowledged_sequence: int
    waiting: list[batches.Range]
    """Sequences of the current stream that wait for a receipt."""
    undeliverable: int


class HeartbeatAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What headquarters says to a heartbeat."""

    acknowledged_sequence: int
    gaps: list[tuple[int, int]] = []
    commands: list[Any] = []


def report_of(spool: Spool) -> SpoolReport:
    """Reads the figures; costs the same however large the backlog is."""
    backlog = batches.backlog(spool)
    first = spool.position_of(1)
    waiting = [
        (max(low, first) - first + 1, high - first + 1)
        for low, high in batches.unacknowledged(spool)
        if high >= first
    ]
    undeliverable = spool.connection.execute("SELECT COUNT(*) FROM undeliverable").fetchone()[0]
    return SpoolReport(
        stream_id=spool.stream_id,
        backlog=backlog.events,
        oldest_accepted_at=_accepted_at(spool, backlog.oldest_position),
        last_sequence=spool.last_sequence,
        cut_through=batches.cut_through(spool),
        acknowledged_sequence=batches.acknowledged_sequence(spool),
        waiting=waiting,
        undeliverable=undeliverable,
    )


def _accepted_at(spool: Spool, position: int | None) -> str | None:
    try:
        body = None if position is None else spool.body_at(position)
        return None if body is None else str(decode_json(body)["stamp"]["receivedAt"])
    except (JsonError, KeyError, TypeError, SpoolDamaged):
        return None


class Heartbeat:
    """Tells and listens; `run_once` is one exchange."""

    def __init__(
        self,
        desk: SpoolDesk,
        headquarters: Headquarters,
        offset: ClockOffset,
        folder: Path,
        clock: Clock,
        on_resend: Callable[[], None],
        alarms: AlarmSource = list,
        on_commands: Callable[[object], None] = lambda _: None,
        ahead: Callable[[Spool, int], None] = lambda *_: None,
    ) -> None:
        """`on_resend` is called when something was put back into the backlog, `on_commands` with what
        headquarters asks for, `ahead`, with the spool in hand, when it knows a sequence that was never sent.
        """
        self._desk = desk
        self._headquarters = headquarters
        self._offset = offset
        self._folder = folder
        self._clock = clock
        self._on_resend = on_resend
        self._alarms = alarms
        self._on_commands = on_commands
        self.lacking: int | None = None
        """Events that headquarters lacked at the last heartbeat although it had acknowledged them; None before one."""
        self._ahead = ahead

    def run_once(self) -> bool:
        """One heartbeat; False when headquarters did not answer."""
        return self.compare(dry_run=False) is not None

    def compare(self, *, dry_run: bool) -> ResyncPlan | None:
        """One heartbeat, and what headquarters lacks put back into the backlog unless it is a `dry_run`.

        None when headquarters did not answer.
        """
        report = self._desk.ask(report_of)
        body = encode_json(self._document(report))
        outcome = self._headquarters.post(heartbeats_path(self._headquarters.store_id), body)
        if not isinstance(outcome, Delivered):
            return None
        try:
            answer = msgspec.convert(outcome.document, HeartbeatAnswer)
        except msgspec.ValidationError:
            return None
        self._on_commands(answer.commands)
        self._look_for_a_second_past(report, answer)
        return self._send_again_what_is_lost(report, answer, dry_run=dry_run)

    def _document(self, report: SpoolReport) -> dict[str, Any]:
        backlog: dict[str, Any] = {"events": report.backlog}
        if report.oldest_accepted_at is not None:
            backlog["oldestAcceptedAt"] = report.oldest_accepted_at
        document = {
            "agentVersion": program_version(),
            "streamId": report.stream_id,
            "sentAt": instant_text(self._clock.now()),
            "backlog": backlog,
            "lastSequence": report.last_sequence,
            "acknowledgedSequence": report.acknowledged_sequence,
            "undeliverable": report.undeliverable,
            "diskFreeBytes": shutil.disk_usage(self._folder).free,
            "timezoneData": zone_data_version(),
            "alarms": msgspec.to_builtins(self._alarms()),
        }
        if self._offset.milliseconds is not None:
            document["clockOffsetMs"] = self._offset.milliseconds
        return document

    def _look_for_a_second_past(self, asked: SpoolReport, answer: HeartbeatAnswer) -> None:
        """A sequence that headquarters knows and that was never sent from here was sent by another machine with the
        same disk, or by this one before it was rolled back.
        """
        known = max([answer.acknowledged_sequence, *(last for _, last in answer.gaps)])

        def look(spool: Spool) -> None:
            if spool.stream_id == asked.stream_id and known > batches.cut_through(spool):
                self._ahead(spool, known)

        self._desk.ask(look)

    def _send_again_what_is_lost(
        self, asked: SpoolReport, answer: HeartbeatAnswer, *, dry_run: bool
    ) -> ResyncPlan:
        """Compares as of the question: what was cut or acknowledged since is not missed."""

        def compare(spool: Spool) -> ResyncPlan:
            waiting = [*asked.waiting, *report_of(spool).waiting]
            lost = resend.lost_at_server(
                answer.acknowledged_sequence, answer.gaps, asked.cut_through, waiting
            )
            if spool.stream_id != asked.stream_id:
                lost = []
            positions = [(spool.position_of(a), spool.position_of(b)) for a, b in lost]
            return put_back(spool, positions, dry_run=dry_run)

        plan = self._desk.ask(compare)
        self.lacking = plan.events
        if plan.events and not dry_run:
            log.warning(
                "Headquarters lacks %d events that it had acknowledged; they are sent again",
                plan.events,
                extra={"action": "resend.started"},
            )
            self._on_resend()
        return plan
