"""Posting a store's messages through the door of all batches, each batch its own transaction."""

from dataclasses import dataclass, field, replace
from typing import Final

import psycopg
import structlog

from shared.clock import Clock
from shared.event_batch import BatchReceipt
from sync_server.accounting.remembered_chart import RememberedChart
from sync_server.consuming.dead_letters import DeadLetter
from sync_server.consuming.inbound import DeadLetterReason, Unusable
from sync_server.consuming.store_batches import Received, StoreBatch
from sync_server.database import Database
from sync_server.errors import NotFound, SyncServerError, Unavailable
from sync_server.ingestion.acceptance import accept_batch
from sync_server.people.callers import Caller, CallerKind
from sync_server.stores.intake import Intake
from sync_server.stores.registry import find_store

LOCK_WITHIN_SECONDS: Final = 2
"""A store that somebody else holds for longer is tried again later, so that the others go on."""
CALLER_NAME: Final = "kafka"


class StoreIsBusy(Unavailable):
    """Somebody else holds the store's row; other stores can be posted."""


@dataclass(slots=True)
class Posted:
    """What became of a batch's messages; all of them are either done or have a letter."""

    done: list[Received] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    held: int = 0


class StorePosting:
    """Posts batches of messages to one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._chart = RememberedChart(clock)
        self._log = structlog.stdlib.get_logger(__name__)

    def post(self, batch: StoreBatch) -> Posted:
        """Posts the batch, committed when this returns; a message that alone cannot be posted gets a letter.

        Raises StoreIsBusy or Unavailable; then nothing of what is not in the outcome was posted, or it was and
        nobody knows: posting it again does no harm.
        """
        posted = Posted()
        waiting = [batch]
        while waiting:
            now = waiting.pop()
            try:
                receipt = self._accept(now)
            except NotFound as error:
                self._refuse(posted, now, DeadLetterReason.UNKNOWN_STORE, str(error))
            except SyncServerError:
                raise
            except psycopg.ProgrammingError as error:  # ours to mend; no message is to blame
                raise Unavailable(f"A batch could not be written: {error}") from error
            except Exception as error:  # noqa: BLE001  # a fault of ours or of PostgreSQL with this very message
                if len(now.messages) > 1:
                    waiting += [replace(now, messages=[message]) for message in reversed(now.messages)]
                    continue
                self._log.exception(
                    "A message could not be posted and becomes a dead letter", action="consumer.not_postable"
                )
                self._refuse(posted, now, DeadLetterReason.NOT_POSTABLE, f"{type(error).__name__}: {error}")
            else:
                posted.done += now.messages
                if not receipt.duplicate:
                    posted.accepted += receipt.accepted
                    posted.held += receipt.held
                posted.duplicates += len(now.messages) if receipt.duplicate else receipt.duplicates
        return posted

    def _accept(self, batch: StoreBatch) -> BatchReceipt:
        first = batch.messages[0]
        events = batch.as_batch()
        caller = Caller(
            kind=CallerKind.SERVICE,
            name=CALLER_NAME,
            store_id=batch.store_id,
            request_id=events.batch_id,
            origin=f"{first.topic}/{first.partition}/{first.offset}",
        )
        try:
            with self._database.unit_of_work() as work:
                work.connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WITHIN_SECONDS}s'")
                store_no = find_store(work, batch.store_id).store_no
                assert store_no is not None
                return accept_batch(
                    work,
                    self._chart.read(work),
                    caller,
                    store_no,
                    events,
                    self._clock.now(),
                    Intake.KAFKA,
                    from_till=batch.from_till,
                )
        except Unavailable as error:
            if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise StoreIsBusy(f"Store {batch.store_id} is held by somebody else.") from error
            raise

    def _refuse(self, posted: Posted, batch: StoreBatch, reason: DeadLetterReason, sentence: str) -> None:
        posted.letters += [(message, Unusable(reason, sentence)) for message in batch.messages]
