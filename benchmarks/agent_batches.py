"""Batches as agents send them: the agents' own code stamps, numbers, cuts and packs them, long before timing."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent.batching import BatchLimits
from edge_agent.intake import Intake
from edge_agent.spool import Spool
from edge_agent.spool_batches import OutgoingBatch, next_batch, record_receipt, send_again
from edge_agent.spool_desk import SpoolDesk
from edge_agent.translation import StoreRule
from edge_agent.uplink import COMPRESSION_LEVEL
from shared.business_date import DayRule
from shared.clock import Clock
from shared.protocol import DEFAULT_LIMITS
from sync_server.demo.demo_stores import DemoStore

BATCH_EVENTS = 500
NEW_CUT_EVENTS = 380
"""How the same events are cut the second time: nearly every batch has other neighbours."""
_HANDED_OVER = 2000
"""Events that are given to the agent at once; it makes no difference to what it stores."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One request's worth: the bytes as they cross the wire (gzip), and how many lines are in them."""

    store_id: str
    batch_id: str
    lines: int
    body: bytes

    def unpacked(self) -> bytes:
        """The JSON."""
        return gzip.decompress(self.body)


@dataclass(frozen=True, slots=True)
class AgentBatches:
    """What one agent has to send, in its order: cut once, and cut anew."""

    store_id: str
    batches: list[Batch]
    cut_anew: list[Batch]


def cut_batches(
    store: DemoStore, events: Sequence[dict[str, Any]], count: int, spool: Path, clock: Clock
) -> AgentBatches:
    """What the store's agent, a fresh one with its file at `spool`, makes of the till's events."""
    agent = BatchingAgent(store, spool, clock)
    try:
        agent.take(events)
        return agent.cut(count)
    finally:
        agent.close()


class BatchingAgent:
    """An agent without its line: it takes events and cuts batches."""

    def __init__(self, store: DemoStore, spool: Path, clock: Clock) -> None:
        self._store_id = store.store_id
        self._clock = clock
        rule = StoreRule(store.store_id, DayRule(store.timezone, store.day_start))
        self._desk = SpoolDesk(spool, clock)
        self._intake = Intake(self._desk, lambda: rule, clock)

    def close(self) -> None:
        """Closes the spool."""
        self._desk.close()

    def take(self, events: Sequence[dict[str, Any]]) -> None:
        """Stores the events, transactions as groups; every one of them must be acceptable."""
        for start in range(0, len(events), _HANDED_OVER):
            translated = self._intake.translate(events[start : start + _HANDED_OVER])
            assert not translated.refused, translated.refused[0].violations
            self._intake.accept(translated.groups)

    def cut(self, count: int) -> AgentBatches:
        """The first `count` batches, and their events again in other batches."""

        def work(spool: Spool) -> AgentBatches:
            # Everything is cut, since an agent sends what is new before what it has to send again.
            batches = list(self._outgoing(spool, BATCH_EVENTS))[:count]
            assert len(batches) == count, (
                f"{self._store_id} has too few sales for {count} batches; read more days"
            )
            send_again(spool, [(1, batches[-1].last_position)])
            anew = list(self._outgoing(spool, NEW_CUT_EVENTS))
            return AgentBatches(
                self._store_id, list(map(self._packed, batches)), list(map(self._packed, anew))
            )

        return self._desk.ask(work)

    def _outgoing(self, spool: Spool, events: int) -> Iterator[OutgoingBatch]:
        limits = BatchLimits(events, DEFAULT_LIMITS.max_body_bytes)
        while batch := next_batch(spool, limits, self._clock, suspects=False):
            record_receipt(spool, batch)
            yield batch

    def _packed(self, batch: OutgoingBatch) -> Batch:
        body = gzip.compress(batch.body, COMPRESSION_LEVEL, mtime=0)
        return Batch(self._store_id, batch.batch_id, batch.events, body)
