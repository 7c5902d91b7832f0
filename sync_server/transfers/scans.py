"""What tills scan for transfers: what is known when a batch comes, and the receipts that it leaves behind."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Cursor

from sync_server.publishing.announcements import Announcement, write_announcements
from sync_server.publishing.kinds import OutboxKind
from sync_server.stores.findings import FindingCode
from sync_server.transfers.known_transits import TransitKey, read_transits
from sync_server.transfers.overview import find_transfer
from sync_server.transfers.transfer_posting import announced, note_difference
from sync_server.transfers.transit import Transit
from sync_server.transfers.transit_ledger import Step, UndoneStep, undo_receipts, write_receipts

_HEADS = """
SELECT transfer_id, from_store_no, to_store_no, cancelled_at IS NOT NULL FROM transfer
WHERE transfer_id = ANY(%s::varchar[])
"""
_OF_RECEIPTS = """
SELECT store_sequence, transfer_id FROM transfer_receipt WHERE store_no = %s AND store_sequence = ANY(%s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Head:
    """Between which stores a transfer was requested."""

    from_store_no: int
    to_store_no: int
    cancelled: bool


@dataclass(slots=True)
class KnownTransfers:
    """What bears on the scans of a batch; posting moves it along."""

    store_no: int
    ids: dict[str, str] = field(default_factory=dict)
    """The transfer of each scan, by event key."""
    heads: dict[str, Head] = field(default_factory=dict)
    transits: dict[TransitKey, Transit] = field(default_factory=dict)
    of_receipt: dict[int, str] = field(default_factory=dict)
    """The transfer of receipts that voids may name, by their number."""
    told: set[str] = field(default_factory=set)
    """Transfers that the batch announces already."""

    def transit(self, transfer_id: str, item_no: int) -> Transit:
        """What is under way of an item."""
        return self.transits.setdefault((transfer_id, item_no), Transit())

    def odd_about(self, transfer_id: str, *, outward: bool) -> FindingCode | None:
        """What somebody should look at when this store ships (outward) or receives goods of the transfer."""
        head = self.heads.get(transfer_id)
        if head is None:
            return FindingCode.TRANSFER_UNKNOWN
        if head.cancelled:
            return FindingCode.TRANSFER_CANCELLED
        expected = head.from_store_no if outward else head.to_store_no
        return None if expected == self.store_no else FindingCode.TRANSFER_MISROUTED

    def has_to_tell(self, transfer_id: str) -> bool:
        """Whether this store, as the destination, still has to announce the transfer; asked once for a batch."""
        head = self.heads.get(transfer_id)
        if head is None or head.to_store_no != self.store_no or transfer_id in self.told:
            return False
        self.told.add(transfer_id)
        return True


@dataclass(frozen=True, slots=True)
class Telling:
    """A number under which the batch announces where a transfer stands, and what causes it."""

    number: int
    transfer_id: str
    cause: str


@dataclass(slots=True)
class ScannedReceipts:
    """What a batch has to write about receipts."""

    received: list[Step] = field(default_factory=list)
    undone: list[UndoneStep] = field(default_factory=list)
    tellings: list[Telling] = field(default_factory=list)


def read_ids(
    cursor: Cursor[Any],
    known: KnownTransfers,
    ids: Mapping[str, str],
    *,
    receiving: bool,
    receipts: Collection[int] = (),
) -> None:
    """Adds what is known of transfers to `known`: `ids` by event key, and those of earlier receipts by number."""
    known.ids.update(ids)
    if receipts:
        rows = cursor.execute(_OF_RECEIPTS, [known.store_no, list(receipts)])
        known.of_receipt.update(dict(rows.fetchall()))
    wanted = sorted({*ids.values(), *known.of_receipt.values()})
    for transfer_id, from_no, to_no, cancelled in cursor.execute(_HEADS, [wanted]):
        known.heads[transfer_id] = Head(from_no, to_no, cancelled)
    if receiving:
        known.transits.update(read_transits(cursor, known.store_no, wanted))


def write_scanned_receipts(cursor: Cursor[Any], store_no: int, notes: ScannedReceipts, now: datetime) -> None:
    """Writes receipts, those taken back behind them, what is to be told, and what differs now."""
    write_receipts(cursor, store_no, notes.received, now)
    changed = undo_receipts(cursor, store_no, notes.undone, now)
    changed |= {step.transfer_id for step in notes.received}
    transits = read_transits(cursor, store_no, changed)
    _announce(cursor, store_no, notes.tellings, transits, now)
    for transfer_id in sorted(changed):
        note_difference(cursor, store_no, transfer_id, now)


def _announce(
    cursor: Cursor[Any],
    store_no: int,
    tellings: Sequence[Telling],
    transits: Mapping[TransitKey, Transit],
    now: datetime,
) -> None:
    said = [
        Announcement(
            telling.number,
            OutboxKind.TRANSFER,
            telling.cause,
            announced(find_transfer(cursor, telling.transfer_id), transits),
        )
        for telling in tellings
    ]
    write_announcements(cursor, store_no, said, now)
