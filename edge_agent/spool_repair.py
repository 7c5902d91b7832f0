"""A damaged spool is set aside, never deleted: a fresh one takes its place at once, so that tills can go on.

What can be read of the file that was set aside is taken over afterwards, in pieces (`salvage.py`).
"""

import logging
import sqlite3
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from edge_agent.data_folder import sync_folder
from edge_agent.errors import SpoolDamaged
from edge_agent.spool import Spool
from edge_agent.spool_marker import marker_of, read_marker
from edge_agent.spool_schema import fault
from edge_agent.wal_check import hides_commits
from shared.clock import Clock, instant_text

log = logging.getLogger(__name__)

_DAMAGED_LOG = "its log is damaged before the last sales that it holds"
_FOUND = "it was found among the files that were set aside"


def damaged_folder(spool_file: Path) -> Path:
    """Where damaged files are kept."""
    return spool_file.parent / "damaged"


def open_whole_spool(path: Path, clock: Clock) -> Spool:
    """Opens the spool; a damaged one is set aside and a fresh one opened. Raises what Spool raises."""
    reason, target = _FOUND, None
    if hides_commits(path.with_name(f"{path.name}-wal")):
        reason = _DAMAGED_LOG
        target = set_aside(path, clock.now(), reason)
    try:
        spool = Spool(path, clock)
    except SpoolDamaged as damage:
        reason = str(damage)
        target = set_aside(path, clock.now(), reason)
        spool = Spool(path, clock)
    _remember_what_was_set_aside(spool, clock, reason, target)
    return spool


def replace_damaged_spool(damaged: Spool, clock: Clock, damage: SpoolDamaged) -> Spool:
    """The same for a spool that shows its damage while it is open; `damaged` is closed."""
    target = None
    with suppress(PermissionError):  # Windows renames no open file
        # Renamed while it is open: SQLite then leaves file and log as they are, instead of merging them.
        target = set_aside(damaged.path, clock.now(), str(damage))
    with suppress(sqlite3.Error):
        damaged.close()
    if target is None:
        target = set_aside(damaged.path, clock.now(), str(damage))
    spool = Spool(damaged.path, clock)
    _remember_what_was_set_aside(spool, clock, str(damage), target)
    return spool


def set_aside(path: Path, now: datetime, reason: str) -> Path:
    """Moves the file and its log into the folder of damaged files, under the date; where the file lies now."""
    folder = damaged_folder(path)
    folder.mkdir(exist_ok=True)
    target = _free_name(folder, path, now)
    log.error(
        "The spool is damaged (%s); it is set aside as %s, a new one takes its place, what can be read of it is "
        "taken over",
        reason,
        target,
        extra={"action": "spool.damaged"},
    )
    # The log first: without its file it harms nobody, while beside a fresh file SQLite would replay it.
    for suffix in ("-wal", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    sync_folder(folder)
    sync_folder(path.parent)
    return target


def _free_name(folder: Path, path: Path, now: datetime) -> Path:
    for lonely in sorted(folder.glob(f"*{path.suffix}-wal")):
        begun = lonely.with_name(lonely.name.removesuffix("-wal"))
        if not begun.exists():
            return begun  # a kill between the two renamings
    name, number = f"{path.stem}-{now:%Y%m%dT%H%M%SZ}", 1
    target = folder / f"{name}{path.suffix}"
    while target.exists():
        number += 1
        target = folder / f"{name}-{number}{path.suffix}"
    return target


def _remember_what_was_set_aside(spool: Spool, clock: Clock, reason: str, target: Path | None) -> None:
    """Every file that lies there is to be read: also one that a kill left before it was written down.

    The second file speaks of `target` alone, the one that was set aside just now; of others all is read.
    """
    marker = read_marker(marker_of(spool.path))
    acknowledged = marker.acknowledged_position if marker is not None else 0
    found = sorted(damaged_folder(spool.path).glob(f"*{spool.path.suffix}"))
    try:
        known = {name for (name,) in spool.connection.execute("SELECT file FROM salvage")}
        now = instant_text(clock.now())
        fresh = [
            (path.name, now, reason, acknowledged) if path == target else (path.name, now, _FOUND, 0)
            for path in found
            if path.name not in known
        ]
        if fresh:
            with spool.transaction() as connection:
                connection.executemany(
                    "INSERT INTO salvage (file, set_aside, reason, acknowledged) VALUES (?, ?, ?, ?)", fresh
                )
    except sqlite3.Error as error:
        raise fault(error, spool.path) from error
