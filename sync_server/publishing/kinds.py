"""What an outbox row announces, on which topic and under which name. Pure."""

from enum import IntEnum
from typing import Final


class OutboxKind(IntEnum):
    """What an outbox row announces; the number stands in the table."""

    SALE = 1
    RETURN = 2
    VOID = 3
    JOURNAL = 4
    RECONCILED = 5
    TRANSFER = 6
    AVAILABILITY = 7

    @property
    def topic(self) -> str:
        """The topic on which it is published."""
        return _TOPICS[self]

    @property
    def event_type(self) -> str:
        """The `eventType` of its messages."""
        return _EVENT_TYPES[self]


ANNOUNCED_KINDS: Final = frozenset({OutboxKind.RECONCILED, OutboxKind.TRANSFER})
"""What is published as it was written down, in an announcement; the others are told from the ledger.

AVAILABILITY has no row in the outbox at all: the relay sees from the movements of a page what has changed.
"""
_TOPICS: Final = {
    OutboxKind.SALE: "inventory.pos.pos-sale.posted",
    OutboxKind.RETURN: "inventory.pos.pos-return.posted",
    OutboxKind.VOID: "inventory.pos.pos-void.posted",
    OutboxKind.JOURNAL: "inventory.pos.gl-journal.posted",
    OutboxKind.RECONCILED: "inventory.pos.store-stock.reconciled",
    OutboxKind.TRANSFER: "inventory.pos.store-transfer.updated",
    OutboxKind.AVAILABILITY: "inventory.pos.store-availability.updated",
}
_EVENT_TYPES: Final = {
    OutboxKind.SALE: "POSSalePostedEvent",
    OutboxKind.RETURN: "POSReturnPostedEvent",
    OutboxKind.VOID: "POSVoidPostedEvent",
    OutboxKind.JOURNAL: "GLJournalPostedEvent",
    OutboxKind.RECONCILED: "StoreStockReconciledEvent",
    OutboxKind.TRANSFER: "StoreTransferUpdatedEvent",
    OutboxKind.AVAILABILITY: "StoreAvailabilityUpdatedEvent",
}
