"""What an agent says of events that were refused: retried by the store they are released, given up they are discarded.

An event that headquarters could not understand lies here raw. When its agent sends it again and it can be
understood now, after an update of either side say, the held copy is released, with its group, through the same
door as one that a person releases. A person's decision stands: what is decided already is left as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.event_batch import BatchReceipt, EventBatch
from shared.identifiers import event_key_hex
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.errors import Refused
from sync_server.ingestion.held_events import HeldStatus, find_held_event
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.ingestion.held_release import ReleaseWish, discard_held, release_held
from sync_server.ingestion.known_state import key_array
from sync_server.people.callers import Caller, CallerKind
from sync_server.stores.locked_store import lock_store

RETRIED = "The store's agent sent it again, and it can be understood now"

_RETRIED = """
SELECT held_event_no, content_hash FROM held_event
WHERE store_no = %s AND status = %s AND reason = %s AND event_key = ANY(%s::uuid[])
ORDER BY sequence NULLS FIRST, held_event_no
"""
_GIVEN_UP = """
SELECT h.held_event_no FROM held_event h JOIN stream s USING (store_no, stream_no)
WHERE h.store_no = %s AND s.stream_id = %s AND h.sequence = %s AND h.content_hash = %s AND h.status = %s
"""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An event that the store has given up, and why."""

    sequence: int
    content_hash: bytes
    reason: str


def release_retried(
    work: Work,
    chart: ChartOfAccounts,
    caller: Caller,
    store_no: int,
    batch: EventBatch,
    receipt: BatchReceipt,
    now: datetime,
) -> int:
    """Releases what of a batch lies here as refused; how many events. Call it when the batch has been accepted.

    The batch itself counted them as known, since they were received before.
    """
    if not receipt.duplicates or receipt.duplicate or caller.kind is not CallerKind.AGENT:
        return 0
    sent = {
        event_key_hex(event.event_id): event.content_hash
        for event in batch.events
        if event.event_id is not None
    }
    row = [store_no, HeldStatus.HELD.value, HeldReason.REFUSED.value, key_array(sent)]
    waiting = work.connection.execute(_RETRIED, row).fetchall()
    hashes = set(sent.values())
    released = 0
    for held_event_no, content_hash in waiting:
        if bytes(content_hash) in hashes and _is_held(work, held_event_no):  # else its group took it along
            wish = ReleaseWish(held_event_no=held_event_no, reason=RETRIED)
            try:
                with work.connection.transaction():
                    released += len(release_held(work, chart, wish, by=caller, now=now).events)
            except Refused:
                continue  # it stays held: a person sees it among the held events, with its reason
    return released


def discard_given_up(
    work: Work, caller: Caller, store_no: int, stream_id: str, given_up: Sequence[GivenUp], now: datetime
) -> int:
    """Discards the held copies of events that the store has given up; how many. Said again it does nothing."""
    cursor = work.connection.cursor()
    lock_store(cursor, store_no)
    discarded = 0
    for event in given_up:
        row = [store_no, stream_id, event.sequence, event.content_hash, HeldStatus.HELD.value]
        for (held_event_no,) in cursor.execute(_GIVEN_UP, row).fetchall():
            discard_held(work, held_event_no, reason=event.reason, by=caller, now=now)
            discarded += 1
    return discarded


def _is_held(work: Work, held_event_no: int) -> bool:
    return find_held_event(work.connection.cursor(), held_event_no).status is HeldStatus.HELD
