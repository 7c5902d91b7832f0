"""Everything that the sides of the ingest comparisons need, prepared once, and only what is asked for."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from pathlib import Path

from benchmarks.agent_batches import AgentBatches, Batch, cut_batches
from benchmarks.headquarters import Headquarters
from benchmarks.ledger_check import row_counts
from benchmarks.load_generator import CONNECTIONS
from benchmarks.posted_rows import PostedBatch, Rehearsal, rehearse
from benchmarks.real_sales import Sales, merged, read_sales
from shared.clock import SystemClock
from sync_server.demo.watchdog import Watchdog

DRAIN_STORES = 8
FIRST_DRAIN_STORE = 9101
HOT_STORE = 9001
"""The number of the store that sells everything alone."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    stores: int
    batches: int
    """Batches of each store."""
    days: int
    """Days of the file that the baskets are taken from."""
    rounds: int
    slow_batches: int
    """Batches for the side that takes seconds for each."""
    agent_events: int
    """Commits of each side of the agent's comparison, in a round."""
    backlog: int
    """Events that wait while the agent's footprint is measured."""
    rest_seconds: float
    """How long the agent at rest is watched."""


FULL = Scale(
    stores=50,
    batches=3,
    days=24,
    rounds=3,
    slow_batches=3,
    agent_events=3000,
    backlog=1_000_000,
    rest_seconds=20,
)
QUICK = Scale(
    stores=6, batches=2, days=5, rounds=1, slow_batches=1, agent_events=400, backlog=20_000, rest_seconds=2
)


class Stage:
    """One run's folder, and what has been prepared in it. Use as a context."""

    def __init__(self, folder: Path, scale: Scale) -> None:
        self.folder = folder
        self.scale = scale
        self._clock = SystemClock()
        self._stack = ExitStack()
        self.watchdog = Watchdog()
        self._stack.callback(self.watchdog.close)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def sales(self) -> Sales:
        """What the stores sell."""
        today = self._clock.now().astimezone(UTC).date()
        return read_sales(self.scale.stores, self.scale.days, today)

    @cached_property
    def agents(self) -> list[AgentBatches]:
        """What each store's agent has to send."""
        return [
            cut_batches(
                store, self.sales.events(store), self.scale.batches, self.new_path("agent.db"), self._clock
            )
            for store in self.sales.stores
        ]

    @cached_property
    def hot_sales(self) -> Sales:
        """The same baskets, all in one store."""
        return merged(self.sales, HOT_STORE)

    @cached_property
    def hot_agents(self) -> list[list[Batch]]:
        """Half as many batches, from as many agents of the one store as there are connections."""
        store = self.hot_sales.stores[0]
        transactions = list(self.hot_sales.transactions(store))
        count = max(1, self.scale.stores * self.scale.batches // 2 // CONNECTIONS)
        agents = []
        for first in range(CONNECTIONS):
            mine = transactions[first::CONNECTIONS]
            events = [event for transaction in mine for event in transaction.events]
            agents.append(cut_batches(store, events, count, self.new_path("hot.db"), self._clock).batches)
        return agents

    @cached_property
    def drain_sales(self) -> Sales:
        """The same baskets, all in the stores that drain after an outage."""
        return merged(self.sales, FIRST_DRAIN_STORE, min(DRAIN_STORES, self.scale.stores))

    @cached_property
    def drain_agents(self) -> list[AgentBatches]:
        """What their agents have to send: as many batches as all stores have, and no group of it cut off."""
        stores = self.drain_sales.stores
        count = self.scale.stores * self.scale.batches // len(stores)
        return [
            cut_batches(store, self.drain_sales.events(store), count, self.new_path("drain.db"), self._clock)
            for store in stores
        ]

    @cached_property
    def headquarters(self) -> Headquarters:
        """The running PostgreSQL with its template."""
        headquarters = self._stack.enter_context(
            Headquarters(self.folder / "headquarters", self._clock, self.watchdog)
        )
        headquarters.make_template([self.sales, self.hot_sales, self.drain_sales])
        return headquarters

    @cached_property
    def in_order(self) -> list[Batch]:
        """Every batch, round the stores: the order for whoever posts one after the other."""
        return [agent.batches[turn] for turn in range(self.scale.batches) for agent in self.agents]

    @cached_property
    def rehearsed(self) -> tuple[Rehearsal, dict[str, int]]:
        """The rows that the batches become, and how many rows each table has then."""
        with self.headquarters.fresh_database() as url:
            return rehearse(url, self.headquarters.credentials, self.in_order), row_counts(url)

    def shares(self, count: int) -> list[list[PostedBatch]]:
        """The rehearsal's batches in `count` shares, a store's all in one of them."""
        stores = sorted({batch.store_no for batch in self.rehearsed[0].batches})
        return [
            [batch for batch in self.rehearsed[0].batches if batch.store_no in mine]
            for mine in (set(stores[share::count]) for share in range(count))
        ]

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """A copy of the template, dropped afterwards; there is one at a time, and the rehearsal has had its own."""
        assert self.rehearsed
        with self.headquarters.fresh_database() as url:
            yield url

    def new_path(self, name: str) -> Path:
        """A path in the run's folder that nothing has yet."""
        return self.folder / f"{sum(1 for _ in self.folder.iterdir())}-{name}"
