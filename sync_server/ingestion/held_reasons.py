"""Why an event lies at HQ unposted, waiting for a person."""

from enum import StrEnum

from shared.pos_event import EventType


class HeldReason(StrEnum):
    """Each reason; the text of a member is what support reads."""

    EVENT_ID_REUSED = "EVENT_ID_REUSED"
    """The same event id came with other content; often a till that was reinstalled and counts from 1 again."""
    STREAM_CONFLICT = "STREAM_CONFLICT"
    """Another event holds this sequence of the stream; two agents claim one stream (a cloned or reset PC)."""
    SECOND_CHANNEL = "SECOND_CHANNEL"
    """It came by another way than the store's own intake, and the store does not have it under its natural key."""
    TYPE_NOT_POSTED = "TYPE_NOT_POSTED"
    """This version of the server records events of this type and does not post them yet."""
    GROUP_INCOMPLETE = "GROUP_INCOMPLETE"
    """Fewer lines came than its group is stamped with, or others of it are held: no group is posted half."""
    REFUSED = "REFUSED"
    """The server could not understand the event; the agent handed it over raw with the refusal."""


PLAIN_TYPES = frozenset(
    {EventType.SALE.value, EventType.RETURN.value, EventType.RECEIPT.value, EventType.VOID.value}
)
"""What is posted line by line in the batch's own way; other types have an `OtherLine`, or are held."""
