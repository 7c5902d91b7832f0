"""One pass of delivery: the next batch -> headquarters -> what came of it is written down. Then the next
pass.

Never gives up and never blocks: what cannot be sent now is sent later, byte for byte the same; what the
server refuses is isolated (by the violations it names, by bisection where it names none), set aside, and the
rest goes on.
"""

import logging
import threading
from collections.abc import Callable

import msgspec

from edge_agent import spool_batches as batches
from edge_agent.batching import BatchLimits
from edge_agent.headquarters import Headquarters
from edge_agent.isolation import Suspect, isolate
from edge_agent.pulse import Pulse
from edge_agent.retry_policy import RetryPolicy, TryLater
from edge_agent.spool import Spool
from edge_agent.spool_batches import OutgoingBatch
from edge_agent.spool_desk import SpoolDesk
from edge_agent.uplink import Delivered, Refused
from shared.clock import Clock
from shared.event_batch import BatchReceipt
from shared.protocol import BACKLOG_HEADER, pos_batches_path
from shared.wire_json import encode_json

log = logging.getLogger(__name__)

MAX_SUSPECTS = 20
"""Groups that may be refused alone, without a reason, before the agent takes the server for the sick one."""
MAX_UNANSWERED = 20
"""Questions before the first batch that may stay without an answer."""
TOO_LARGE = 413
BATCHES_BEFORE_GROWING = 20
"""So many smaller batches pass before a larger one is tried again."""
IDLE_SECONDS = 60.0
"""A pass is made at least this often, should a wake-up ever get lost."""
PASS_SECONDS = 1800.0
"""No pass takes longer, however slow the line: afterwards this loop counts as stopped."""


class Progress(msgspec.Struct, frozen=True):
    """A pass that moved something: `events` acknowledged, or a refused batch taken apart (0)."""

    events: int


class Idle(msgspec.Struct, frozen=True):
    """There is nothing to send."""


Pass = Progress | Idle | TryLater


class Delivery:
    """Carries the backlog to headquarters, one batch at a time."""

    def __init__(
        self,
        desk: SpoolDesk,
        headquarters: Headquarters,
        limits: Callable[[], BatchLimits],
        retry: RetryPolicy,
        clock: Clock,
        pulse: Pulse,
        on_commands: Callable[[object], None] = lambda _: None,
        ahead: Callable[[Spool, int], None] = lambda *_: None,
    ) -> None:
        """`on_commands` is called with what headquarters asks for in a receipt, and must not block; `ahead`, with the
        spool in hand, when headquarters knows a sequence that was never sent.
        """
        self._on_commands = on_commands
        self._desk = desk
        self._headquarters = headquarters
        self._limits = limits
        self._retry = retry
        self._clock = clock
        self._pulse = pulse
        self._ahead = ahead
        self._ask_first: Callable[[], bool] | None = None
        self._unanswered = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        # What the server has lately taken, in events, where it refused larger batches by their size alone.
        self._ceiling: int | None = None
        self._passed = 0
        # Set by a success: whatever was refused alone, without a reason, may now be judged once more.
        self._server_is_healthy = False

    def ask_before_the_first_batch(self, ask: Callable[[], bool]) -> None:
        """`ask` compares sequences with headquarters and says whether it answered: only then is a batch sent.

        A machine that was rolled back finds out so, before it gives old sequences to new sales. A headquarters
        that never answers the question does not hold up delivery for ever.
        """
        self._ask_first = ask

    def start(self) -> None:
        """Delivers from a thread of its own; it waits on the monotonic clock, whatever the wall clock does."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Ends after the request under way; one that outlives `seconds` is dropped and sent again at next
        start.
        """
        self._stopping.set()
        self._wake.set()
        self._thread.join(seconds)

    def wake(self) -> None:
        """Something new is there; returns at once."""
        self._wake.set()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                outcome = self._retry.until_done(self._careful_pass, self._stopping)
                if isinstance(outcome, Idle):
                    self._wake.wait(IDLE_SECONDS)
        finally:
            self._pulse.beat("delivery", within=0)  # nobody will beat again

    def _careful_pass(self) -> Pass:
        """A pass that outlives every error: a store's sales must not stop because of one that nobody foresaw."""
        self._pulse.beat("delivery", PASS_SECONDS)
        try:
            outcome = self.run_once()
        except Exception as error:
            if not self._stopping.is_set():
                log.exception("Delivery failed and goes on", extra={"action": "delivery.failed"})
            outcome = TryLater(reason=f"the agent failed: {error}")
        trouble = outcome.reason if isinstance(outcome, TryLater) and not outcome.paced else None
        self._headquarters.delivery_came_to(trouble)
        return outcome

    def run_once(self) -> Pass:
        """One pass."""
        if self._ask_first is not None and not self._may_begin(self._ask_first):
            return TryLater(reason="headquarters has not said yet how far the stream is")
        limits, suspects = under_ceiling(self._limits(), self._ceiling), self._server_is_healthy
        found = self._desk.ask(lambda spool: _next(spool, limits, self._clock, suspects=suspects))
        if found is None:
            return Idle()
        batch, waiting = found
        path, behind = pos_batches_path(self._headquarters.store_id), {BACKLOG_HEADER: str(waiting)}
        outcome = self._headquarters.post(path, batch.body, behind)
        if isinstance(outcome, Refused):
            return self._take_apart(batch, outcome)
        if isinstance(outcome, TryLater):
            return outcome
        return self._record(batch, outcome)

    def _may_begin(self, ask: Callable[[], bool]) -> bool:
        """Whether headquarters was asked about the stream, before anything of it is put into a batch."""
        if self._desk.ask(lambda spool: batches.backlog(spool).events) == 0:
            return True  # there is nothing to ask for yet
        if ask():
            self._ask_first = None
            return True
        self._unanswered += 1
        return self._unanswered > MAX_UNANSWERED

    def _record(self, batch: OutgoingBatch, outcome: Delivered) -> Pass:
        receipt = read_receipt(outcome, batch, self._headquarters.store_id)
        if isinstance(receipt, TryLater):
            log.warning("Batch %s: %s", batch.batch_id, receipt.reason, extra={"action": "batch.unanswered"})
            return receipt
        self._desk.ask(lambda spool: self._record_receipt(spool, batch, receipt.acknowledged_sequence))
        if not batch.suspect:
            self._server_is_healthy = True
        if self._ceiling is not None:
            self._passed += 1
            if self._passed % BATCHES_BEFORE_GROWING == 0:
                self._ceiling += max(1, self._ceiling // 8)
        self._on_commands(receipt.commands)
        log.info(
            "Batch %s: %d events acknowledged, %d known already, %d held",
            batch.batch_id,
            batch.events,
            receipt.duplicates,
            receipt.held,
            extra={"action": "batch.acknowledged"},
        )
        return Progress(batch.events)

    def _record_receipt(self, spool: Spool, batch: OutgoingBatch, acknowledged_sequence: int) -> None:
        batches.record_receipt(spool, batch)
        if batch.stream_id == spool.stream_id and acknowledged_sequence > batches.cut_through(spool):
            self._ahead(spool, acknowledged_sequence)

    def _take_apart(self, batch: OutgoingBatch, refusal: Refused) -> Pass:
        if refusal.status == TOO_LARGE:
            self._ceiling = max(1, batch.events // 2)
        ends = self._desk.ask(lambda spool: batches.group_ends(spool, batch))
        verdict = isolate(batch.first_position, ends, refusal, judged_before=batch.suspect)
        if isinstance(verdict, Suspect):
            return self._suspect(batch, refusal)
        log.warning(
            "Batch %s of %d events was refused (%s); %d are set aside, the rest goes on",
            batch.batch_id,
            batch.events,
            refusal.sentence,
            sum(last - first + 1 for first, last in verdict.aside),
            extra={"action": "batch.refused"},
        )
        reason = encode_json(refusal.problem)
        self._desk.ask(
            lambda spool: batches.split(spool, batch, verdict.parts, verdict.aside, reason, self._clock)
        )
        return Progress(0)

    def _suspect(self, batch: OutgoingBatch, refusal: Refused) -> Pass:
        """A group was refused alone and nobody says why: either it is sick, or the server refuses everything."""
        self._server_is_healthy = False
        suspects = self._desk.ask(lambda spool: batches.backlog(spool).suspects)
        if suspects >= MAX_SUSPECTS:
            return TryLater(reason=f"the server refuses everything ({refusal.sentence})")
        self._desk.ask(lambda spool: batches.mark_suspect(spool, batch))
        return Progress(0)


def _next(
    spool: Spool, limits: BatchLimits, clock: Clock, *, suspects: bool
) -> tuple[OutgoingBatch, int] | None:
    """The batch to send now, and how many events wait behind it."""
    batch = batches.next_batch(spool, limits, clock, suspects=suspects)
    return None if batch is None else (batch, max(batches.backlog(spool).events - batch.events, 0))


def under_ceiling(limits: BatchLimits, ceiling: int | None) -> BatchLimits:
    """The limits, but no more events than the server has lately taken."""
    if ceiling is None or ceiling >= limits.max_events:
        return limits
    return BatchLimits(max_events=ceiling, max_bytes=limits.max_bytes)


def read_receipt(outcome: Delivered, batch: OutgoingBatch, store_id: str) -> BatchReceipt | TryLater:
    """The receipt, if it is one, and one for this very batch; another's answer acknowledges nothing."""
    try:
        receipt = msgspec.convert(outcome.document, BatchReceipt)
    except msgspec.ValidationError as error:
        return TryLater(reason=f"the server's answer is no receipt ({error})")
    if (receipt.batch_id, receipt.store_id) != (batch.batch_id, store_id):
        return TryLater(reason=f"the server's answer is for batch {receipt.batch_id} of {receipt.store_id}")
    return receipt
