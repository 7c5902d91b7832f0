"""What the command line asks of the running agent, beside events and files: one errand for each path."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.alarms import AlarmSource
from edge_agent.data_folder import DataFolder
from edge_agent.day_close import DayClose
from edge_agent.doctor import Examined, examine, is_well
from edge_agent.doctor_check import Check
from edge_agent.errors import AgentRefused
from edge_agent.exporting import ExportRequest, export_to, heading_of
from edge_agent.headquarters import Headquarters
from edge_agent.headquarters_commands import Action, Done
from edge_agent.heartbeat import Heartbeat
from edge_agent.importing import import_events
from edge_agent.loopback import (
    DOCTOR_PATH,
    EXPORTS_PATH,
    IMPORTS_PATH,
    RESYNC_PATH,
    UNDELIVERABLE_DISCARD_PATH,
    UNDELIVERABLE_PATH,
    UNDELIVERABLE_RETRY_PATH,
    UNDELIVERABLE_SHOW_PATH,
)
from edge_agent.resync import read_request, resync
from edge_agent.settings import Settings
from edge_agent.spool_desk import SpoolDesk
from edge_agent.status import Status
from edge_agent.support_bundle import bundle_of
from edge_agent.undeliverable_desk import UndeliverableDesk
from shared.clock import Clock
from shared.identifiers import new_event_id

Errand = Callable[[Any], Any]


class SupportErrands:
    """Doctor, bundle, resync, undeliverable, export and prove, for loopback and for headquarters' commands alike."""

    def __init__(
        self,
        *,
        settings: Settings,
        folder: DataFolder,
        server_url: str,
        device_id: str,
        desk: SpoolDesk,
        headquarters: Headquarters,
        heartbeat: Heartbeat,
        day_close: DayClose,
        status: Status,
        undeliverable: UndeliverableDesk,
        sources: Callable[[], list[str]],
        alarms: AlarmSource,
        clock: Clock,
        on_resend: Callable[[], None],
    ) -> None:
        """`sources` names the sources; `on_resend` is called when something was put back into the backlog."""
        self._settings = settings
        self._folder = folder
        self._server_url = server_url
        self._device_id = device_id
        self._desk = desk
        self._headquarters = headquarters
        self._heartbeat = heartbeat
        self._day_close = day_close
        self._status = status
        self._undeliverable = undeliverable
        self._sources = sources
        self._alarms = alarms
        self._clock = clock
        self._on_resend = on_resend

    def errands(self) -> dict[tuple[str, str], Errand]:
        """By method and path, as the loopback door wants them."""
        return {
            ("GET", DOCTOR_PATH): lambda _: msgspec.to_builtins(self.checks()),
            ("POST", RESYNC_PATH): self.resync,
            ("GET", UNDELIVERABLE_PATH): lambda _: self._undeliverable.entries(),
            ("POST", UNDELIVERABLE_SHOW_PATH): lambda asked: self._undeliverable.show(_text(asked, "id")),
            ("POST", UNDELIVERABLE_RETRY_PATH): lambda asked: self._undeliverable.retry(_text(asked, "id")),
            ("POST", UNDELIVERABLE_DISCARD_PATH): lambda asked: self._undeliverable.discard(
                _text(asked, "id"), _text(asked, "reason")
            ),
            ("POST", EXPORTS_PATH): self._export,
            ("POST", IMPORTS_PATH): self._import,
        }

    def actions(self) -> dict[str, Action]:
        """The closed list of what headquarters may ask for."""
        return {
            "RESYNC": lambda arguments: Done(result=self.resync(arguments)),
            "PROVE": lambda _: Done(result={"days": self._prove()}),
            "DOCTOR": lambda _: self._doctor(),
            "BUNDLE": lambda _: self._bundle(),
        }

    def checks(self) -> list[Check]:
        """The doctor's report from inside."""
        return examine(
            Examined(
                settings=self._settings,
                folder=self._folder,
                clock=self._clock,
                running=True,
                ask=self._desk.ask,
                server_url=self._server_url,
                store_id=self._headquarters.store_id,
                get=self._headquarters.get,
                sources=self._sources(),
                lacking=self._heartbeat.lacking,
                alarms=self._alarms(),
            )
        )

    def resync(self, asked: Any) -> dict[str, Any]:
        """Sends again what is asked for; with nothing asked for, what headquarters says it lacks."""
        if not asked or set(asked) <= {"dryRun"}:
            return self._what_is_lacking(dry_run=bool(asked and asked.get("dryRun")))
        request = read_request(asked)
        plan = self._desk.ask(lambda spool: resync(spool, request))
        if plan.events and not plan.dry_run:
            self._on_resend()
        answer: dict[str, Any] = msgspec.to_builtins(plan)
        return answer

    def _what_is_lacking(self, *, dry_run: bool) -> dict[str, Any]:
        plan = self._heartbeat.compare(dry_run=dry_run)
        if plan is None:
            raise AgentRefused(
                "Headquarters does not answer, so that nobody knows what it lacks; "
                "what waits is sent by itself when the line is back."
            )
        answer: dict[str, Any] = msgspec.to_builtins(plan)
        return answer

    def _prove(self) -> Any:
        return msgspec.to_builtins(self._day_close.run_once(today_too=True))

    def _doctor(self) -> Done:
        checks = self.checks()
        return Done(result={"ok": is_well(checks), "checks": msgspec.to_builtins(checks)})

    def _bundle(self) -> Done:
        content = bundle_of(self._folder, self._status.report(), self.checks(), self._clock.now())
        return Done(result={"bytes": len(content)}, attachment=content)

    def _export(self, asked: Any) -> dict[str, Any]:
        """Writes the file, unsealed by any key: the command that asked signs, since signing takes 12 MB."""
        try:
            request = msgspec.convert(asked, ExportRequest)
        except msgspec.ValidationError as error:
            raise AgentRefused(f"This is no export that the agent understands ({error}).") from error
        heading = heading_of(self._headquarters.store_id, self._device_id, self._clock, rescued=False)
        path = self._folder.exports / f"{new_event_id(self._clock.now())}.unsigned"
        exported = export_to(path, self._desk.ask, request, heading, None)
        answer: dict[str, Any] = msgspec.to_builtins(exported)
        return answer

    def _import(self, asked: Any) -> dict[str, Any]:
        path = self._folder.exports / Path(_text(asked, "file")).name
        imported = import_events(path, self._headquarters.store_id, self._desk.accept)
        answer: dict[str, Any] = msgspec.to_builtins(imported)
        return answer


def _text(asked: Any, name: str) -> str:
    value = asked.get(name) if isinstance(asked, dict) else None
    return str(value) if value is not None else ""
