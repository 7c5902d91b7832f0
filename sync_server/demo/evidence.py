"""Gathers the evidence of every store from where it really lies, and has it compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.clock import Clock
from sync_server.database import Database
from sync_server.demo.agent_evidence import read_agent_file
from sync_server.demo.ledger_evidence import LedgerEvidence, read_ledger
from sync_server.demo.proof import Proof, StoreEvidence, prove
from sync_server.demo.replay_log import read_replay_log
from sync_server.demo.topic_evidence import TopicEvidence, read_topics


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """Where a store's evidence lies on this machine."""

    store_id: str
    replay_log: Path
    spool_file: Path


def gather_and_prove(
    stores: Sequence[StoreFiles], database: Database, bootstrap_servers: str, copies: Path, clock: Clock
) -> Proof:
    """The proof over `stores`, whose agents must have been stopped; their files are copied into `copies`."""
    topics = read_topics(bootstrap_servers, clock)
    ledger = read_ledger(database)
    return prove([_evidence(store, ledger, topics, copies) for store in stores], ledger.books)


def _evidence(
    store: StoreFiles, ledger: LedgerEvidence, topics: dict[str, TopicEvidence], copies: Path
) -> StoreEvidence:
    agent = read_agent_file(store.spool_file, copies / store.store_id)
    topic = topics.get(store.store_id, TopicEvidence())
    return StoreEvidence(
        store_id=store.store_id,
        replayed=read_replay_log(store.replay_log),
        acknowledged=agent.acknowledged,
        spooled=agent.spooled,
        posted=tuple(ledger.posted.get(store.store_id, ())),
        published=frozenset(topic.published),
        held=ledger.held.get(store.store_id, 0),
        agent_dates=agent.dates,
        day_states=ledger.day_states.get(store.store_id, {}),
        out_of_order=topic.out_of_order,
    )
