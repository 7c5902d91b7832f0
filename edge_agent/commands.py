"""What each command of `edge-agent` does; what it says goes through `Report`, to people or to machines.

No command opens the spool: they speak to the running agent, or lay files where it will find them.
"""

import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from edge_agent.data_folder import DataFolder, write_durably
from edge_agent.enrolment import device_id, enrol, load_enrolment
from edge_agent.errors import AgentDown, EdgeAgentError, NotEnrolled
from edge_agent.folder_lock import holder_of
from edge_agent.log_lines import start_logging
from edge_agent.loopback import LOOPBACK
from edge_agent.loopback_client import LoopbackClient
from edge_agent.program_version import program_version
from edge_agent.service_notice import SystemdNotice
from edge_agent.settings import Settings, configuration_template
from shared.clock import SystemClock
from shared.stop_request import StopRequest


class Report(msgspec.Struct, frozen=True):
    """What a command has to say: lines for people, a document for machines, done (0) or failed (1)."""

    lines: list[str]
    document: Any
    exit_code: int = 0
    trouble: str | None = None
    """One sentence for stderr when it failed."""


def run_init(settings: Settings, port: int | None) -> Report:
    """Makes the data folder and writes the configuration; what is there already stays as it is."""
    folder = DataFolder(settings.data_dir)
    folder.create()
    device = device_id(folder)
    written = not folder.configuration.exists()
    if written:
        write_durably(
            folder.configuration, configuration_template({} if port is None else {"port": port}).encode()
        )
    lines = [
        f"Data folder: {folder.root}",
        f"Configuration: {folder.configuration}" + ("" if written else " (was there, left as it is)"),
        "Next: edge-agent enrol URL CODE",
    ]
    document = {
        "dataDir": str(folder.root),
        "configuration": str(folder.configuration),
        "configurationWritten": written,
        "deviceId": device,
    }
    return Report(lines, document)


def run_enrol(settings: Settings, url: str, code: str) -> Report:
    """Exchanges the code for the device's own credential; safe to repeat with the same code."""
    from edge_agent.uplink import Uplink  # httpx takes a third of a second, and only two commands need it

    folder = DataFolder(settings.data_dir)
    folder.create()
    uplink = Uplink(
        url,
        lambda: None,
        SystemClock(),
        connect_timeout=settings.connect_timeout,
        answer_timeout=settings.answer_timeout,
        ca_file=settings.ca_file,
    )
    try:
        enrolment = enrol(folder, url, code, uplink)
    finally:
        uplink.close()
    lines = [f"Enrolled as a device of {enrolment.store_id}.", "Next: edge-agent run"]
    return Report(lines, msgspec.to_builtins(enrolment))


def run_agent(settings: Settings) -> Report:
    """The service: runs until it is told to stop by SIGTERM, SIGINT or, on Windows, SIGBREAK."""
    from edge_agent.process_life import live  # everything that the service alone needs

    start_service_logging(settings)
    stopping = StopRequest()

    def stop(signal_number: int, frame: FrameType | None) -> None:
        del signal_number, frame
        stopping.set()

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    live(settings, SystemClock(), stopping, SystemdNotice(os.environ))
    leave_at_once()
    return Report([], None)


def start_service_logging(settings: Settings) -> None:
    """The log of a running agent."""
    start_logging(settings.log_level, DataFolder(settings.data_dir).log)


def leave_at_once() -> None:
    """Ends the process although a thread may still wait for headquarters: everything is on the disk already."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # what they write to may be full, or gone
            stream.flush()
    os._exit(0)


def run_status(settings: Settings) -> Report:
    """How the agent is; works also when it is down, and says what to do then."""
    try:
        status = LoopbackClient(settings).status()
    except AgentDown as down:
        return _status_of_stopped(DataFolder(settings.data_dir), down)
    backlog = status["backlog"]
    oldest = f", the oldest from {backlog['oldestAcceptedAt']}" if backlog["oldestAcceptedAt"] else ""
    offset, light = status["clockOffsetMs"], status["light"]
    lines = [
        status["summary"],
        f"Store:         {status['storeId']}",
        f"Line:          {'online' if status['online'] else 'offline'}"
        + (f" ({status['trouble']})" if status["trouble"] else ""),
        f"Last success:  {status['lastSuccess'] or 'none since the agent started'}",
        f"Backlog:       {backlog['events']} events{oldest}",
        f"Acknowledged:  {status['acknowledgedSequence']} of {status['lastSequence']}",
        f"Undeliverable: {status['undeliverable']}, refused here: {status['refusedRecords']}",
        f"Clock:         {'not compared yet' if offset is None else f'{offset:+d} ms to headquarters'}",
        f"Disk:          {status['diskFreeBytes'] // 1_048_576} MiB free",
        f"Page:          http://{LOOPBACK}:{settings.port}/ is {' '.join([light['colour'], *light['codes']])}",
        f"Version:       {status['version']}",
        *(f"Alarm:         {alarm['code']}: {alarm['sentence']}" for alarm in status["alarms"]),
    ]
    return Report(lines, status)


def _status_of_stopped(folder: DataFolder, down: AgentDown) -> Report:
    try:
        store_id = load_enrolment(folder).store_id
        advice = str(down)
    except NotEnrolled as not_enrolled:
        store_id, advice = None, str(not_enrolled)
    waiting = sum(1 for _ in folder.drop_in.glob("*")) if folder.drop_in.is_dir() else 0
    document = {
        "running": False,
        "storeId": store_id,
        "version": program_version(),
        "dataDir": str(folder.root),
        "lastPid": holder_of(folder.lock),
        "filesWaiting": waiting,
        "summary": advice,
    }
    lines = ["The agent is not running.", f"Files waiting in {folder.drop_in}: {waiting}"]
    return Report(lines, document, exit_code=1, trouble=advice)


def run_enqueue(settings: Settings, files: list[Path]) -> Report:
    """Hands files to the intake; without a running agent they wait for it in its drop folder."""
    # These need the spool's modules, which `status` does not.
    from edge_agent.sources.file_drop import drop_copy
    from edge_agent.sources.file_formats import file_readers

    folder = DataFolder(settings.data_dir)
    folder.create()
    readers = file_readers(folder.configuration)
    client = LoopbackClient(settings)
    lines: list[str] = []
    outcomes: list[dict[str, Any]] = []
    for file in files:
        name = drop_copy(file, folder, readers)
        try:
            outcome = client.take_file(name)
        except AgentDown:
            message = f"lies in {folder.drop_in} and will be taken when the agent runs"
            outcome = {"file": name, "waiting": True, "message": message}
        outcomes.append(outcome)
        lines.append(f"{file}: {outcome['message']}")
    rejected = [outcome["file"] for outcome in outcomes if outcome.get("rejected")]
    if rejected:
        report = folder.drop_rejected / f"{rejected[0]}.error.json"
        trouble = f"{rejected[0]} holds what cannot be understood; {report} says what and where."
        return Report(lines, outcomes, exit_code=1, trouble=trouble)
    return Report(lines, outcomes)


def run_prove(settings: Settings) -> Report:
    """Sends the digest of every day that is not proven, today's included, and says what headquarters
    answered.
    """
    proofs = LoopbackClient(settings).prove_days()
    lines = [f"{proof['businessDate']}  {proof['events']:>7} events  {proof['state']}" for proof in proofs]
    unproven = [proof for proof in proofs if proof["state"] != "PROVEN"]
    if unproven:
        trouble = f"{len(unproven)} days are not proven; the agent goes on asking, see `edge-agent status`."
        return Report(lines, proofs, exit_code=1, trouble=trouble)
    return Report(lines or ["Every finished day is proven, or still on its way."], proofs)


def failed(error: EdgeAgentError) -> Report:
    """A command that ended with an error."""
    return Report([], {"error": str(error)}, exit_code=1, trouble=str(error))
