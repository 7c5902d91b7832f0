"""Batches that this process has just posted, by their bytes: one whose answer got lost is not read again.

A hint and no truth. What is remembered is looked up in the ledger like any batch; where the ledger does not have
it (a database restored from a backup), the batch is read and posted as ever.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.multirange import Multirange

from shared.event_batch import BatchReceipt, EventBatch
from sync_server.database import Work
from sync_server.ingestion.receipts import Answering, read_known, receipt_for
from sync_server.people.callers import Caller

MAX_BATCHES = 4096
"""Some 300 bytes each."""


@dataclass(frozen=True, slots=True)
class RecentBatch:
    """What a body that was posted turned out to be."""

    batch_id: str
    stream_id: str | None
    content_hash: bytes


class RecentBatches:
    """By store number and body. Safe to use from any number of threads; the one not asked for longest is forgotten."""

    def __init__(self, max_batches: int = MAX_BATCHES) -> None:
        self._max = max_batches
        self._lock = threading.Lock()
        self._batches: OrderedDict[tuple[int, bytes], RecentBatch] = OrderedDict()

    def find(self, store_no: int, digest: bytes) -> RecentBatch | None:
        """The batch whose body has this digest, if this process posted it lately."""
        with self._lock:
            found = self._batches.get((store_no, digest))
            if found is not None:
                self._batches.move_to_end((store_no, digest))
            return found

    def note(self, store_no: int, digest: bytes, batch: EventBatch) -> None:
        """Remembers what a body was; to be called once its posting is committed."""
        with self._lock:
            self._batches[store_no, digest] = RecentBatch(batch.batch_id, batch.stream_id, batch.content_hash)
            if len(self._batches) > self._max:
                self._batches.popitem(last=False)


def digest_of(body: bytes) -> bytes:
    """By which a body is known again; the same only for the same bytes."""
    return hashlib.sha256(body).digest()


def receipt_again(
    work: Work, caller: Caller, store_no: int, store_id: str, recent: RecentBatch, now: datetime
) -> BatchReceipt | None:
    """The receipt of a batch that the ledger has; None: read the batch, and let the ledger decide as ever.

    Nothing is locked: nothing is posted, and what a stream has received only grows.
    """
    cursor = work.connection.cursor()
    known = read_known(cursor, store_no, recent.stream_id, recent.batch_id)
    batch, stream = known.batch, known.stream
    if batch is None or batch.content_hash != recent.content_hash:
        return None
    if batch.stream_no != (None if stream is None else stream.stream_no):
        return None
    if batch.counts.duplicates:
        return None  # what has become of its duplicates since is looked at event by event
    received = Multirange() if stream is None else stream.received
    answering = Answering(caller, store_no, store_id, recent.batch_id, now, known.asks)
    return receipt_for(cursor, answering, batch.counts, received, duplicate=True)
