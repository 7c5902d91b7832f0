"""The one way by which a store's events come. Who says nothing is given the way by which the first batch came.

A store that hands in the same sale twice, once by its agent and once straight from a till, would have it twice in
its books, for the two copies need not have the same id. So one way is the store's own; docs/decisions/0013 says
how it is chosen and what becomes of events that come by another.
"""

from enum import StrEnum

from sync_server.database import Work
from sync_server.stores.locked_store import LockedStore


class Intake(StrEnum):
    """The ways."""

    AGENT = "agent"
    DIRECT = "direct"
    """Tills that post to headquarters themselves."""
    KAFKA = "kafka"


def claims_intake(store: LockedStore, channel: Intake) -> bool:
    """Whether a batch by `channel`, which is not the store's intake, makes it so.

    The first batch of all does. So does an enrolled agent where nobody has declared another way: somebody gave
    the store its agent after it had begun otherwise.
    """
    return store.intake is None or (channel is Intake.AGENT and not store.intake_declared)


def claim_intake(work: Work, store_no: int, channel: Intake) -> None:
    """Makes `channel` the store's intake; call it under the store's lock."""
    work.connection.execute("UPDATE store SET intake = %s WHERE store_no = %s", [channel.value, store_no])
