"""Files dropped into `spool/in`: taken when they have stopped growing, moved on when their events are
durable.

A good event is never held up by a bad one: what can be understood is taken, and `rejected/` gets a file with
just the rest, beside it an `.error.json` that names line and field. A file that is dropped twice, under any
name, adds nothing. A crash at any point leaves the file where it was, and taking it again adds nothing
either.
"""

import hashlib
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from edge_agent.data_folder import DataFolder, move_durably, write_durably
from edge_agent.errors import FileUnreadable, SpoolError
from edge_agent.intake import Intake
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources import dropped_file
from edge_agent.sources.dropped_file import (
    DroppedFile,
    DroppedRecord,
    FileReader,
    FileReaders,
    FileRejected,
    RejectedRecord,
)
from edge_agent.sources.open_files import is_open_for_writing
from edge_agent.stamped_event import Accepted
from edge_agent.translation import group_key
from shared.clock import Clock

log = logging.getLogger(__name__)

EVENTS_IN_COMMIT = 500
"""Events of one file that are stored together; a till that calls meanwhile waits for no more than these."""


REMEMBERED_FILES = 100
"""Outcomes that are kept for whoever handed the file over and asks."""
UNFINISHED_SECONDS = 60.0
"""How long a file without its end may rest: a till that pauses in the middle of writing is no reason to reject."""
ENDLESS_PATIENCE = 5.0
"""So many times longer a file rests whose end nobody can tell (CSV): a writer may pause between two rows."""
UNSEEN_PATIENCE = 2.0
"""So many times longer still where the system does not say whether another program has it open."""
LOOKS = 3
"""Looks that must have found such a file unchanged, however long ago the first was."""
_ENDS = {".json": (b"]", b"}"), ".ndjson": (b"}",), ".xml": (b">",)}


class FileOutcome(msgspec.Struct, frozen=True, rename="camel"):
    """What became of one dropped file."""

    file: str
    accepted: int
    duplicates: int
    rejected: int
    """Records that could not be understood; all of them when the file itself could not."""
    message: str


class FileDrop:
    """The source behind `spool/in`."""

    name = "file"

    def __init__(
        self,
        folder: DataFolder,
        intake: Intake,
        refused: RefusedRecords,
        clock: Clock,
        readers: FileReaders,
        *,
        interval: float,
        settle: float,
    ) -> None:
        self.interval: float | None = interval
        self._folder = folder
        self._intake = intake
        self._refused = refused
        self._clock = clock
        self._readers = readers
        self._settle = settle
        self._turn = threading.Lock()
        self._taken: dict[str, FileOutcome] = {}
        self._seen: dict[str, _Seen] = {}

    def start(self) -> None:
        """Nothing to open: the folders are there."""

    def stop(self) -> None:
        """Waits for the file under way; the rest stays in the folder."""
        with self._turn:
            pass

    def look(self) -> None:
        """Takes every file that has stopped growing, oldest first."""
        with self._turn:
            for path in self._settled():
                try:
                    self._take(path)
                except (SpoolError, OSError) as error:
                    # The file stays where it is and is tried again; nothing of it is lost.
                    log.warning("%s waits in spool/in: %s", path.name, error, extra={"action": "file.waits"})
                    if isinstance(error, SpoolError):
                        return  # the next file would fare no better
                except Exception:
                    # A fault of ours that nobody foresaw; it must not stand before every other file.
                    log.exception("%s waits in spool/in", path.name, extra={"action": "file.failed"})

    def take_now(self, name: str) -> FileOutcome:
        """Takes one file of `spool/in` that is known to be complete; raises FileUnreadable or SpoolError."""
        if Path(name).name != name or not self._readers.takes(name):
            raise FileUnreadable(
                f"{name!r} is no {self._readers} file of spool/in; name one without a folder."
            )
        path = self._folder.drop_in / name
        with self._turn:
            if name in self._taken and not path.exists():
                return self._taken[name]  # the regular look was quicker
            try:
                return self._take(path)
            except OSError as error:
                raise FileUnreadable(
                    f"{name} cannot be taken from spool/in ({error.strerror}); try again."
                ) from error

    def _settled(self) -> Iterator[Path]:
        now = self._clock.monotonic()
        present: dict[str, _Seen] = {}
        found = []
        for path in self._folder.drop_in.iterdir():
            if not self._readers.takes(path.name) or not path.is_file():
                continue
            stat = path.stat()
            shape = (stat.st_size, stat.st_mtime_ns)
            seen = self._seen.get(path.name)
            seen = _Seen(shape, now, 1) if seen is None or seen.shape != shape else seen.again()
            present[path.name] = seen
            if self._has_settled(path, now - seen.since, seen.looks):
                found.append((stat.st_mtime_ns, path))
        self._seen = present
        return iter([path for _, path in sorted(found)])

    def _has_settled(self, path: Path, rested: float, looks: int) -> bool:
        """Whether nobody writes to a file any more that has not changed for so many seconds and looks."""
        if rested < self._settle:
            return False
        ends = _has_its_end(path)
        if ends is not None:
            return ends or rested >= UNFINISHED_SECONDS
        if rested < self._settle * ENDLESS_PATIENCE or (self._settle and looks < LOOKS):
            return False
        written = is_open_for_writing(path)
        if written is None:
            return rested >= self._settle * ENDLESS_PATIENCE * UNSEEN_PATIENCE
        return not written

    def _take(self, path: Path) -> FileOutcome:
        outcome = self._read_and_store(path)
        self._taken[path.name] = outcome
        if len(self._taken) > REMEMBERED_FILES:
            del self._taken[next(iter(self._taken))]
        return outcome

    def _read_and_store(self, path: Path) -> FileOutcome:
        reader = self._readers.reader_of(path.name)
        try:
            if path.stat().st_size > dropped_file.MAX_FILE_BYTES:
                raise FileRejected(f"The file is larger than {dropped_file.MAX_FILE_BYTES} bytes")
            file = DroppedFile(path.name, path.read_bytes())
            records = reader.read(file)
        except FileRejected as rejection:
            return self._reject_whole(path, reader, str(rejection))
        identity = dropped_file.identity_of(file.content)
        accepted = duplicates = 0
        rejected: list[RejectedRecord] = []
        for portion in _portions(records):
            answers = self._store(portion, identity, rejected)
            duplicates += sum(answer.duplicate for answer in answers)
            accepted += sum(not answer.duplicate for answer in answers)
        rejected.sort(key=lambda record: record.place)
        outcome = FileOutcome(
            path.name,
            accepted,
            duplicates,
            len(rejected),
            f"{accepted} accepted, {duplicates} known already, {len(rejected)} rejected",
        )
        self._file_away(path, reader, file, outcome, rejected)
        return outcome

    def _store(
        self, portion: list[DroppedRecord], identity: str, rejected: list[RejectedRecord]
    ) -> list[Accepted]:
        """Takes what can be understood in one commit; the rest is added to `rejected`."""
        rejected += [
            RejectedRecord(record.place, record.raw, record.violations, record.columns)
            for record in portion
            if record.violations
        ]
        portion = [record for record in portion if not record.violations]
        ids = [dropped_file.fallback_id(identity, record.index) for record in portion]
        translated = self._intake.translate([record.value for record in portion], ids)
        for entry in translated.refused:
            record = portion[entry.index]
            prefix = f"events[{entry.index}]"
            violations = [
                replace(violation, field=violation.field.removeprefix(prefix).removeprefix("."))
                for violation in entry.violations
            ]
            rejected.append(RejectedRecord(record.place, record.raw, violations, record.columns))
        return self._intake.accept(translated.groups) if translated.groups else []

    def _file_away(
        self,
        path: Path,
        reader: FileReader,
        file: DroppedFile,
        outcome: FileOutcome,
        rejected: list[RejectedRecord],
    ) -> None:
        """Moves the file on; what was rejected is written down first, so that a crash repeats it."""
        if rejected:
            part = reader.rejected_part(file, rejected)
            place = _free_place(self._folder.drop_rejected / path.name, part)
            total = outcome.accepted + outcome.duplicates + outcome.rejected
            reason = (
                f"{len(rejected)} of {total} records cannot be understood; "
                "correct them here and drop this file again"
            )
            report = dropped_file.error_report(path.name, reader.places, self._clock.now(), reason, rejected)
            write_durably(place.with_name(f"{place.name}.error.json"), report)
            write_durably(place, part)
            for record in rejected:
                self._refused.keep(record.raw, record.violations, path.name)
        if outcome.accepted or outcome.duplicates or not rejected:
            move_durably(path, _free_place(self._folder.drop_done / path.name, file.content))
        else:
            path.unlink()  # all of it lies in rejected/
        level = logging.WARNING if rejected else logging.INFO
        log.log(level, "%s: %s", path.name, outcome.message, extra={"action": "file.taken"})

    def _reject_whole(self, path: Path, reader: FileReader, reason: str) -> FileOutcome:
        place = _free_place(self._folder.drop_rejected / path.name, None)
        report = dropped_file.error_report(path.name, reader.places, self._clock.now(), reason, ())
        write_durably(place.with_name(f"{place.name}.error.json"), report)
        move_durably(path, place)
        log.warning("%s was rejected: %s", path.name, reason, extra={"action": "file.rejected"})
        return FileOutcome(path.name, 0, 0, 1, reason)


class _Seen(msgspec.Struct, frozen=True):
    """A file as it was last seen."""

    shape: tuple[int, int]
    """Size and change time."""
    since: float
    """Since when it has this shape, on the monotonic clock."""
    looks: int
    """How often it was found so."""

    def again(self) -> "_Seen":
        """The same, found once more."""
        return _Seen(self.shape, self.since, self.looks + 1)


def _has_its_end(path: Path) -> bool | None:
    """Whether the last character is one that a file of this kind ends with; None where nobody can tell."""
    ends = _ENDS.get(path.suffix.lower())
    if ends is None:
        return None
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 256))
            tail = file.read(256).rstrip(b" \t\r\n\0")
    except OSError:
        return True  # taking it will say what is wrong
    return not tail or tail[-1:] in ends


def _portions(records: Iterable[DroppedRecord]) -> Iterator[list[DroppedRecord]]:
    """The records in portions of EVENTS_IN_COMMIT and up to the end of the group that stands there."""
    portion: list[DroppedRecord] = []
    last_key: tuple[str, ...] | None = None
    for record in records:
        key = group_key(record.value)
        if len(portion) >= EVENTS_IN_COMMIT and (key is None or key != last_key):
            yield portion
            portion = []
        portion.append(record)
        last_key = key
    if portion:
        yield portion


def _free_place(wanted: Path, content: bytes | None) -> Path:
    """`wanted`, or a name beside it when another content lies there; the same content keeps its place."""
    place, number = wanted, 1
    while place.exists() and (content is None or not _holds(place, content)):
        number += 1
        place = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
    return place


def _holds(path: Path, content: bytes) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(content).digest()


def drop_copy(source: Path, folder: DataFolder, readers: FileReaders) -> str:
    """Copies a file into `spool/in` so that it appears there complete; the name it got. Raises
    FileUnreadable.
    """
    if not readers.takes(source.name):
        raise FileUnreadable(f"{source.name} is of no format that the agent reads; give it {readers} files.")
    try:
        content = source.read_bytes()
        place = _free_place(folder.drop_in / source.name, content)
        write_durably(place, content)
    except OSError as error:
        raise FileUnreadable(
            f"{source} cannot be handed over ({error.strerror}); check the path and its rights."
        ) from error
    return place.name
