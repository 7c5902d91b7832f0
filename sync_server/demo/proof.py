"""The proof: whether what was handed over at the tills is what arrived, everywhere, once. Pure comparison.

For every store four sets of event ids have to be one and the same: handed over by the replayer, acknowledged
in the agent's file, posted in the ledger, published in the topics. Beside them: every business date in the
agent's file is PROVEN at headquarters, nothing was posted twice, nothing lies held, messages came in the
store's order, stock is the sum of its movements, journals balance. The evidence is read elsewhere; here
nothing is counted that was not found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

_NAMED = 3
"""How many of the ids that differ a fault names; the rest is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreEvidence:
    """What was found about one store; event ids as their 16-byte keys."""

    store_id: str
    replayed: frozenset[UUID]
    """The replay log: handed over by the tills."""
    acknowledged: frozenset[UUID]
    """The agent's file: marked there as acknowledged by headquarters."""
    spooled: frozenset[UUID]
    """The agent's file: everything in it."""
    posted: Sequence[UUID]
    """The ledger, one entry per row."""
    published: frozenset[UUID]
    """The topics, read from their beginning."""
    held: int
    """Events that lie held at headquarters, waiting for a person."""
    agent_dates: Mapping[date, int]
    """The agent's file: events per business date as stamped."""
    day_states: Mapping[date, str]
    """Headquarters: the state of each store-day."""
    out_of_order: int
    """Messages whose first occurrence in a topic came after one of a later posting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksEvidence:
    """What was found in the books of all stores together."""

    journals: int
    unbalanced_journals: int
    stock_rows: int
    stock_differences: int
    """Items of a store whose stock, in any of the three quantities, is not the sum of its movements."""
    events_without_movement_or_journal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreProof:
    """One line of the table."""

    store_id: str
    replayed: int
    acknowledged: int
    posted: int
    published: int
    days: int
    days_proven: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether everything about this store holds."""
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The whole of it."""

    stores: tuple[StoreProof, ...]
    journals_balanced: bool
    stock_equals_movements: bool
    faults: tuple[str, ...] = field(default=())
    """What does not hold in the books, beside the stores' own faults."""

    @property
    def ok(self) -> bool:
        """Whether every line of it holds."""
        return bool(self.stores) and not self.faults and all(store.ok for store in self.stores)

    def all_faults(self) -> list[str]:
        """Everything that does not hold, a sentence each."""
        return [*(fault for store in self.stores for fault in store.faults), *self.faults]

    def to_wire(self) -> dict[str, Any]:
        """The shape that `sync-server demo --json` prints."""
        return {
            "ok": self.ok,
            "stores": [
                {
                    "storeId": store.store_id,
                    "replayed": store.replayed,
                    "acknowledged": store.acknowledged,
                    "posted": store.posted,
                    "published": store.published,
                    "days": store.days,
                    "daysProven": store.days_proven,
                    "ok": store.ok,
                }
                for store in self.stores
            ],
            "journalsBalanced": self.journals_balanced,
            "stockEqualsMovements": self.stock_equals_movements,
            "faults": self.all_faults(),
        }


def prove(stores: Sequence[StoreEvidence], books: BooksEvidence) -> Proof:
    """The proof of what was found; it holds only where there was something to prove."""
    faults = []
    if not books.journals:
        faults.append("there is no journal at all")
    if books.unbalanced_journals:
        faults.append(f"{books.unbalanced_journals} of {books.journals} journals do not balance")
    if not books.stock_rows:
        faults.append("there is no stock at all")
    if books.stock_differences:
        faults.append(f"{books.stock_differences} items have a stock that is not the sum of their movements")
    if books.events_without_movement_or_journal:
        faults.append(
            f"{books.events_without_movement_or_journal} posted events have left no movement or no journal"
        )
    return Proof(
        stores=tuple(prove_store(store) for store in stores),
        journals_balanced=bool(books.journals) and not books.unbalanced_journals,
        stock_equals_movements=bool(books.stock_rows) and not books.stock_differences,
        faults=tuple(faults),
    )


def prove_store(found: StoreEvidence) -> StoreProof:
    """One store's line and everything that does not hold about it."""
    posted = frozenset(found.posted)
    proven = [day for day in found.agent_dates if found.day_states.get(day) == "PROVEN"]
    faults = [
        *_set_faults("the agent's file", found.replayed, found.spooled),
        *_set_faults("the acknowledged ones", found.replayed, found.acknowledged),
        *_set_faults("the ledger", found.replayed, posted),
        *_set_faults("the topics", found.replayed, found.published),
        *_day_faults(found, len(proven)),
    ]
    if not found.replayed:
        faults.append("nothing was replayed")
    if len(posted) != len(found.posted):
        faults.append(f"{len(found.posted) - len(posted)} events are in the ledger twice")
    if found.held:
        faults.append(f"{found.held} events lie held")
    if found.out_of_order:
        faults.append(f"{found.out_of_order} messages were published out of order")
    return StoreProof(
        store_id=found.store_id,
        replayed=len(found.replayed),
        acknowledged=len(found.acknowledged),
        posted=len(posted),
        published=len(found.published),
        days=len(found.agent_dates),
        days_proven=len(proven),
        faults=tuple(f"{found.store_id}: {fault}" for fault in faults),
    )


def _set_faults(place: str, replayed: frozenset[UUID], there: frozenset[UUID]) -> list[str]:
    faults = []
    if missing := replayed - there:
        faults.append(f"{len(missing)} replayed events are not among {place}: {_named(missing)}")
    if strange := there - replayed:
        faults.append(f"{len(strange)} events are among {place} that nobody replayed: {_named(strange)}")
    return faults


def _day_faults(found: StoreEvidence, proven: int) -> list[str]:
    faults = []
    if not found.agent_dates:
        faults.append("the agent's file has no business date")
    elif proven != len(found.agent_dates):
        open_days = {
            str(day): found.day_states.get(day, "unknown to headquarters")
            for day in sorted(found.agent_dates)
            if found.day_states.get(day) != "PROVEN"
        }
        first = ", ".join(f"{day} is {state}" for day, state in list(open_days.items())[:_NAMED])
        faults.append(f"{len(open_days)} of {len(found.agent_dates)} days are not proven: {first}")
    if strange := set(found.day_states) - set(found.agent_dates):
        faults.append(f"headquarters has {len(strange)} days that the agent does not: {min(strange)}")
    return faults


def _named(keys: frozenset[UUID]) -> str:
    few = sorted(keys)[:_NAMED]
    return ", ".join(str(key) for key in few) + (", …" if len(keys) > len(few) else "")
