"""The server's posting without HTTP in front: from a batch's JSON to the committed receipt, in one thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.agent_batches import Batch
from shared.clock import SystemClock
from shared.event_batch import BatchReceipt, EventBatch, read_batch_document
from shared.protocol import DEFAULT_LIMITS
from sync_server.accounting.remembered_chart import RememberedChart
from sync_server.database import Database
from sync_server.ingestion.acceptance import accept_batch
from sync_server.people.callers import Caller
from sync_server.people.known_credentials import KnownCredentials


class DirectServer:
    """What `sync_server.ingestion.api` does between a body and its receipt."""

    def __init__(self, url: str, credentials: Mapping[str, str]) -> None:
        """`credentials` are the agents', by store id; they are looked up as the server does."""
        clock = SystemClock()
        self.database = Database(url, pool_size=1)
        self._clock, self._chart = clock, RememberedChart(clock)
        known = KnownCredentials(self.database, clock, remember_seconds=30)
        self._callers: dict[str, Caller] = {}
        for store_id, credential in credentials.items():
            caller = known.look_up(credential)
            assert caller is not None, f"the agent of {store_id} is enrolled"
            self._callers[store_id] = caller

    def post(self, store_id: str, body: bytes) -> BatchReceipt:
        """Posts one batch (JSON) and returns its receipt."""
        batch = read_batch_document(body, DEFAULT_LIMITS.max_events)
        assert isinstance(batch, EventBatch), batch
        caller = self._callers[store_id]
        assert caller.store_no is not None, "an agent belongs to a store"
        with self.database.unit_of_work() as work:
            chart = self._chart.read(work)
            return accept_batch(work, chart, caller, caller.store_no, batch, self._clock.now())


@dataclass
class DirectPosting:
    """Posts batches one after the other; see `starting_gate.Task`."""

    url: str
    credentials: Mapping[str, str]
    batches: Sequence[Batch]
    _bodies: list[tuple[str, bytes]] = field(default_factory=list)

    def prepare(self) -> None:
        """Unpacks the bodies and signs the agents in."""
        self._bodies = [(batch.store_id, batch.unpacked()) for batch in self.batches]
        self._server = DirectServer(self.url, self.credentials)

    def run(self) -> int:
        """Posts everything."""
        return sum(self._server.post(store_id, body).accepted for store_id, body in self._bodies)
