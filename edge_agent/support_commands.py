"""The commands by which support looks at an agent and helps it: doctor, bundle, resync, undeliverable, export."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from edge_agent import exporting
from edge_agent.commands import Report
from edge_agent.data_folder import DataFolder
from edge_agent.doctor import Ask, Examined, broken_configuration, examine, is_well, lines_of
from edge_agent.doctor_check import Check
from edge_agent.enrolment import CredentialFile, Enrolment, load_enrolment
from edge_agent.errors import (
    AgentDown,
    AgentRefused,
    EdgeAgentError,
    FolderLocked,
    NotEnrolled,
    SettingsError,
)
from edge_agent.folder_lock import FolderLock
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
from edge_agent.loopback_client import LoopbackClient
from edge_agent.settings import Settings
from edge_agent.signing_key import signer
from edge_agent.spool import Spool
from edge_agent.support_bundle import bundle_of
from edge_agent.uplink import Outcome, Uplink
from shared.clock import Clock, SystemClock
from shared.export_file import ExportDamaged, sign_export

WHOLE_FILE_SECONDS = 3600.0
"""How long the agent may take to write or read a file of everything that it keeps."""


def run_doctor(settings: Settings) -> Report:
    """Everything examined, one line each; exit code 1 if anything failed."""
    return _doctors_report(_checks(settings, SystemClock()))


def doctor_without_settings(error: SettingsError) -> Report:
    """The doctor's word when the configuration itself is broken."""
    return _doctors_report(broken_configuration(error))


def _doctors_report(checks: list[Check]) -> Report:
    document = {"ok": is_well(checks), "checks": msgspec.to_builtins(checks)}
    if is_well(checks):
        return Report(lines_of(checks), document)
    first = next(check for check in checks if check.state == "FAIL")
    trouble = f"{first.check}: {first.finding} {first.advice}"
    return Report(lines_of(checks), document, exit_code=1, trouble=trouble)


def _checks(settings: Settings, clock: Clock) -> list[Check]:
    """From inside where the agent runs, else by holding its folder for the moment."""
    try:
        return msgspec.convert(LoopbackClient(settings).ask(DOCTOR_PATH), list[Check])
    except (AgentDown, AgentRefused) as down:
        with _stopped(settings, clock, str(down)) as examined:
            return examine(examined)


@contextmanager
def _stopped(settings: Settings, clock: Clock, trouble: str) -> Iterator[Examined]:
    folder = DataFolder(settings.data_dir)
    enrolment = _enrolment(folder)
    with _uplink(settings, folder, enrolment, clock) as get, _spool(folder, clock, trouble) as (ask, why):
        yield Examined(
            settings=settings,
            folder=folder,
            clock=clock,
            running=False,
            ask=ask,
            trouble=why,
            server_url=None if enrolment is None else settings.server_url or enrolment.server_url,
            store_id=None if enrolment is None else enrolment.store_id,
            get=get,
        )


def _enrolment(folder: DataFolder) -> Enrolment | None:
    try:
        return load_enrolment(folder)
    except NotEnrolled:
        return None


@contextmanager
def _uplink(
    settings: Settings, folder: DataFolder, enrolment: Enrolment | None, clock: Clock
) -> Iterator[Callable[[str], Outcome] | None]:
    if enrolment is None:
        yield None
        return
    uplink = Uplink(
        settings.server_url or enrolment.server_url,
        CredentialFile(folder.credential),
        clock,
        connect_timeout=settings.connect_timeout,
        answer_timeout=settings.answer_timeout,
        ca_file=settings.ca_file,
    )
    try:
        yield uplink.get
    finally:
        uplink.close()


@contextmanager
def _spool(folder: DataFolder, clock: Clock, trouble: str) -> Iterator[tuple[Ask | None, str]]:
    """The spool of a stopped agent, held alone; (None, why) when somebody else holds it or it cannot be opened."""
    if not folder.spool_file.exists():
        yield None, f"{trouble} It has no spool yet."
        return
    try:
        lock = FolderLock(folder.lock)
    except (FolderLocked, OSError) as error:
        yield None, f"does not answer on its port, and {error}"
        return
    with lock:
        try:
            spool = Spool(folder.spool_file, clock)
        except EdgeAgentError as error:
            yield None, f"is not running, and {error}"
            return
        try:
            yield lambda work: work(spool), trouble
        finally:
            spool.close()


def run_bundle(settings: Settings, file: Path | None) -> Report:
    """Writes the zip for support; works whether the agent runs or not."""
    clock = SystemClock()
    folder = DataFolder(settings.data_dir)
    try:
        status: dict[str, Any] = LoopbackClient(settings).status()
    except EdgeAgentError as error:
        status = {"running": False, "trouble": str(error)}
    content = bundle_of(folder, status, _checks(settings, clock), clock.now())
    store = status.get("storeId") or "store"
    path = file or Path(f"tillsync-{store}-{clock.now():%Y%m%d-%H%M%S}.zip")
    try:
        path.write_bytes(content)
    except OSError as error:
        raise EdgeAgentError(
            f"{path} cannot be written ({error.strerror}); name a place where you may write."
        ) from error
    lines = [f"{path.absolute()}", "It holds no sales, no customers and no secrets; send it to support."]
    return Report(lines, {"file": str(path.absolute()), "bytes": len(content)})


def run_resync(settings: Settings, asked: dict[str, Any]) -> Report:
    """Sends again what is asked for; with nothing asked for, what headquarters says it lacks."""
    plan = LoopbackClient(settings).ask(RESYNC_PATH, asked)
    verb = "would go" if plan["dryRun"] else "go"
    lines = [
        f"{plan['events']} events {verb} to headquarters again, about {plan['bytes'] // 1024} KiB unpacked.",
        *(
            f"  stream {part['streamId']}: "
            + ", ".join(f"{first} to {last}" for first, last in part["ranges"])
            for part in plan["streams"]
        ),
    ]
    if plan["waiting"]:
        lines.append(f"{plan['waiting']} events wait for the line in all.")
    return Report(lines, plan)


def run_undeliverable(settings: Settings, verb: str, entry_id: str | None, reason: str | None) -> Report:
    """Lists, shows, tries again or gives up what was refused."""
    client = LoopbackClient(settings)
    if verb == "list":
        found = client.ask(UNDELIVERABLE_PATH)
        lines = [_undeliverable_line(item) for item in found["items"]]
        if found["total"] > len(found["items"]):
            lines.append(f"and {found['total'] - len(found['items'])} more")
        return Report(lines or ["Nothing is undeliverable."], found)
    if verb == "show":
        shown = client.ask(UNDELIVERABLE_SHOW_PATH, {"id": entry_id})
        return Report([f"{name}: {value}" for name, value in shown.items()], shown)
    if verb == "retry":
        retried = client.ask(UNDELIVERABLE_RETRY_PATH, {"id": entry_id})
        return Report([retried["message"]], retried)
    given_up = client.ask(UNDELIVERABLE_DISCARD_PATH, {"id": entry_id, "reason": reason})
    return Report([f"{entry_id} is off the list; its bytes and your reason are kept."], given_up)


def _undeliverable_line(item: dict[str, Any]) -> str:
    if item["kind"] == "REFUSED_HERE":
        violations = item.get("violations") or [{"field": "", "constraint": "cannot be read"}]
        why = f"{violations[0]['field']} {violations[0]['constraint']}".strip()
        return f"{item['id']}  refused here {item['refusedAt']} from {item['origin']}: {why}"
    reason = item["reason"]
    why = str(reason.get("message", reason.get("errorCode"))) if isinstance(reason, dict) else str(reason)
    where = "lies at headquarters" if item["uploadedAt"] else "not at headquarters yet"
    return f"{item['id']}  {item['type']} {item['eventId']}, refused by headquarters: {why} ({where})"


def run_export(
    settings: Settings, file: Path, *, rescue: bool, business_date: date | None, everything: bool
) -> Report:
    """Writes what headquarters has not acknowledged, or what is chosen, as one file to be carried there."""
    request = exporting.ExportRequest(business_date=business_date, all=everything)
    if rescue:
        exported = _rescue(settings, file, request)
        next_step = "sync-server import FILE --person NAME --reason …"
    else:
        exported = _export_signed(settings, file, request)
        next_step = "sync-server import FILE"
    signed = "signed with this device's key" if exported.signed else "not signed"
    lines = [
        f"{exported.events} events of {exported.store_id} in {exported.batches} batches, {signed}: {file}",
        f"Next, at headquarters: {next_step}",
    ]
    return Report(lines, msgspec.to_builtins(exported))


def _export_signed(settings: Settings, file: Path, request: exporting.ExportRequest) -> exporting.Exported:
    folder = DataFolder(settings.data_dir)
    sign = signer(folder.signing_key)
    if sign is None:
        raise EdgeAgentError(
            f"The device's key {folder.signing_key} is not there or cannot be read by this account; use the "
            "agent's account, or enrol once more, which makes one."
        )
    try:
        made = LoopbackClient(settings).ask(
            EXPORTS_PATH, msgspec.to_builtins(request), seconds=WHOLE_FILE_SECONDS
        )
    except AgentDown as down:
        return _export_stopped(folder, file, request, sign, down)
    unsigned = Path(made["file"])
    try:
        seal = sign_export(unsigned, file, sign)
    except (OSError, ExportDamaged) as error:
        raise EdgeAgentError(
            f"{file} cannot be written ({error}); name a place where you may write."
        ) from error
    finally:
        unsigned.unlink(missing_ok=True)
    return msgspec.convert(
        {**made, "file": str(file), "signed": True, "sha256": seal.sha256}, exporting.Exported
    )


def _export_stopped(
    folder: DataFolder,
    file: Path,
    request: exporting.ExportRequest,
    sign: Callable[[bytes], bytes],
    down: AgentDown,
) -> exporting.Exported:
    clock = SystemClock()
    enrolment = load_enrolment(folder)
    heading = exporting.heading_of(enrolment.store_id, enrolment.device_id, clock, rescued=False)
    with _spool(folder, clock, str(down)) as (ask, why):
        if ask is None:
            raise EdgeAgentError(f"The agent {why}")
        return exporting.export_to(file, ask, request, heading, sign)


def run_import(settings: Settings, file: Path) -> Report:
    """Hands an export file to the running agent, which sends its events as its own; safe to repeat."""
    client = LoopbackClient(settings)
    client.status()  # nothing is copied for an agent that is not there
    copy = DataFolder(settings.data_dir).exports / f"{uuid4()}.import"
    try:
        try:
            shutil.copyfile(file, copy)
        except OSError as error:
            raise EdgeAgentError(f"{file} cannot be read ({error.strerror}); check where it lies.") from error
        imported = client.ask(IMPORTS_PATH, {"file": copy.name}, seconds=WHOLE_FILE_SECONDS)
    finally:
        copy.unlink(missing_ok=True)
    lines = [
        f"{imported['accepted']} events are safe here and on their way, {imported['duplicates']} known already."
    ]
    if imported["unreadable"]:
        trouble = (
            f"{imported['unreadable']} events cannot be read here; import the file at headquarters as well."
        )
        return Report(lines, imported, exit_code=1, trouble=trouble)
    return Report(lines, imported)


def _rescue(settings: Settings, file: Path, request: exporting.ExportRequest) -> exporting.Exported:
    """From a disk whose PC is dead: nothing on it is written, and nobody can sign."""
    folder, clock = DataFolder(settings.data_dir), SystemClock()
    enrolment = load_enrolment(folder)
    heading = exporting.heading_of(enrolment.store_id, enrolment.device_id, clock, rescued=True)
    with exporting.opened_copy(folder.spool_file, clock) as ask:
        return exporting.export_to(file, ask, request, heading, None)
