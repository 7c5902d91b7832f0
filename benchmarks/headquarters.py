"""Headquarters' database for the benchmarks: one cluster with the product's own settings, one template, copies.

The template holds stores, enrolled agents, items and opening stock, put there by the product itself. Whoever
is measured gets a fresh copy of it, so that all begin with the same database.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks.real_sales import Sales
from shared.clock import Clock
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.opening_stock import post_opening_stock
from sync_server.database import Database
from sync_server.demo.demo_stores import DemoStore
from sync_server.demo.watchdog import Watchdog
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.migrations import migrate
from sync_server.people.callers import Caller, CallerKind
from sync_server.stores.enrolment import Applicant, create_enrolment_code, enrol
from sync_server.stores.registry import NewStore, add_store, find_store

_TEMPLATE, _COPY = "benchmark_template", "benchmark_copy"
_SOMEBODY = Caller(kind=CallerKind.COMMAND_LINE, name="benchmarks")
_ITEMS = """
INSERT INTO item (item_id, description, unit_of_measure, unit_cost, price)
SELECT * FROM unnest(%s::varchar[], %s::varchar[], %s::varchar[], %s::numeric[], %s::numeric[])
RETURNING item_id, item_no
"""


class Headquarters:
    """A running PostgreSQL and the template in it. Use as a context."""

    def __init__(self, folder: Path, clock: Clock, watchdog: Watchdog) -> None:
        """`watchdog` ends PostgreSQL should the benchmark be killed."""
        self._postgres = EmbeddedPostgres(folder)
        self._pid_file = folder / "postgres" / "postmaster.pid"
        self._watchdog = watchdog
        self._clock = clock
        self.credentials: dict[str, str] = {}
        """The credential of each store's agent, by store id."""

    def __enter__(self) -> "Headquarters":
        self._postgres.start()
        self._pid = int(self._pid_file.read_text().split()[0])
        self._watchdog.watch_postgres(self._pid)
        return self

    def __exit__(self, *_: object) -> None:
        self._postgres.stop()
        self._watchdog.forget(self._pid)

    def make_template(self, sales: Sequence[Sales]) -> None:
        """Stores, agents, items and opening stock of all that is going to be sold."""
        self._postgres.create_database(_TEMPLATE)
        migrate(self._postgres.url(_TEMPLATE, OWNER_ROLE))
        database = Database(self._postgres.url(_TEMPLATE))
        items = self._import_items(database, sales[0])
        for one in sales:
            for store in one.stores:
                self._add_store(database, store)
                self._open_stock(database, store, one, items)
        database.close()
        with psycopg.connect(self._postgres.url(_TEMPLATE, "postgres"), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE, FREEZE)")

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """A copy of the template, by its URL for the application's role; it is dropped afterwards.

        A checkpoint before: nobody shall be interrupted by one for what others wrote.
        """
        self._postgres.create_database(_COPY, template=_TEMPLATE)
        try:
            with psycopg.connect(self._postgres.url("postgres", "postgres"), autocommit=True) as connection:
                connection.execute("CHECKPOINT")
            yield self.url
        finally:
            self._postgres.drop_database(_COPY)

    @property
    def url(self) -> str:
        """The copy that is there at the moment, for the application's role; always the same."""
        return self._postgres.url(_COPY)

    @property
    def owner_url(self) -> str:
        """The same for the role that owns the schema."""
        return self._postgres.url(_COPY, OWNER_ROLE)

    def _import_items(self, database: Database, sales: Sales) -> Mapping[str, tuple[int, Decimal]]:
        """Number and cost by item id."""
        masters = sales.masters()
        rows = [(m.item_id, m.description, m.unit_of_measure, m.unit_cost, m.price) for m in masters.values()]
        with database.unit_of_work() as work:
            numbers: dict[str, int] = dict(
                work.connection.execute(_ITEMS, [list(column) for column in zip(*rows, strict=True)])
            )
        return {item_id: (number, masters[item_id].unit_cost) for item_id, number in numbers.items()}

    def _add_store(self, database: Database, store: DemoStore) -> None:
        """The store and its agent's credential."""
        now = self._clock.now()
        new = NewStore(
            store_id=store.store_id,
            location_id=store.location_id,
            timezone=store.timezone,
            day_start=f"{store.day_start:%H:%M}",
        )
        with database.unit_of_work() as work:
            add_store(work, new, by=_SOMEBODY, now=now)
            code = create_enrolment_code(work, store.store_id, by=_SOMEBODY, now=now)
            work.flush()
            applicant = Applicant(uuid4(), "benchmark", "0")
            enrolment = enrol(work, code, applicant, request=_SOMEBODY, now=now)
        self.credentials[store.store_id] = enrolment.credential

    def _open_stock(
        self, database: Database, store: DemoStore, sales: Sales, items: Mapping[str, tuple[int, Decimal]]
    ) -> None:
        lines = [
            (items[item_id][0], quantity, items[item_id][1])
            for item_id, quantity in sales.opening(store).items()
        ]
        with database.unit_of_work() as work:
            store_no = find_store(work, store.store_id).store_no
            assert store_no is not None
            chart = ChartOfAccounts()
            post_opening_stock(work, chart, store_no, lines, by=_SOMEBODY, now=self._clock.now())
