"""Export files that were carried to headquarters by hand: checked, posted like any batch, once, and recorded.

Nothing is posted before the whole file was read and its seal compared. A signed file is its device's own word. One
that is not signed, from a dead PC's disk, is taken in on the word of a person who may, with a reason, and marked
as rescued. Taken in twice, or sent later over the line as well, it adds nothing: each event is known by its id.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.canonical_json import canonical_hash
from shared.clock import Clock, read_instant
from shared.event_batch import BatchReceipt, EventBatch, read_batch
from shared.export_file import ExportDamaged, ExportHeading, ExportReader, ExportSeal, signed_bytes
from shared.problems import Violation
from shared.wire_json import encode_json
from sync_server.accounting.remembered_chart import RememberedChart
from sync_server.database import Database, Work
from sync_server.errors import CannotRun, Forbidden
from sync_server.ingestion.acceptance import accept_batch
from sync_server.ingestion.undeliverable import RefusedEvent, hold_refused
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.roles import Role
from sync_server.people.users import find_person, list_people
from sync_server.stores.findings import FindingCode, raise_findings
from sync_server.stores.registry import find_store

RESCUERS = frozenset({Role.SUPPORT, Role.ADMIN})
"""Roles on whose word an unsigned file is taken in."""
_NAMED_EVENT = re.compile(r"events\[([0-9]{1,9})\]")
_ENVELOPE = frozenset({"eventId", "streamId", "sequence", "stamp"})
_RESCUED = "rescued-"
_DEVICE = """
SELECT device_no, signing_key, revoked_at FROM device WHERE store_no = %s AND device_id::text = %s
"""
_BEFORE = "SELECT imported_at FROM carried_file WHERE store_no = %s AND sha256 = %s"
_RECORD = """
INSERT INTO carried_file (store_no, sha256, device_no, rescued, reason, made_at, imported_at, imported_by,
                          batches, events, accepted, duplicates, held)
VALUES (%(store_no)s, %(sha256)s, %(device_no)s, %(rescued)s, %(reason)s, %(made_at)s, %(now)s, %(by)s,
        %(batches)s, %(events)s, %(accepted)s, %(duplicates)s, %(held)s)
ON CONFLICT (store_no, sha256) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Voucher:
    """The person on whose word an unsigned file is taken in, and why."""

    person: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose file it is, as far as that is proven."""

    store_no: int
    store_id: str
    device_no: int | None
    rescued: bool
    caller: Caller
    """Who the batches are posted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """What became of a file; `imported_before` says when it was taken in first."""

    heading: ExportHeading
    seal: ExportSeal
    rescued: bool
    imported_before: datetime | None
    receipts: list[BatchReceipt]
    set_aside: int
    """Events that cannot be understood; they lie among the held events."""

    @property
    def accepted(self) -> int:
        """Events that this import posted; a receipt of a batch that was known says what it had posted then."""
        return sum(receipt.accepted for receipt in self.receipts if not receipt.duplicate)

    @property
    def held(self) -> int:
        """Events that this import held for a person."""
        return sum(receipt.held for receipt in self.receipts if not receipt.duplicate) + self.set_aside

    @property
    def duplicates(self) -> int:
        """Events that headquarters had already."""
        return self.seal.events - self.accepted - self.held


def import_file(
    database: Database, clock: Clock, path: Path, *, by: Caller, voucher: Voucher | None, max_events: int
) -> ImportedFile:
    """Takes in the file. Raises CannotRun for one that is damaged or forged, Forbidden where a word is needed."""
    reader = _opened(path)
    sha256 = bytes.fromhex(reader.seal.sha256)
    with database.reading() as work:
        origin = _origin(work, reader, by, voucher)
        before = work.connection.execute(_BEFORE, [origin.store_no, sha256]).fetchone()
    chart = RememberedChart(clock)
    receipts: list[BatchReceipt] = []
    set_aside = 0
    for raw in _batches(reader):
        with database.unit_of_work() as work:
            batch, bad = _readable(work, origin, raw, max_events, clock.now())
            set_aside += bad
            if batch is not None:
                receipts.append(
                    accept_batch(work, chart.read(work), origin.caller, origin.store_no, batch, clock.now())
                )
    imported = ImportedFile(
        heading=reader.heading,
        seal=reader.seal,
        rescued=origin.rescued,
        imported_before=None if before is None else before[0],
        receipts=receipts,
        set_aside=set_aside,
    )
    with database.unit_of_work() as work:
        _record(work, origin, imported, sha256, voucher, by=by, now=clock.now())
    return imported


def _opened(path: Path) -> ExportReader:
    try:
        return ExportReader(path)
    except ExportDamaged as error:
        raise CannotRun(
            f"{path.name} was not imported: {error}. Nothing of it was posted; export it once more in the store."
        ) from error
    except OSError as error:
        raise CannotRun(f"{path} cannot be read ({error.strerror}); check where it lies.") from error


def _batches(reader: ExportReader) -> Any:
    try:
        yield from reader.batches()
    except (ExportDamaged, OSError) as error:
        raise CannotRun(
            f"{reader.path.name} was imported in part: {error}. Import it again; what is in already adds nothing."
        ) from error


def _origin(work: Work, reader: ExportReader, by: Caller, voucher: Voucher | None) -> Origin:
    """Who vouches for the file: its device's key, or a person."""
    heading, seal = reader.heading, reader.seal
    store = find_store(work, heading.store_id)
    assert store.store_no is not None
    device = work.connection.execute(_DEVICE, [store.store_no, heading.device_id]).fetchone()
    device_no, key, revoked_at = device if device is not None else (None, None, None)
    caller = Caller(
        kind=CallerKind.AGENT,
        name=str(heading.device_id),
        store_no=store.store_no,
        store_id=store.store_id,
        device_no=device_no,
        request_id=f"file-{seal.sha256[:16]}",
        origin=f"file, imported by {by.name}",
    )
    trouble = _why_not_vouched(seal, key, revoked=revoked_at is not None)
    if trouble is not None:
        person = _require_voucher(work, voucher, trouble)
        caller = replace(caller, name=f"{person} (RESCUED)")
    return Origin(
        store_no=store.store_no,
        store_id=store.store_id,
        device_no=device_no,
        rescued=trouble is not None,
        caller=caller,
    )


def _why_not_vouched(seal: ExportSeal, key: bytes | None, *, revoked: bool) -> str | None:
    """Why the device's key does not vouch for the file; None when it does. Raises CannotRun for a forged one."""
    if seal.signature is None:
        return "it is not signed"
    if key is None:
        return "no key of its device is known here"
    try:
        Ed25519PublicKey.from_public_bytes(bytes(key)).verify(
            bytes.fromhex(seal.signature), signed_bytes(seal.sha256)
        )
    except (InvalidSignature, ValueError) as error:
        raise CannotRun(
            "The file was not imported: its signature is not that of the device it names. Nothing of it was posted; "
            "export it once more in the store, and ask who had it in between."
        ) from error
    return "its device was revoked" if revoked else None


def _require_voucher(work: Work, voucher: Voucher | None, trouble: str) -> str:
    if voucher is None or not voucher.reason.strip():
        raise Forbidden(
            f"The file was not imported: {trouble}. Somebody has to vouch for it: --person NAME --reason TEXT"
        )
    name = find_person(work, voucher.person).name
    roles = next(
        (set(person.roles) for person in list_people(work) if person.name == name and not person.disabled),
        set(),
    )
    if not roles & RESCUERS:
        needed = " or ".join(sorted(RESCUERS))
        raise Forbidden(
            f"The file was not imported: {name} may not vouch for it; that takes the role {needed}"
        )
    return name


def _readable(
    work: Work, origin: Origin, raw: dict[str, Any], max_events: int, now: datetime
) -> tuple[EventBatch | None, int]:
    """The batch as it can be understood, and how many events cannot: they are held, with their whole group."""
    if origin.rescued and not str(raw.get("batchId")).startswith(_RESCUED):
        raw = {**raw, "batchId": f"{_RESCUED}{raw.get('batchId')}"[:128]}
    batch = read_batch(raw, max_events)
    if isinstance(batch, EventBatch):
        return batch, 0
    sick = _sick_events(raw, batch)
    aside = [event for index, event in enumerate(raw["events"]) if index in sick]
    refused = [_refused(event, batch) for event in aside]
    hold_refused(work, origin.caller, origin.store_no, str(raw.get("streamId")), refused, now)
    rest = {
        **{name: value for name, value in raw.items() if name != "contentHash"},
        "batchId": f"{raw.get('batchId')}-rest"[-128:],
        "events": [event for index, event in enumerate(raw["events"]) if index not in sick],
    }
    if not rest["events"]:
        return None, len(aside)
    remaining = read_batch(rest, max_events)
    if not isinstance(remaining, EventBatch):
        raise _unreadable(remaining)
    return remaining, len(aside)


def _sick_events(raw: dict[str, Any], violations: Sequence[Violation]) -> set[int]:
    """Indexes of the events that a violation names, with all of their groups. Raises CannotRun where none is named."""
    named = {int(match[1]) for violation in violations if (match := _NAMED_EVENT.match(violation.field))}
    events = raw.get("events")
    if not named or not isinstance(events, list) or any(_sequence(events[index]) is None for index in named):
        raise _unreadable(violations)
    groups = {_group(events[index], index) for index in named}
    sick = {index for index, event in enumerate(events) if _group(event, index) in groups}
    if any(_sequence(events[index]) is None for index in sick):
        raise _unreadable(violations)
    return sick


def _group(event: Any, index: int) -> object:
    stamp = event.get("stamp") if isinstance(event, dict) else None
    first = stamp.get("groupFirst") if isinstance(stamp, dict) else None
    return ("index", index) if first is None else first


def _sequence(event: Any) -> int | None:
    sequence = event.get("sequence") if isinstance(event, dict) else None
    return sequence if type(sequence) is int and 1 <= sequence < 2**53 else None


def _refused(event: dict[str, Any], violations: Sequence[Violation]) -> RefusedEvent:
    own = {name: value for name, value in event.items() if name not in _ENVELOPE}
    sequence = _sequence(event)
    assert sequence is not None
    reason = {"errorCode": "VALIDATION_FAILED", "violations": [each.to_wire() for each in violations[:20]]}
    return RefusedEvent(sequence, canonical_hash(own), encode_json(event).decode(), reason)


def _unreadable(violations: Sequence[Violation]) -> CannotRun:
    first = violations[0]
    return CannotRun(
        f"A batch of the file cannot be understood ({first.field}: {first.constraint}); what came before it is posted. "
        "Update headquarters to the store's version and import the file again."
    )


def _record(
    work: Work,
    origin: Origin,
    imported: ImportedFile,
    sha256: bytes,
    voucher: Voucher | None,
    *,
    by: Caller,
    now: datetime,
) -> None:
    """The file's row, an entry in the audit trail, and a finding where nobody but a person vouched for it."""
    counts = {"accepted": imported.accepted, "duplicates": imported.duplicates, "held": imported.held}
    row = {
        "store_no": origin.store_no,
        "sha256": sha256,
        "device_no": origin.device_no,
        "rescued": origin.rescued,
        "reason": voucher.reason if voucher is not None else None,
        "made_at": read_instant(imported.heading.made_at),
        "now": now,
        "by": voucher.person if origin.rescued and voucher is not None else by.name,
        "batches": imported.seal.batches,
        "events": imported.seal.events,
        **counts,
    }
    first_time = work.connection.execute(_RECORD, row).rowcount == 1
    after = {
        "sha256": imported.seal.sha256,
        "rescued": origin.rescued,
        "reason": row["reason"],
        "voucher": row["by"],
        "events": imported.seal.events,
        **counts,
    }
    facts = facts_by(by, at=now, action="file.imported", subject=imported.seal.sha256, after=after)
    append_entry(work, origin.store_no, facts)
    if origin.rescued and first_time:
        subject = f"file {imported.seal.sha256[:16]}"
        raise_findings(work, origin.store_no, [(FindingCode.RESCUED, subject)], now=now)
