"""Events as a signed file, for a store that stays cut off; unsigned from a dead PC's disk.

Nothing is acknowledged by it: what is exported stays in the backlog and is sent when the line is back, and
headquarters counts it as a duplicate then. A batch of a file is named by what it holds, so that the same events
exported again are the same batch again.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from edge_agent import spool_batches as batches
from edge_agent.batching import BatchLimits, Line, batch_size
from edge_agent.errors import EdgeAgentError, SpoolDamaged, SpoolFault
from edge_agent.program_version import program_version
from edge_agent.refused_records import RefusedRecords
from edge_agent.resync import ResyncRequest, wanted_positions
from edge_agent.salvage import Salvage
from edge_agent.spool import Spool
from edge_agent.spool_days import record_days
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_marker import marker_of
from edge_agent.spool_repair import damaged_folder
from shared.clock import Clock, instant_text
from shared.event_batch import hash_of_pairs
from shared.export_file import ExportHeading, ExportSeal, ExportWriter
from shared.wire_json import JsonError, decode_json, encode_json
from shared.zone_data import zone_data_version

LIMITS = BatchLimits(max_events=500, max_bytes=1_048_576)
MAX_REFUSED_BYTES = 1_073_741_824
"""Of what a rescue cannot read; it lies in the copy and goes with it."""
NOTED_AT_ONCE = 5000
ROWS_AT_ONCE = 600
"""Rows read in one turn at the spool, so that tills are served in between."""

Range = batches.Range
Ask = Callable[[Callable[[Spool], Any]], Any]
Row = tuple[int, bytes, bytes, int]
"""Position, content hash, body, lines that follow in its group."""


class ExportRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which events go into the file: what headquarters has not acknowledged, or what is chosen."""

    business_date: date | None = None
    all: bool = False


class Exported(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a file holds."""

    file: str
    store_id: str
    events: int
    batches: int
    signed: bool
    sha256: str


def export_to(
    path: Path,
    ask: Ask,
    request: ExportRequest,
    heading: ExportHeading,
    sign: Callable[[bytes], bytes] | None,
) -> Exported:
    """Writes the file. Raises SpoolFault or SpoolFull, and EdgeAgentError where the file cannot be written."""
    ranges = ask(partial(_ranges_once_handed_out, request=request))
    while ranges is None:
        ranges = ask(partial(_ranges_once_handed_out, request=request))
    try:
        with ExportWriter(path, heading) as writer:
            for first, last in ranges:
                for rows in _batches_of(ask, first, last):
                    writer.add(ask(partial(_batch, rows=rows, heading=heading)), len(rows))
            seal: ExportSeal = writer.seal(sign)
    except OSError as error:
        raise EdgeAgentError(
            f"{path} cannot be written ({error.strerror}); name a place with room where you may write."
        ) from error
    return Exported(
        file=str(path),
        store_id=heading.store_id,
        events=seal.events,
        batches=seal.batches,
        signed=seal.signature is not None,
        sha256=seal.sha256,
    )


def heading_of(store_id: str, device_id: str | None, clock: Clock, *, rescued: bool) -> ExportHeading:
    """The first line of a file that is made now."""
    return ExportHeading(
        store_id=store_id,
        device_id=device_id,
        made_at=instant_text(clock.now()),
        agent_version=program_version(),
        rescued=rescued,
    )


@contextmanager
def opened_copy(spool_file: Path, clock: Clock) -> Iterator[Ask]:
    """The spool of a disk whose agent is gone, opened in a copy: the disk may be mounted read-only, and stays so.

    What is damaged is read page by page, as the agent itself would. Raises SpoolFault when nothing can be copied.
    """
    with tempfile.TemporaryDirectory(prefix="edge-agent-rescue-") as name:
        folder = Path(name) / "spool"
        copy = folder / spool_file.name
        try:
            _copy_spool(spool_file, copy)
        except OSError as error:
            raise SpoolFault(
                f"{spool_file} cannot be copied ({error.strerror}); check where the disk is mounted, and name "
                "its data folder with --data-dir."
            ) from error
        desk = SpoolDesk(copy, clock)
        try:
            refused = Path(name) / "refused"
            refused.mkdir()
            Salvage(desk, RefusedRecords(refused, MAX_REFUSED_BYTES, clock), clock).run_once()
            yield desk.ask
        finally:
            desk.close()


def _copy_spool(spool_file: Path, copy: Path) -> None:
    """The file, its log, the second file that remembers how far it was, and what was damaged before."""
    copy.parent.mkdir()
    shutil.copyfile(spool_file, copy)
    damaged = damaged_folder(spool_file)
    for extra in (spool_file.with_name(f"{spool_file.name}-wal"), marker_of(spool_file)):
        if extra.exists():
            shutil.copyfile(extra, copy.parent / extra.name)
    if damaged.is_dir():
        shutil.copytree(damaged, damaged_folder(copy))


def _ranges_once_handed_out(spool: Spool, request: ExportRequest) -> Sequence[Range] | None:
    """What goes into the file; None while there is more that has to be noted as handed out before.

    Headquarters may hear of these sequences from the file first, and an agent that finds sequences known there
    which it never gave away takes itself for a copy. They stay in the backlog, as something to be sent again.
    """
    first = batches.next_position(spool)
    if first > spool.last_position:
        return _ranges(spool, request)
    last = spool.connection.execute(
        "SELECT MIN(position) FROM event WHERE position >= ? AND lines_after = 0", (first + NOTED_AT_ONCE,)
    ).fetchone()[0]
    last = min(
        [stream[2] - 1 for stream in spool.streams if stream[2] > first] + [last or spool.last_position]
    )
    with spool.transaction() as connection:
        connection.execute("UPDATE batching SET next_position = ?", (last + 1,))
        record_days(spool, first, last)
        connection.execute("INSERT INTO resend VALUES (?, ?)", (first, last))
    return None


def _ranges(spool: Spool, request: ExportRequest) -> Sequence[Range]:
    if request.all or request.business_date is not None:
        return wanted_positions(spool, ResyncRequest(business_date=request.business_date, all=request.all))
    return batches.unacknowledged(spool)


def _batches_of(ask: Ask, first: int, last: int) -> Iterator[list[Row]]:
    """The rows of each batch: whole groups, of one stream, within the limits of any headquarters."""
    while first <= last:
        rows: list[Row] = ask(partial(_rows, first=first, last=last))
        if not rows:
            return
        size = batch_size((Line(len(row[2]), row[3]) for row in rows), LIMITS) or len(rows)
        yield rows[:size]
        first = rows[size - 1][0] + 1


def _rows(spool: Spool, first: int, last: int) -> list[Row]:
    """The next rows; those that a damaged file cannot give are passed over."""
    end = min([stream[2] - 1 for stream in spool.streams if stream[2] > first] + [last])
    query = (
        "SELECT content_hash, position, business_day, lines_after, body FROM event"
        " WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?"
    )
    try:
        rows = [
            _row(spool, *row)
            for row in spool.connection.execute(query, (first, end, ROWS_AT_ONCE)).fetchall()
        ]
    except (sqlite3.DatabaseError, SpoolDamaged):
        rows = list(_rows_one_by_one(spool, first, min(end, first + ROWS_AT_ONCE - 1)))
    if not rows and end < last:
        return _rows(spool, end + 1, last)
    return rows


def _rows_one_by_one(spool: Spool, first: int, last: int) -> Iterator[Row]:
    query = "SELECT content_hash, position, business_day, lines_after, body FROM event WHERE position = ?"
    for position in range(first, last + 1):
        try:
            row = spool.connection.execute(query, (position,)).fetchone()
            found = None if row is None else _row(spool, *row)
        except (sqlite3.DatabaseError, SpoolDamaged):
            continue
        if found is not None:
            yield found


def _row(
    spool: Spool, content_hash: bytes, position: int, business_day: int, lines_after: int, body: bytes
) -> Row:
    return position, content_hash, spool.wire_form(position, business_day, lines_after, body), lines_after


def _batch(spool: Spool, rows: Sequence[Row], heading: ExportHeading) -> bytes:
    """The batch as it would be posted, under an id that follows from what it holds."""
    first, last = rows[0][0], rows[-1][0]
    stream_id = spool.stream_of(first)[1]
    digest = hash_of_pairs([(_event_id(body), content_hash) for _, content_hash, body, _ in rows]).hex()
    kind = "rescued" if heading.rescued else "export"
    sequences = f"{spool.sequence_of(first)}-{spool.sequence_of(last)}"
    top = {
        "batchId": f"{kind}-{stream_id}-{sequences}-{digest[:16]}"[:128],
        "postedAt": heading.made_at,
        "streamId": stream_id,
        "contentHash": digest,
        "timezoneData": zone_data_version(),
    }
    return b'%b,"events":[%b]}' % (encode_json(top)[:-1], b",".join([body for _, _, body, _ in rows]))


def _event_id(body: bytes) -> str:
    try:
        return str(decode_json(body)["eventId"])
    except (JsonError, KeyError, TypeError):
        return ""
