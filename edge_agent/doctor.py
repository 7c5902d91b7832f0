"""`edge-agent doctor`: everything that a support engineer would ask, each answered in one line with what to do.

The same examination runs inside the agent (asked over loopback, or by headquarters' DOCTOR command) and, when
the agent is down, in the command itself, which then holds the folder's lock and opens the spool alone.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from edge_agent import doctor_line, doctor_spool
from edge_agent.alarms import Alarm
from edge_agent.data_folder import DataFolder
from edge_agent.doctor_check import Check, failed, passed, warned
from edge_agent.errors import EdgeAgentError, NotEnrolled, SettingsError
from edge_agent.settings import SOURCE_TABLES, Settings, read_source_table
from edge_agent.spool import Spool
from edge_agent.store_profile import load_profile
from edge_agent.uplink import Outcome
from shared.clock import Clock
from shared.protocol import profile_path
from shared.zone_data import zone_data_version

T = TypeVar("T")
Ask = Callable[[Callable[[Spool], Any]], Any]
"""Runs something with the open spool and returns what it gave."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What is examined, and by which ways."""

    settings: Settings
    folder: DataFolder
    clock: Clock
    running: bool
    ask: Ask | None
    """None where the spool cannot be opened; `trouble` then says why."""
    trouble: str = ""
    server_url: str | None = None
    """None before the agent is enrolled."""
    store_id: str | None = None
    get: Callable[[str], Outcome] | None = None
    sources: Sequence[str] = ()
    lacking: int | None = None
    """Events that headquarters said it lacks; None where it was not asked."""
    alarms: Sequence[Alarm] = ()
    """What the running agent itself says is wrong."""


def examine(examined: Examined) -> list[Check]:
    """Every check, in the order in which one would look; none of them changes anything."""
    return [
        _agent(examined),
        *(_alarm(alarm) for alarm in examined.alarms),
        *_careful("configuration", lambda: _configuration(examined)),
        *_careful("folder", lambda: doctor_spool.folder_rights(examined.folder)),
        *_careful("disk", lambda: doctor_spool.disk(examined.folder.root, examined.settings)),
        *_spool(examined),
        *_gaps(examined.lacking),
        *_careful("sources", lambda: _sources(examined)),
        *_careful("timezone", lambda: _timezone(examined)),
        *_careful("server", lambda: _line(examined)),
    ]


def broken_configuration(error: SettingsError) -> list[Check]:
    """All that can be said when the configuration itself cannot be read."""
    return [failed("configuration", str(error), "Correct it as it says; nothing else was examined.")]


def is_well(checks: Sequence[Check]) -> bool:
    """Whether nothing failed; a warning is no failure."""
    return all(check.state != "FAIL" for check in checks)


def lines_of(checks: Sequence[Check]) -> list[str]:
    """One line a check for people, the advice behind an arrow."""
    words: dict[Literal["PASS", "WARN", "FAIL"], str] = {"PASS": "ok  ", "WARN": "look", "FAIL": "FAIL"}
    return [
        f"{words[check.state]}  {check.check:<14} {check.finding}"
        + (f" → {check.advice}" if check.advice else "")
        for check in checks
    ]


def _careful(name: str, look: Callable[[], list[Check]]) -> list[Check]:
    """A check that cannot be made is a finding of its own and holds up no other."""
    try:
        return look()
    except (EdgeAgentError, OSError, ValueError, sqlite3.Error) as error:
        return [failed(name, f"could not be examined: {error}", "Call support with this line.")]


def _agent(examined: Examined) -> Check:
    if examined.running:
        return passed("agent", f"runs on port {examined.settings.port}")
    if examined.ask is None:
        return failed("agent", examined.trouble, "Restart the agent's service; if it stays so, the PC.")
    return failed("agent", "is not running", "Start it with `edge-agent run`, or start its service.")


def _alarm(alarm: Alarm) -> Check:
    finding = f"{alarm.code} since {alarm.since}: {alarm.sentence}"
    advice = "Do as it says; the alarm ends by itself."
    return (failed if alarm.code.stops_intake else warned)("alarm", finding, advice)


def _configuration(examined: Examined) -> list[Check]:
    for name in sorted(SOURCE_TABLES):
        read_source_table(examined.folder.configuration, name)
    where = examined.folder.configuration
    return [
        passed("configuration", f"{where} makes sense" if where.exists() else "every setting at its default")
    ]


def _spool(examined: Examined) -> list[Check]:
    ask = examined.ask
    if ask is None:
        advice = "Keep the whole data folder, and call support: nothing in it is lost by waiting."
        return [failed("spool", f"could not be opened: the agent {examined.trouble}", advice)]
    thorough = not examined.running
    return [
        *_careful("spool", lambda: [ask(doctor_spool.durability), ask(doctor_spool.readable(thorough))]),
        *_careful("backlog", lambda: ask(doctor_spool.backlog(examined.clock.now()))),
    ]


def _gaps(lacking: int | None) -> list[Check]:
    if lacking is None:
        return []
    if lacking:
        advice = "Nothing: they are sent again by themselves. Call support if this line stays."
        return [warned("gaps", f"headquarters lacked {lacking} events that it had before", advice)]
    return [passed("gaps", "headquarters lacks nothing that it had acknowledged")]


def _sources(examined: Examined) -> list[Check]:
    folder = examined.folder
    rejected = _count(folder.drop_rejected, "*.error.json")
    waiting = sum(1 for path in folder.drop_in.glob("*") if path.is_file()) if folder.drop_in.is_dir() else 0
    named = ", ".join(examined.sources) or "http, files"
    finding = f"{named}; {waiting} files wait in spool/in"
    if rejected:
        advice = f"Correct what lies in {folder.drop_rejected}, as its .error.json says, and drop it again."
        return [warned("sources", f"{finding}; {rejected} files were rejected", advice)]
    return [passed("sources", finding)]


def _count(folder: Path, pattern: str) -> int:
    return sum(1 for _ in folder.glob(pattern)) if folder.is_dir() else 0


def _timezone(examined: Examined) -> list[Check]:
    try:
        profile = load_profile(examined.folder.profile)
    except NotEnrolled as error:
        return [failed("timezone", "the store's zone is not known yet", str(error))]
    return [
        passed(
            "timezone",
            f"{profile.timezone}, the day starts at {profile.day_start}, zone data {zone_data_version()}",
        )
    ]


def _line(examined: Examined) -> list[Check]:
    if examined.server_url is None or examined.get is None or examined.store_id is None:
        advice = "Ask headquarters for an enrolment code and run `edge-agent enrol URL CODE`."
        return [failed("server", "the agent belongs to no store yet", advice)]
    checks = doctor_line.way_there(examined.server_url, examined.settings)
    if any(check.state == "FAIL" for check in checks):
        return checks
    sent = examined.clock.now()
    outcome = examined.get(profile_path(examined.store_id))
    return [*checks, *doctor_line.judge(outcome, examined.server_url, sent, examined.clock.now())]
