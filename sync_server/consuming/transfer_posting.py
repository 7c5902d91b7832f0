"""Posting what the inventory core says of a whole transfer: the transfer made known, then the scans of one store.

Two transactions, each safe to repeat: the transfer has its id, every scan has its own. Cut off between the two, the
message comes again, and the first does nothing then.
"""

from dataclasses import replace
from functools import partial

import psycopg
import structlog

from shared.clock import Clock
from sync_server.consuming.core_transfer import Action, CoreTransfer
from sync_server.consuming.inbound import DeadLetterReason, Unusable
from sync_server.consuming.store_batches import Received, StoreBatch
from sync_server.consuming.store_posting import (
    CALLER_NAME,
    LOCK_WITHIN_SECONDS,
    Posted,
    StoreIsBusy,
    StorePosting,
)
from sync_server.database import Database, Work
from sync_server.errors import Conflict, Invalid, NotFound, SyncServerError, Unavailable
from sync_server.inventory.item_catalogue import find_items
from sync_server.people.callers import Caller, CallerKind
from sync_server.transfers.requests import TransferRequest, cancel_transfer, request_transfer


class TransferPosting:
    """Posts messages about whole transfers to one database."""

    def __init__(self, database: Database, clock: Clock, scans: StorePosting) -> None:
        """`scans` posts the events of the store that ships or receives."""
        self._database = database
        self._clock = clock
        self._scans = scans
        self._log = structlog.stdlib.get_logger(__name__)

    def post(self, message: Received) -> Posted:
        """Posts the message, committed when this returns, or says why it cannot be.

        Raises StoreIsBusy or Unavailable, as `StorePosting.post`.
        """
        said: CoreTransfer = message.content
        try:
            self._transact(partial(self._make_known, message), said.from_store_id)
            if said.action is Action.CANCELLED:
                self._transact(partial(self._cancel, message), said.from_store_id)
        except (NotFound, Invalid, Conflict) as error:
            unknown = isinstance(error, NotFound)
            reason = DeadLetterReason.UNKNOWN_STORE if unknown else DeadLetterReason.NOT_POSTABLE
            return Posted(letters=[(message, Unusable(reason, error.message, tuple(error.violations)))])
        except SyncServerError:
            raise
        except psycopg.ProgrammingError as error:  # ours to mend; no message is to blame
            raise Unavailable(f"A transfer could not be written: {error}") from error
        except Exception as error:  # noqa: BLE001  # a fault of ours or of PostgreSQL with this very message
            self._log.exception(
                "A message could not be posted and becomes a dead letter", action="consumer.not_postable"
            )
            sentence = f"{type(error).__name__}: {error}"
            return Posted(letters=[(message, Unusable(DeadLetterReason.NOT_POSTABLE, sentence))])
        if not said.scans:
            return Posted(done=[message], accepted=1)
        lines = [replace(message, content=scan) for scan in said.scans]
        posted = self._scans.post(StoreBatch(said.store_id, False, message.at, lines))
        if posted.letters:
            return Posted(letters=[(message, posted.letters[0][1])])
        return replace(posted, done=[message])

    def _transact(self, do: "partial[None]", store_id: str) -> None:
        try:
            with self._database.unit_of_work() as work:
                work.connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WITHIN_SECONDS}s'")
                do(work)
        except Unavailable as error:
            if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise StoreIsBusy(f"Store {store_id} is held by somebody else.") from error
            raise

    def _make_known(self, message: Received, work: Work) -> None:
        """Items that nobody described become placeholders, as those that tills scan."""
        said: CoreTransfer = message.content
        items = find_items(work.connection.cursor(), said.requested)
        request = TransferRequest(
            from_store_id=said.from_store_id,
            to_store_id=said.to_store_id,
            lines={items[item_id].item_no: quantity for item_id, quantity in said.requested.items()},
            transfer_id=said.transfer_id,
        )
        request_transfer(work, request, by=_caller(message), now=self._clock.now())

    def _cancel(self, message: Received, work: Work) -> None:
        transfer_id = message.content.transfer_id
        cancel_transfer(work, transfer_id, reason=None, by=_caller(message), now=self._clock.now())


def _caller(message: Received) -> Caller:
    place = f"{message.topic}/{message.partition}/{message.offset}"
    return Caller(kind=CallerKind.SERVICE, name=CALLER_NAME, request_id=place, origin=place)
