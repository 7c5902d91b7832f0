"""A store that posts: till events through the real acceptance, each batch its own transaction."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.event_batch import BatchReceipt, EventBatch, read_batch_document
from shared.wire_json import encode_json
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database
from sync_server.ingestion.acceptance import accept_batch
from sync_server.people.callers import Caller, CallerKind
from sync_server.stores.registry import NewStore, add_store, find_store
from tests.announcing import Saying, announce

NOON = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
BY = Caller(kind=CallerKind.COMMAND_LINE, name="tests")
_batch_numbers = itertools.count(1)


class PostingStore:
    """One store of `database`; `post` hands in one batch and returns its receipt."""

    def __init__(self, database: Database, store_id: str = "STORE-01", currency: str = "USD") -> None:
        self.database = database
        self.store_id = store_id
        new = NewStore(store_id=store_id, location_id="LOC-1", timezone="UTC", currency=currency)
        with database.unit_of_work() as work:
            add_store(work, new, by=BY, now=NOON)
            number = find_store(work, store_id).store_no
        assert number is not None
        self.store_no = number
        self._sales = itertools.count(1)

    def post(
        self,
        *events: dict[str, Any],
        now: datetime = NOON,
        before_commit: Callable[[], None] = lambda: None,
    ) -> BatchReceipt:
        """Posts `events` as one batch."""
        with self.database.unit_of_work() as work:
            receipt = accept_batch(work, ChartOfAccounts(), BY, self.store_no, _batch(events), now)
            before_commit()
            return receipt

    def sell(self, lines: int = 3, **fields: Any) -> list[str]:
        """Posts one sale of so many lines; the event ids of the lines."""
        sale = f"{self.store_id}-SALE-{next(self._sales)}"
        ids = [f"{sale}-{line}" for line in range(1, lines + 1)]
        self.post(
            *(
                sale_event(event_id, saleId=sale, lineNumber=line, **fields)
                for line, event_id in enumerate(ids, 1)
            )
        )
        return ids

    def sell_many(self, lines: int) -> None:
        """Posts one sale of very many lines with very long ids, as one group."""
        sale = f"{self.store_id}-SALE-{next(self._sales)}"
        self.post(*(sale_event(f"{'X' * 90}{line:010}", saleId=sale) for line in range(lines)))

    def announce(self, *sayings: Saying, now: datetime = NOON) -> None:
        """Posts a document that says each of these."""
        announce(self.database, self.store_no, *sayings, now=now)

    def last_sequence(self) -> int:
        """The store sequence given last."""
        return self._lookup("SELECT last_sequence FROM store WHERE store_no = %s")

    def published_sequence(self) -> int:
        """How far the relay's mark is."""
        return self._lookup(
            "SELECT coalesce(max(published_sequence), 0) FROM relay_progress WHERE store_no = %s"
        )

    def _lookup(self, query: str) -> int:
        with self.database.reading() as work:
            row = work.connection.execute(query.encode(), [self.store_no]).fetchone()
        assert row is not None
        return int(row[0])


def sale_event(event_id: str, **fields: Any) -> dict[str, Any]:
    """A SALE of two items for 50.00."""
    return {
        "type": "SALE",
        "eventId": event_id,
        "itemId": "item-001",
        "quantity": 2,
        "amount": "50.00",
        "occurredAt": "2026-02-10T11:59:00Z",
        **fields,
    }


def _batch(events: tuple[dict[str, Any], ...]) -> EventBatch:
    """The batch as it is read from its body."""
    body = {
        "batchId": f"BATCH-{next(_batch_numbers)}",
        "postedAt": "2026-02-10T12:00:00Z",
        "events": list(events),
    }
    batch = read_batch_document(encode_json(body), max_events=20_000)
    assert isinstance(batch, EventBatch), batch
    return batch
