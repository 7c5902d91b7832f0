"""A job: something that has to be done for stores from time to time, found and done store by store.

    Job("expire_reservations", 5, find_stores=stores_with_expired, do_for_store=expire)

Each store is a unit of work of its own, since no transaction locks two stores: one store that fails holds up
no other and is tried again at the next run. A job may be cut off anywhere, and for a moment two processes may
run it at once: what it does for a store it does under that store's lock, and only what is still to be done.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sync_server.database import Work


@dataclass(frozen=True, slots=True)
class Job:
    """One job; `name` (lower case, with underscores) is what logs and metrics call it."""

    name: str
    every_seconds: float  # float: seconds
    find_stores: Callable[[Work, datetime], Iterable[int]]
    """The numbers of the stores that have something to do now; asked in a transaction that only reads."""
    do_for_store: Callable[[Work, int, datetime], int]
    """Does it for one store, a bounded piece of it, and returns how many things were done."""
