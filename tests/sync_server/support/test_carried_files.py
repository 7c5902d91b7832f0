"""Files carried by hand: posted once whoever sends them again, and refused whole when anything about them is wrong."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.export_file import ExportHeading, ExportWriter
from shared.wire_json import encode_json
from sync_server.database import Database
from sync_server.errors import CannotRun, Forbidden, NotFound
from sync_server.people.roles import Role
from sync_server.stores.enrolment import Applicant, create_enrolment_code, enrol
from sync_server.support.carried_files import ImportedFile, Voucher, import_file
from tests.agent_stream import AgentStream
from tests.builders import OPERATOR, build_person
from tests.set_clock import START, SetClock
from tests.store_ledger import StoreLedger
from tests.till_events import sale

WORD = Voucher("ada", "the PC burnt down")


class Store:
    """A store with one enrolled device, its key, and its stream."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.ledger = StoreLedger(database)
        self.database, self.folder = database, folder
        self.key = Ed25519PrivateKey.generate()
        self.device_id = uuid4()
        self.stream = AgentStream()
        self.enrol(self.device_id, self.key)

    def enrol(self, device_id: UUID, key: Ed25519PrivateKey) -> None:
        """Makes a device known with its key."""
        applicant = Applicant(device_id, "till PC", "0.1.0", key.public_key().public_bytes_raw())
        with self.database.unit_of_work() as work:
            code = create_enrolment_code(work, "STORE-01", by=OPERATOR, now=START)
            enrol(work, code, applicant, request=OPERATOR, now=START)

    def batch(self, events: Sequence[Any], batch_id: str = "export-1") -> dict[str, Any]:
        """A batch of the store's stream."""
        top = {"batchId": batch_id, "postedAt": "2026-02-10T23:00:00Z", "streamId": self.stream.stream_id}
        return {**top, "events": list(events)}

    def file(
        self, *batches: dict[str, Any], key: Ed25519PrivateKey | None = None, signed: bool = True
    ) -> Path:
        """An export of these batches."""
        path = self.folder / f"{uuid4()}.tillsync"
        heading = ExportHeading(
            store_id="STORE-01",
            device_id=str(self.device_id),
            made_at="2026-02-10T23:00:00Z",
            agent_version="0.1.0",
            rescued=not signed,
        )
        with ExportWriter(path, heading) as writer:
            for batch in batches:
                writer.add(encode_json(batch), len(batch["events"]))
            writer.seal((key or self.key).sign if signed else None)
        return path

    def take_in(self, path: Path, voucher: Voucher | None = None) -> ImportedFile:
        """Imports it."""
        clock = SetClock()
        return import_file(self.database, clock, path, by=OPERATOR, voucher=voucher, max_events=2000)

    def posted(self) -> int:
        """Events in the ledger."""
        with self.database.reading() as work:
            row = work.connection.execute("SELECT count(*) FROM pos_event").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Store:
    """STORE-01 and its device."""
    return Store(database, tmp_path)


def test_a_signed_file_is_posted_once_with_the_same_receipts(store: Store) -> None:
    events = store.stream.groups(*(sale() for _ in range(5)))
    path = store.file(store.batch(events[:3], "export-1"), store.batch(events[3:], "export-2"))
    first, again = store.take_in(path), store.take_in(path)
    assert (first.accepted, first.rescued, first.imported_before) == (5, False, None)
    assert [receipt.acknowledged_sequence for receipt in first.receipts] == [3, 5]
    assert [(r.batch_id, r.accepted, r.duplicate) for r in again.receipts] == [
        ("export-1", 3, True),
        ("export-2", 2, True),
    ]
    assert (again.accepted, again.duplicates) == (0, 5)
    assert again.imported_before is not None
    assert store.posted() == 5
    late = store.ledger.post(*events, stream=store.stream)
    assert (late.accepted, late.duplicates) == (0, 5), "the line is back, and adds nothing"
    store.ledger.check()


@pytest.mark.parametrize("change", ["price", "cut", "batch removed", "garbage", "not gzip", "empty"])
def test_a_file_that_was_tampered_with_is_refused_whole(store: Store, change: str) -> None:
    events = store.stream.groups(*(sale() for _ in range(3)))
    path = store.file(store.batch(events[:2], "export-1"), store.batch(events[2:], "export-2"))
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    changed = {
        "price": gzip.compress(b"".join(lines).replace(b'"quantity":', b'"quantity":1', 1)),
        "cut": path.read_bytes()[:-30],
        "batch removed": gzip.compress(b"".join([lines[0], *lines[2:]])),
        "garbage": path.read_bytes()[:80] + b"\xff" * 40 + path.read_bytes()[120:],
        "not gzip": b"".join(lines),
        "empty": b"",
    }
    path.write_bytes(changed[change])
    with pytest.raises(CannotRun, match="was not imported"):
        store.take_in(path, WORD)
    assert store.posted() == 0


def test_another_keys_signature_is_refused_whoever_vouches_for_it(store: Store, database: Database) -> None:
    build_person(database, "ada", Role.ADMIN)
    path = store.file(store.batch(store.stream.group(sale())), key=Ed25519PrivateKey.generate())
    with pytest.raises(CannotRun, match="its signature is not that of the device"):
        store.take_in(path, WORD)
    assert store.posted() == 0


def test_an_unsigned_file_needs_a_person_with_a_role_and_a_reason(store: Store, database: Database) -> None:
    path = store.file(store.batch(store.stream.group(sale()), "export-1"), signed=False)
    with pytest.raises(Forbidden, match="has to vouch"):
        store.take_in(path)
    with pytest.raises(NotFound, match="nobody called 'ada'"):
        store.take_in(path, WORD)
    build_person(database, "ada", Role.VIEWER)
    with pytest.raises(Forbidden, match="takes the role"):
        store.take_in(path, WORD)
    build_person(database, "eve", Role.SUPPORT)
    with pytest.raises(Forbidden, match="has to vouch"):
        store.take_in(path, Voucher("eve", " "))
    assert store.posted() == 0
    imported = store.take_in(path, Voucher("eve", "the PC burnt down"))
    assert (imported.rescued, imported.accepted) == (True, 1)
    with database.reading() as work:
        found = work.connection.execute("SELECT code, count FROM finding").fetchall()
        batch = work.connection.execute("SELECT batch_id, caller FROM pos_batch").fetchall()
        files = work.connection.execute("SELECT rescued, reason, imported_by FROM carried_file").fetchall()
    assert ("RESCUED", 1) in found
    assert batch == [("rescued-export-1", "eve (RESCUED)")]
    assert files == [(True, "the PC burnt down", "eve")]


def test_a_revoked_devices_file_needs_somebodys_word(store: Store, database: Database) -> None:
    with database.unit_of_work() as work:
        work.connection.execute("UPDATE device SET revoked_at = now()")  # time: any instant revokes
    with pytest.raises(Forbidden, match="its device was revoked"):
        store.take_in(store.file(store.batch(store.stream.group(sale()))))


def test_an_event_that_nobody_understands_is_held_and_the_rest_is_posted(
    store: Store, database: Database
) -> None:
    good, sick = store.stream.group(sale()), store.stream.group(sale(), sale())
    sick[1]["quantity"] = "many"
    last = store.stream.group(sale())
    imported = store.take_in(store.file(store.batch([*good, *sick, *last])))
    assert (imported.accepted, imported.set_aside) == (2, 2)
    assert imported.receipts[0].acknowledged_sequence == 4
    with database.reading() as work:
        held = work.connection.execute("SELECT sequence, reason FROM held_event ORDER BY 1").fetchall()
    assert held == [(2, "REFUSED"), (3, "REFUSED")]


def test_a_file_of_an_unknown_store_says_so(store: Store, tmp_path: Path) -> None:
    other = tmp_path / "other.tillsync"
    heading = ExportHeading(store_id="STORE-99", device_id=None, made_at="2026-02-10T23:00:00Z",
                            agent_version="0", rescued=True)  # fmt: skip
    with ExportWriter(other, heading) as writer:
        writer.seal(None)
    with pytest.raises(NotFound, match="STORE-99"):
        store.take_in(other, WORD)
