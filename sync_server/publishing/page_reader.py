"""Reads the relay's pages: one, and while it is being sent already the one behind it."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from shared.clock import Clock
from sync_server.database import Database, Work
from sync_server.publishing.outbox import oldest_waiting, read_availability, read_backlogs, read_entries
from sync_server.publishing.page import Backlog, Page, Span, draw_up, share_out, tell_availability
from sync_server.publishing.relay_metrics import RelayMetrics
from sync_server.publishing.set_aside import SetAside

PAGE_ROWS: Final = 4000
_AGE_EVERY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page and the spans of the stores' outboxes that it tells; no spans: nothing waits."""

    spans: list[Span]
    page: Page

    @property
    def is_full(self) -> bool:
        """Whether so much waits that the next page is worth reading before this one is confirmed."""
        return len(self.page.places) >= PAGE_ROWS // 2 and not self.page.faults


class PageReader:
    """Reads from the stores' marks on, leaving out the stores that are set aside."""

    def __init__(self, database: Database, clock: Clock, metrics: RelayMetrics, set_aside: SetAside) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._set_aside = set_aside
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="relay reader")
        self._ahead: Future[ReadPage] | None = None
        self._age_known_until = clock.monotonic()

    def next_page(self) -> ReadPage:
        """The next page, read ahead or read now. Raises Unavailable when PostgreSQL cannot be reached."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            read = ahead.result()
            if read.spans:
                return read
        return self._read({})

    def read_ahead(self, sent: ReadPage) -> None:
        """Begins to read what follows `sent`, supposing that all of it will be confirmed."""
        self._ahead = self._pool.submit(self._read, {span.store.store_no: span.high for span in sent.spans})

    def forget_ahead(self) -> None:
        """What was read ahead does not follow what was confirmed: the marks say where to read on."""
        self._ahead = None

    def close(self) -> None:
        """Ends the thread; what it was reading is not waited for."""
        self._ahead = None
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, supposed: dict[int, int]) -> ReadPage:
        with self._database.reading() as work:
            backlogs = [_from(supposed, backlog) for backlog in read_backlogs(work)]
            self._measure_lag(work, backlogs)
            ready = [
                backlog
                for backlog in backlogs
                if backlog.last > backlog.published and not self._set_aside.is_waiting(backlog.store.store_no)
            ]
            spans = share_out(ready, PAGE_ROWS)
            page = draw_up(read_entries(work, spans))
            tell_availability(page, read_availability(work, spans))
            return ReadPage(spans, page)

    def _measure_lag(self, work: Work, backlogs: list[Backlog]) -> None:
        self._metrics.lag_messages.set(sum(backlog.last - backlog.published for backlog in backlogs))
        if backlogs and self._clock.monotonic() < self._age_known_until:
            return
        self._age_known_until = self._clock.monotonic() + _AGE_EVERY_SECONDS
        oldest = oldest_waiting(work) if backlogs else None
        age = (self._clock.now() - oldest).total_seconds() if oldest else 0
        self._metrics.lag_seconds.set(max(0, age))


def _from(supposed: dict[int, int], backlog: Backlog) -> Backlog:
    mark = supposed.get(backlog.store.store_no, 0)
    return backlog if mark <= backlog.published else backlog._replace(published=mark)
