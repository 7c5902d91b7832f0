"""The relay: reads what the outbox has beyond each store's mark, hands it to Kafka, moves the marks.

One process leads, any number stand by. A mark moves only past messages that Kafka has confirmed, so that a
crash anywhere repeats messages and never loses one; each store's first occurrences stay in the order of
posting. Polling is the truth; nothing has to be told that there is something to do.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import structlog

from shared.clock import Clock
from shared.stop_request import StopRequest
from sync_server.database import Database
from sync_server.errors import SyncServerError, Unavailable
from sync_server.kafka_cluster import KafkaCluster
from sync_server.leadership import Duty, Leadership
from sync_server.publishing.kafka_producer import KafkaProducer, Window
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.outage import Outage
from sync_server.publishing.page import Mark, Page, Span, marks_after
from sync_server.publishing.page_reader import PageReader
from sync_server.publishing.progress import advance, published_kinds
from sync_server.publishing.relay_metrics import RelayMetrics
from sync_server.publishing.set_aside import SetAside

POLL_SECONDS: Final = 0.1  # float: seconds between two looks at stores that have nothing to tell
STAND_BY_SECONDS: Final = 1
LONGEST_PAUSE_SECONDS: Final = 10
"""Between two tries while Kafka or PostgreSQL cannot be reached."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass of the relay did."""

    leads: bool
    """Whether this process is the one that publishes."""
    published: int = 0
    """Messages that Kafka confirmed."""
    advanced: bool = False
    """Whether any store's mark moved, so that there may be more to tell."""


class Relay:
    """Publishes one database's outbox to one Kafka cluster."""

    def __init__(
        self, database: Database, cluster: KafkaCluster, clock: Clock, metrics: RelayMetrics
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._log: Any = structlog.get_logger(__name__)
        self._leadership = Leadership(database, Duty.RELAY)
        self._outage = Outage(self._log, clock, metrics.stopped)
        self._set_aside = SetAside(clock)
        self._reader = PageReader(database, clock, metrics, self._set_aside)
        self._producer = KafkaProducer(
            cluster, clock, on_created=self._warn_of_lost_topics, on_away=self._outage.begin
        )
        self._failures = 0

    def run(self, stop: StopRequest) -> None:
        """Publishes, or stands by, until `stop` is set. Nothing that heals by itself ends it."""
        try:
            while not stop.is_set():
                stop.wait(self._pass_and_pause(stop))
        finally:
            self.close()

    def run_once(self, stop: StopRequest | None = None) -> Pass:
        """One pass: a page of messages, confirmed, and the marks behind them.

        Waits for a broker that is away until `stop` is set. Raises BrokerAway or TopicUnusable when it cannot
        begin, Unavailable when PostgreSQL cannot be reached; then nothing is lost and it can be called again.
        """
        if not self._leadership.is_held():
            self._metrics.stand_by()
            self._outage.end()
            return Pass(leads=False)
        self._metrics.leads.set(1)
        read = self._reader.next_page()
        if not read.spans:
            self._outage.end()
            return Pass(leads=True)
        if read.is_full:
            self._reader.read_ahead(read)
        window = self._deliver(read.page, stop)
        marks = marks_after(read.spans, read.page, window.confirmed)
        self._advance(read.spans, marks)
        self._put_aside(read.spans, read.page, window)
        return Pass(leads=True, published=len(window.confirmed), advanced=bool(marks))

    def catch_up(self) -> bool:
        """Publishes until nothing waits; false, and nothing done, when another process leads. Raises as run_once."""
        try:
            done = self.run_once()
            while done.advanced:
                done = self.run_once()
        finally:
            self.close()
        return done.leads

    def close(self) -> None:
        """Lets go of Kafka and of the lead; another process takes over at once."""
        self._producer.close()
        self._reader.close()
        self._leadership.resign()
        self._metrics.stand_by()

    def _pass_and_pause(self, stop: StopRequest) -> float:  # float: seconds to wait before the next pass
        try:
            done = self.run_once(stop)
        except SyncServerError as error:
            self._outage.begin(error)
            self._failures += 1
            return min(1 << min(self._failures, 8), LONGEST_PAUSE_SECONDS)
        self._failures = 0
        if done.advanced:
            return 0
        return POLL_SECONDS if done.leads else STAND_BY_SECONDS

    def _advance(self, spans: list[Span], marks: list[Mark]) -> None:
        """Moves the marks; what was read ahead is only good behind marks that moved as supposed."""
        if marks:
            with self._database.unit_of_work() as work:
                moved = advance(work, marks)
            self._outage.end()
            self._set_aside.take_back(mark.store_no for mark in marks)
            if moved == len(spans) and all(
                mark.after == span.high for mark, span in zip(marks, spans, strict=True)
            ):
                return
        self._reader.forget_ahead()

    def _deliver(self, page: Page, stop: StopRequest | None) -> Window:
        if not page.messages:
            return Window()

        def keep_waiting() -> bool:
            return not (stop and stop.is_set()) and self._still_leads()

        window = self._producer.deliver(page.messages, keep_waiting)
        for topic, count in Counter(page.messages[index].topic for index in window.confirmed).items():
            self._metrics.published.labels(topic).inc(count)
        return window

    def _put_aside(self, spans: list[Span], page: Page, window: Window) -> None:
        """Keeps stores out of the next pages whose next message cannot be published, and says so once."""
        reasons = {
            page.places[index][0]: (page.places[index][1], why) for index, why in window.refused.items()
        }
        store_ids = {span.store.store_no: span.store.store_id for span in spans}
        for store_no, (sequence, why) in {**page.faults, **reasons}.items():
            if self._set_aside.put(store_no):
                self._log.error(
                    f"Store {store_ids[store_no]} cannot be published from store sequence {sequence} on: {why}. "
                    "Its messages wait, other stores go on, and it is tried again.",
                    action="publishing.store_set_aside",
                    store_id=store_ids[store_no],
                    store_sequence=sequence,
                )
        self._metrics.set_aside.set(len(self._set_aside))

    def _warn_of_lost_topics(self, created: frozenset[str]) -> None:
        """Topics that had to be created although their messages were published: Kafka has lost them."""
        with self._database.reading() as work:
            lost = published_kinds(work, [kind for kind in OutboxKind if kind.topic in created])
        if lost:
            topics = ", ".join(kind.topic for kind in lost)
            self._metrics.topics_lost.inc(len(lost))
            self._log.error(
                f"Kafka has lost {topics}: they were missing and have been created anew, empty. "
                "`sync-server publish --from beginning` sends again what they held.",
                action="publishing.topics_lost",
            )

    def _still_leads(self) -> bool:
        try:
            return self._leadership.is_held()
        except Unavailable:
            return False
