"""The doctor's look at the store's own side: rights, disk, the file's guarantees, what waits and what differs."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from edge_agent.data_folder import DataFolder
from edge_agent.doctor_check import Check, failed, passed, warned
from edge_agent.errors import SpoolDamaged
from edge_agent.heartbeat import report_of
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_days import count_days
from shared.clock import read_instant
from shared.wire_json import JsonError, decode_json

OLD_BACKLOG_HOURS = 24
NEWEST = 500
"""Events that are read again while the agent runs: looking through all of them would hold up tills."""


def folder_rights(folder: DataFolder) -> list[Check]:
    """Whether the account may write everywhere it has to."""
    for path in (folder.root, folder.spool_file.parent, folder.drop_in, folder.undeliverable):
        if not path.is_dir():
            advice = "Run `edge-agent init`; if the folder lay elsewhere before, name it with --data-dir."
            return [failed("folder", f"{path} is not there", advice)]
        if not os.access(path, os.W_OK):
            advice = f"Give the agent's account the right to write in {folder.root}."
            return [failed("folder", f"{path} cannot be written", advice)]
    return [passed("folder", f"{folder.root} can be written")]


def disk(root: Path, settings: Settings) -> list[Check]:
    """Whether there is room for sales."""
    free = shutil.disk_usage(root).free
    finding = f"{free // 1_048_576} MiB free"
    if free < settings.disk_reserve_bytes:
        advice = "Free some space now: without it new sales are refused."
        return [failed("disk", finding, advice)]
    if free < settings.disk_warning_bytes:
        return [warned("disk", finding, "Free some space soon; a busy store fills a MiB in 2,000 lines.")]
    return [passed("disk", finding)]


def durability(spool: Spool) -> Check:
    """The file's guarantees, read back from SQLite as they are now."""
    found = {
        name: spool.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "locking_mode")
    }
    text = ", ".join(f"{name}={value}" for name, value in found.items())
    text = f"{text}, SQLite {sqlite3.sqlite_version}"
    if found == {"journal_mode": "wal", "synchronous": 2, "locking_mode": "exclusive"}:
        return passed("durability", text)
    advice = "Put the data folder on a local disk: an accepted sale might not survive a power cut."
    return failed("durability", text, advice)


def readable(thorough: bool) -> Callable[[Spool], Check]:
    """Whether what was accepted can be read: every page when nobody waits, else the newest events."""

    def look(spool: Spool) -> Check:
        advice = "Stop the agent, keep the whole data folder, and call support: it can be rescued."
        try:
            if thorough:
                found = spool.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    return failed("spool", f"the file is damaged: {found}", advice)
                return passed("spool", f"whole; {spool.last_position} events were ever accepted")
            last = spool.last_position
            for position in range(max(1, last - NEWEST + 1), last + 1):
                body = spool.body_at(position)
                if body is not None:
                    decode_json(body)
        except (sqlite3.Error, JsonError, SpoolDamaged) as error:
            return failed("spool", f"the file cannot be read: {error}", advice)
        return passed("spool", f"the newest events can be read; {spool.last_position} were ever accepted")

    return look


def backlog(now: datetime) -> Callable[[Spool], list[Check]]:
    """What waits for headquarters, what it refused, and which days are not proven."""

    def look(spool: Spool) -> list[Check]:
        report, days = report_of(spool), count_days(spool)
        checks = [_backlog(report.backlog, report.oldest_accepted_at, now)]
        if report.undeliverable:
            advice = "`edge-agent undeliverable list` says why; they also lie at headquarters."
            checks.append(
                warned("undeliverable", f"{report.undeliverable} events were refused by headquarters", advice)
            )
        else:
            checks.append(passed("undeliverable", "headquarters refused nothing that is still open"))
        checks.append(_days(days))
        return checks

    return look


def _backlog(events: int, oldest: str | None, now: datetime) -> Check:
    if not events:
        return passed("backlog", "every event was acknowledged by headquarters")
    since = f", the oldest since {oldest}" if oldest else ""
    finding = f"{events} events wait for headquarters{since}"
    if oldest and (now - read_instant(oldest)).total_seconds() > OLD_BACKLOG_HOURS * 3600:
        advice = "They are safe here. Mend the line, or carry them by hand with `edge-agent export FILE`."
        return warned("backlog", finding, advice)
    return passed("backlog", f"{finding}, and are safe here")


def _days(days: dict[str, int]) -> Check:
    finding = ", ".join(f"{count} {state}" for state, count in sorted(days.items())) or "none yet"
    if days.get("DIFFERS"):
        advice = "The agent sends what differs by itself; `edge-agent prove` asks at once."
        return warned("days", finding, advice)
    return passed("days", finding)
