"""Why a group is held, whom the finding names, and what holds its events together until a person decides. Pure."""

from collections.abc import Sequence

from shared.identifiers import event_key_hex
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.held_reasons import HeldReason
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.locked_store import KnownStream

FINDING_OF = {
    HeldReason.EVENT_ID_REUSED: FindingCode.EVENT_ID_REUSED,
    HeldReason.STREAM_CONFLICT: FindingCode.STREAM_CONFLICT,
    HeldReason.GROUP_INCOMPLETE: FindingCode.GROUP_INCOMPLETE,
    HeldReason.SECOND_CHANNEL: FindingCode.SECOND_CHANNEL,
    HeldReason.TYPE_NOT_POSTED: FindingCode.TYPE_NOT_POSTED,
    HeldReason.REFUSED: FindingCode.EVENT_REFUSED,
}
"""The finding that holding for a reason raises; it closes when the last such event of its subject is decided."""
MAX_GROUP = 10_000
"""Events of a group, and more than any batch can hold."""


def key_of_group(stream_id: str | None, first: Arrival) -> str:
    """What holds a group together, also when its lines come in several batches; as 32 hex digits."""
    stamp = first.event.stamp
    if stream_id is None or stamp is None:
        return event_key_hex(f"group\x1f{first.key}\x1f{first.event.content_hash.hex()}")
    return key_of_stamped_group(stream_id, stamp.group_first)


def key_of_stamped_group(stream_id: str, group_first: int) -> str:
    """The same for a group whose agent numbered its first event `group_first`."""
    return event_key_hex(f"group\x1f{stream_id}\x1f{group_first}")


def keys_of_groups(stream: KnownStream, came: Sequence[Arrival]) -> list[str]:
    """The keys of the groups that these events of a stream belong to."""
    firsts = {arrival.event.stamp.group_first for arrival in came if arrival.event.stamp is not None}
    return [key_of_stamped_group(stream.stream_id, first) for first in firsts]


def begins_inside(first: Arrival) -> bool:
    """Whether a batch whose first event this is begins inside a group: the rest of it came before, or never did."""
    stamp = first.event.stamp
    return stamp is not None and stamp.group_first != first.event.sequence


def subject_of(reason: HeldReason, arrival: Arrival, posting: OpenPosting) -> str:
    """Whom the finding of a held event names."""
    event, stream = arrival.event, posting.context.stream
    if reason is HeldReason.SECOND_CHANNEL:
        return posting.channel
    if reason is HeldReason.STREAM_CONFLICT and stream is not None:
        return stream.stream_id
    if reason is HeldReason.TYPE_NOT_POSTED:
        return event.type
    if reason is HeldReason.GROUP_INCOMPLETE:
        return event.sale_id or event.transaction_number or event.event_id or arrival.key
    return event.event_id or arrival.key


def is_half(posting: OpenPosting, group: Sequence[Arrival]) -> bool:
    """Whether posting a `group`, or what is new of it, would post half of it.

    The agent never cuts a group between batches; only what is sent again may be a part. Lines that are missing
    here and were never received make it half, and so do lines of it that are held already.
    """
    stamp, stream = group[0].event.stamp, posting.context.stream
    if stamp is None or stream is None:
        return False
    if key_of_stamped_group(stream.stream_id, stamp.group_first) in posting.state.held_groups:
        return True
    if len(group) >= stamp.group_size:
        return False
    here = {arrival.event.sequence for arrival in group}
    sequences = range(stamp.group_first, stamp.group_first + stamp.group_size)
    return stamp.group_size > MAX_GROUP or any(
        sequence not in here and not stream.has(sequence) for sequence in sequences
    )
