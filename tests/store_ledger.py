"""One store's ledger on a real database: events are posted as the API posts them, and what came of it is read.

Batches go through JSON, so that tests state numbers as tills do.
"""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

from shared.business_date import DayRule
from shared.event_batch import BatchReceipt, EventBatch, read_batch_document
from shared.wire_json import encode_json
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.opening_stock import post_opening_stock
from sync_server.database import Database
from sync_server.ingestion.acceptance import accept_batch
from sync_server.ingestion.undeliverable import RefusedEvent, hold_refused
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.roles import Role
from sync_server.support.verify import verify
from tests.agent_stream import AgentStream
from tests.builders import OPERATOR, build_store
from tests.set_clock import START
from tests.till_events import Event

POSTED_AT = "2026-02-10T23:00:00Z"
_batches = itertools.count(1)


class StoreLedger:
    """Posts to one store and reads its books."""

    def __init__(self, database: Database, store_id: str = "STORE-01", **store: Any) -> None:
        """Adds the store; `store` as `build_store` takes it."""
        self.database = database
        self.store_id = store_id
        self.store_no = build_store(database, store_id, **store)
        self.rule = DayRule(store.get("timezone", "UTC"))

    def over(self, database: Database) -> "StoreLedger":
        """The same store, reached over another way to its database."""
        other = copy(self)
        other.database = database
        return other

    def post(
        self,
        *events: Event,
        batch_id: str | None = None,
        stream: AgentStream | None = None,
        now: datetime = START,
        **fields: Any,
    ) -> BatchReceipt:
        """Posts one batch: a till's own, or an agent's if it is of a `stream`. `fields` are the batch's others."""
        document = {"batchId": batch_id or f"batch-{next(_batches)}", "postedAt": POSTED_AT, **fields}
        if stream is not None:
            document["streamId"] = stream.stream_id
        return self.post_document({**document, "events": list(events)}, agent=stream is not None, now=now)

    def post_document(self, document: Any, *, agent: bool = False, now: datetime = START) -> BatchReceipt:
        """Posts the batch that `document` states; it has to be understood."""
        batch = read_batch_document(encode_json(document), 2000)
        assert isinstance(batch, EventBatch), batch
        with self.database.unit_of_work() as work:
            caller = self.caller(agent=agent)
            return accept_batch(work, ChartOfAccounts(), caller, self.store_no, batch, now)

    def hold_refused(self, event: Event | str, *, stream_id: str = "s-1", sequence: int = 1) -> None:
        """An agent hands over, raw, what the server refused."""
        raw = event if isinstance(event, str) else encode_json(event).decode()
        refused = RefusedEvent(sequence, hashlib.sha256(raw.encode()).digest(), raw, "refused")
        with self.database.unit_of_work() as work:
            hold_refused(work, self.caller(agent=True), self.store_no, stream_id, [refused], START)

    def caller(self, *, agent: bool) -> Caller:
        """Whoever posts: an agent, or a till that speaks for itself."""
        kind = CallerKind.AGENT if agent else CallerKind.SERVICE
        return Caller(
            kind=kind,
            name="till PC" if agent else "till-1",
            roles=frozenset() if agent else frozenset({Role.TILL}),
            store_no=self.store_no,
            store_id=self.store_id,
            request_id="req-test",
            origin="test",
        )

    def open_with(self, stock: Mapping[str, tuple[str, str]]) -> None:
        """Opening stock: quantity and unit cost by item id; items that are not there are described."""
        describe_items(self.database, dict.fromkeys(stock))
        with self.database.unit_of_work() as work:
            numbers: dict[str, int] = dict(
                work.connection.execute("SELECT item_id, item_no FROM item").fetchall()
            )
            lines = [
                (numbers[item], Decimal(quantity), Decimal(cost)) for item, (quantity, cost) in stock.items()
            ]
            post_opening_stock(work, ChartOfAccounts(), self.store_no, lines, by=OPERATOR, now=START)

    def stock(self, item: str = "item-001") -> tuple[str, str]:
        """On hand and value of an item, in shortest form."""
        rows = self.rows(
            """SELECT trim_scale(on_hand)::text, trim_scale(value)::text FROM store_stock JOIN item USING (item_no)
               WHERE store_no = %(store_no)s AND item_id = %(item)s""",
            item=item,
        )
        return (rows[0][0], rows[0][1]) if rows else ("0", "0")

    def quantities(self) -> dict[str, Decimal]:
        """On hand by item id."""
        return dict(
            self.rows(
                """SELECT item_id, on_hand FROM store_stock JOIN item USING (item_no)
                   WHERE store_no = %(store_no)s"""
            )
        )

    def balances(self, currency: str = "USD") -> dict[str, str]:
        """Debits less credits by account, in journals of `currency`; accounts that stand at zero are left out."""
        rows = self.rows(
            """SELECT account, trim_scale(sum(debit - credit))::text
               FROM journal_line JOIN journal USING (store_no, store_sequence)
               WHERE store_no = %(store_no)s AND currency = %(currency)s
               GROUP BY account HAVING sum(debit) <> sum(credit)""",
            currency=currency,
        )
        return dict(rows)

    def findings(self, status: str = "OPEN") -> dict[tuple[str, str], int]:
        """How often each (code, subject) of that status was found."""
        rows = self.rows(
            "SELECT code, subject, count FROM finding WHERE store_no = %(store_no)s AND status = %(status)s",
            status=status,
        )
        return {(code, subject): count for code, subject, count in rows}

    def held(self) -> Sequence[tuple[str | None, str]]:
        """Event id and reason of what is held, in the order of arrival."""
        return self.rows(
            """SELECT raw ->> 'eventId', reason FROM held_event
               WHERE store_no = %(store_no)s ORDER BY held_event_no"""
        )

    def rows(self, query: LiteralString, **parameters: Any) -> list[Any]:
        """What a query finds; `%(store_no)s` is this store."""
        with self.database.reading() as work:
            return work.connection.execute(query, {"store_no": self.store_no, **parameters}).fetchall()

    def count(self, query: LiteralString, **parameters: Any) -> int:
        """The one number that a query gives."""
        ((number,),) = self.rows(query, **parameters)
        return int(number)

    def check(self) -> None:
        """Everything that must hold of the store in the database holds."""
        assert_whole(self.database, self.store_id)


def assert_whole(database: Database, store_id: str | None = None) -> None:
    """Every invariant holds, in that store or in all."""
    with database.reading() as work:
        faults = verify(work, store_id)
    assert not faults, "\n".join(map(str, faults))


def describe_items(database: Database, unit_costs: Mapping[str, str | None]) -> None:
    """Adds items to the master, with their unit cost or none; those that are there stay."""
    with database.unit_of_work() as work:
        for item, unit_cost in unit_costs.items():
            work.connection.execute(
                """INSERT INTO item (item_id, description, unit_of_measure, unit_cost) VALUES (%s, %s, 'EA', %s)
                   ON CONFLICT (item_id) DO NOTHING""",
                [item, f"Item {item}", unit_cost],
            )


def add_barcode(database: Database, barcode: str, item: str) -> None:
    """Makes a barcode stand for an item."""
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO item_barcode (barcode, item_no) SELECT %s, item_no FROM item WHERE item_id = %s",
            [barcode, item],
        )
