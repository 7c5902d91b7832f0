"""The source that follows a till's own database: query → transactions → events, durable → position.

What is read again in the overlap is recognised by its content and left out; after a restart it is offered once
more and found to be known. The position moves only after the events are on the disk.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_agent.errors import SettingsError, SpoolError
from edge_agent.intake import Intake
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources.database_tail.configuration import DatabaseSource
from edge_agent.sources.database_tail.portion import Transaction, event_id, missing_columns, transactions
from edge_agent.sources.database_tail.position import (
    Position,
    PositionFile,
    Remembered,
    local_time,
    not_ahead,
    parameter,
    position_of,
)
from edge_agent.sources.database_tail.till_database import TillUnreadable, open_till_database
from edge_agent.translation import StoreRule
from shared.clock import Clock
from shared.problems import Violation
from shared.wire_json import encode_json

log = logging.getLogger(__name__)

ROWS_IN_PORTION = 2000
MOST_ROWS = 262_144
"""A portion grows up to this when more rows share one position, or one overlap, than it holds."""
EVENTS_IN_COMMIT = 500
LOOK_SECONDS = 1.0  # float: seconds
"""How long one look goes on through a backlog before it lets others have their turn."""
STOP_SECONDS = 2.0  # float: seconds


class DatabaseTail:
    """One till's database."""

    def __init__(
        self,
        source: DatabaseSource,
        positions: Path,
        intake: Intake,
        refused: RefusedRecords,
        store: Callable[[], StoreRule],
        clock: Clock,
    ) -> None:
        """Raises SettingsError when the driver is not there or the position cannot be read."""
        self._table, self._mapping = source.table, source.mapping
        self.name = f"database-{self._table.name}"
        self.interval: int | None = self._table.interval
        self._database = open_till_database(self._table)
        self._file = PositionFile(positions / f"{self._table.name}.json")
        self._intake, self._refused, self._store, self._clock = intake, refused, store, clock
        self._turn = threading.Lock()
        self._stopping = False
        self._reached = self._file.load() or self._first_position()
        self._known: dict[str, tuple[Position, bytes]] = {}
        # Transactions that were seen but may still change: digest, and since when it is that.
        self._unsettled: dict[str, tuple[bytes, Any]] = {}
        self._most = ROWS_IN_PORTION
        self._trouble = ""

    def _first_position(self) -> Remembered:
        start = self._table.start
        if start == "now":
            now = self._now()
            return Remembered(now, now, None)
        try:
            return Remembered(position_of(start), position_of(start), start)
        except ValueError as error:
            raise SettingsError(f"[database.{self._table.name}] start {error}; correct it.") from None

    def _now(self) -> Position:
        zone = None if self._table.position_utc else self._store().day_rule.zone
        return local_time(self._clock.now(), zone).replace(microsecond=0)

    def start(self) -> None:
        """Remembers where reading begins, so that a first start without the till loses nothing."""
        try:
            self._file.save(self._reached)
        except OSError as error:
            raise SettingsError(
                f"The position of [database.{self._table.name}] cannot be kept ({error}); give the agent the "
                "right to write in its data folder."
            ) from error

    def stop(self) -> None:
        """Stops between two portions; what was read and not stored is read again."""
        self._stopping = True
        if self._turn.acquire(timeout=STOP_SECONDS):
            self._turn.release()
        self._database.close()

    def look(self) -> None:
        """Takes what is new, portion by portion, for about a second."""
        with self._turn:
            until = self._clock.monotonic() + LOOK_SECONDS
            try:
                while not self._stopping and self._take_portion() and self._clock.monotonic() < until:
                    pass
                self._trouble = ""
            except (TillUnreadable, SpoolError, OSError, ValueError) as error:
                if str(error) != self._trouble:  # said once, not every five seconds of a closed shop
                    log.warning(
                        "%s: %s; it is tried again", self.name, error, extra={"action": "database.waits"}
                    )
                self._trouble = str(error)

    def _take_portion(self) -> bool:
        """Whether there is more to be had at once."""
        since = self._reached.since(self._table.overlap)
        names, rows = self._database.rows(parameter(since, self._reached.like), self._most)
        if missing := missing_columns(self._table, self._mapping.needed, names):
            raise ValueError(f"the query gives no column {', '.join(missing)}; correct the configuration")
        is_all = len(rows) < self._most
        found = transactions(self._table, names, rows, since, is_all=is_all)
        fresh, ready = self._fresh(found)
        for portion in _portions(fresh):
            self._store_events(portion)
        self._note_vanished(found, since, is_all=is_all)
        self._move(found[:ready], since)
        if is_all or ready < len(found):
            self._most = ROWS_IN_PORTION
            return False
        if self._reached.since(self._table.overlap) == since:
            # Everything that was read lies where the next query starts again: only a longer one gets on.
            if self._most >= MOST_ROWS:
                raise ValueError(f"more than {MOST_ROWS} rows share one position; make the overlap smaller")
            self._most *= 2
        return True

    def _fresh(self, found: Sequence[Transaction]) -> tuple[list[Transaction], int]:
        """What is to be stored, and how many of `found` are done with then: those before one that may change."""
        fresh: list[Transaction] = []
        unsettled: dict[str, tuple[bytes, Any]] = {}
        ready: int | None = None
        now = self._clock.monotonic()
        for index, transaction in enumerate(found):
            digest = transaction.digest()
            known = self._known.get(transaction.key)
            if known is not None and known[1] == digest:
                continue
            before = self._unsettled.get(transaction.key)
            since = before[1] if before is not None and before[0] == digest else now
            if now - since < self._table.settle:
                unsettled[transaction.key] = (digest, since)
                ready = index if ready is None else ready
            else:
                fresh.append(transaction)
        self._unsettled = unsettled
        return fresh, len(found) if ready is None else ready

    def _store_events(self, portion: Sequence[Transaction]) -> None:
        """One commit; only then are its transactions known."""
        self._mapping.begin()
        records: list[Any] = []
        for transaction in portion:
            for row in transaction.rows:
                event = self._mapping.read(row)
                if isinstance(event, list):
                    self._refuse(row, event)
                elif event is not None:
                    event.setdefault("eventId", event_id(self._table, row))
                    records.append((row, event))
        translated = self._intake.translate([event for _, event in records])
        for entry in translated.refused:
            prefix = f"events[{entry.index}]."
            named = [replace(v, field=v.field.removeprefix(prefix)) for v in entry.violations]
            self._refuse(records[entry.index][0], named)
        if translated.groups:
            answers = self._intake.accept(translated.groups)
            new = sum(not answer.duplicate for answer in answers)
            if new:
                log.info("%s: %d events", self.name, new, extra={"action": "database.taken"})
        for transaction in portion:
            self._known[transaction.key] = (transaction.position, transaction.digest())

    def _refuse(self, row: dict[str, Any], violations: Sequence[Violation]) -> None:
        shown = {name: value if type(value) in (int, str) else str(value) for name, value in row.items()}
        raw = encode_json({name: value for name, value in shown.items() if row[name] is not None})
        self._refused.keep(raw, list(violations), self.name)
        log.warning(
            "%s: a row cannot be understood and is kept: %s",
            self.name,
            "; ".join(f"{v.field}: {v.constraint}" for v in violations),
            extra={"action": "database.refused"},
        )

    def _note_vanished(self, found: Sequence[Transaction], since: Position, *, is_all: bool) -> None:
        """Says which receipts the till has deleted after they were taken; nobody else would notice."""
        present = {transaction.key for transaction in found}
        last = found[-1].position if found else since
        for key, (position, _) in list(self._known.items()):
            if key in present or position < since or not (is_all or position < last):  # type: ignore[operator]
                continue
            del self._known[key]
            log.warning(
                "%s: %s is no longer in the till's database; void it at headquarters if it was taken back",
                self.name,
                key,
                extra={"action": "database.vanished"},
            )

    def _move(self, done: Sequence[Transaction], since: Position) -> None:
        """Moves the position behind what is durable, and forgets what no query will give again."""
        if not done:
            return
        zone = None if self._table.position_utc else self._store().day_rule.zone
        position = not_ahead(max(t.position for t in done), self._clock.now(), zone)
        if position > self._reached.position:  # type: ignore[operator]
            reached = Remembered(position, self._reached.start, done[-1].like)
            self._file.save(reached)
            self._reached = reached
            since = reached.since(self._table.overlap)
        self._known = {k: known for k, known in self._known.items() if known[0] >= since}  # type: ignore[operator]


def _portions(found: Sequence[Transaction]) -> Iterator[list[Transaction]]:
    portion: list[Transaction] = []
    rows = 0
    for transaction in found:
        portion.append(transaction)
        rows += len(transaction.rows)
        if rows >= EVENTS_IN_COMMIT:
            yield portion
            portion, rows = [], 0
    if portion:
        yield portion
