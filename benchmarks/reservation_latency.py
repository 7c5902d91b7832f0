"""How long a reservation takes while every store drains: p99 in a store that is not draining, and in one that is.

The load generator keeps every worker of the server busy from another process; beside it one client reserves, over a
connection of its own, a piece at a time, in the one store and in the other by turns, until everything is delivered.
"""

import http.client
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from uuid import uuid4

from benchmarks.load_generator import LoadGenerator, lines_of
from benchmarks.server_process import running_server
from benchmarks.stage import Stage
from benchmarks.starting_gate import lines_a_second, write_task
from shared.clock import SystemClock, instant_text
from shared.protocol import API_PREFIX
from shared.wire_json import encode_json
from sync_server.database import Database
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.tokens import issue_person_token
from sync_server.people.users import add_person
from sync_server.support.verify import verify

QUIET = "reservation, ms p99, in a store that is not draining"
DRAINING = "reservation, ms p99, in a store that is"
MOST_MS = {QUIET: 50.0, DRAINING: 250.0}  # float: milliseconds
WORKERS = 2
_PATH = f"{API_PREFIX}/reservations"
_SOMEBODY = Caller(kind=CallerKind.COMMAND_LINE, name="benchmarks")


def allowed(figure: str) -> str:
    """The series that holds what a figure may be at most."""
    return f"at most {MOST_MS[figure]:g} ms"


@dataclass
class Reserver:
    """A client that reserves one piece of one item in each of some stores, in turn."""

    port: int
    key: str
    wanted: Mapping[str, tuple[str, str]]
    """Store and item by the name of their series."""
    milliseconds: dict[str, list[float]] = field(default_factory=dict)  # float: milliseconds

    def reserve_until(self, done: Future[float]) -> None:
        """Goes round the stores until `done`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        until = instant_text(SystemClock().now() + timedelta(days=1))
        while not done.done():
            for name, (store_id, item_id) in self.wanted.items():
                wish = {"storeId": store_id, "itemId": item_id, "quantity": "0.001", "expiresAt": until}
                headers = {
                    "Authorization": f"Bearer {self.key}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": str(uuid4()),
                }
                begun = time.perf_counter()
                connection.request("POST", _PATH, encode_json(wish), headers)
                answer = connection.getresponse()
                body = answer.read()
                self.milliseconds.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
                assert answer.status in (201, 409), body  # everything may be sold in the end
        connection.close()


def measure_reservations(stage: Stage) -> Mapping[str, float]:
    """Both figures, with what they may be at most."""
    agents = [agent.batches for agent in stage.agents]
    with (
        stage.fresh_database() as url,
        running_server(url, WORKERS, stage.new_path("server"), stage.watchdog) as port,
        ThreadPoolExecutor(1) as pool,
    ):
        reserver = Reserver(port, _controller(url), _goods(stage))
        load = LoadGenerator(port, stage.headquarters.credentials, agents)
        draining = pool.submit(lines_a_second, [[write_task(load, stage.new_path("load.task"))]])
        reserver.reserve_until(draining)
        draining.result()
        _check(url, lines_of(agents))
    found = {name: percentile_99(figures) for name, figures in reserver.milliseconds.items()}
    return {**found, **{allowed(name): most for name, most in MOST_MS.items()}}


def percentile_99(figures: Sequence[float]) -> float:
    """The figure that 99 of a hundred do not exceed."""
    return sorted(figures)[ceil(len(figures) * 0.99) - 1]


def _goods(stage: Stage) -> Mapping[str, tuple[str, str]]:
    """In either store the item of which it has most; the store that sells everything alone is not draining here."""
    goods: dict[str, tuple[str, str]] = {}
    for name, sales in ((QUIET, stage.hot_sales), (DRAINING, stage.sales)):
        store = sales.stores[0]
        opening = sales.opening(store)
        goods[name] = (store.store_id, max(opening, key=lambda item: opening[item]))
    return goods


def _controller(url: str) -> str:
    """The token of a person who may reserve."""
    database, now = Database(url, pool_size=1), SystemClock().now()
    with database.unit_of_work() as work:
        add_person(work, "benchmark", ["stock_controller"], by=_SOMEBODY, now=now)
        key = issue_person_token(work, "benchmark", by=_SOMEBODY, now=now)
    database.close()
    return key


def _check(url: str, lines: int) -> None:
    """Every line is posted, and nothing contradicts itself."""
    database = Database(url, pool_size=1)
    with database.reading() as work:
        row = work.connection.execute("SELECT count(*) FROM pos_event").fetchone()
        assert row == (lines,), f"{row} instead of {lines} lines"
        faults = verify(work)
    database.close()
    assert not faults, faults
