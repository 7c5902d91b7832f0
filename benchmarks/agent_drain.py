"""Draining after an outage: what several real agents kept comes to headquarters, as fast as both can.

Held against the load generator, which sends the same lines from as many stores, packed beforehand. Both figures
are read off the batches at headquarters, from the first that arrived to the last.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException

import psycopg

from benchmarks.agent_batches import BatchingAgent
from benchmarks.agent_footprint import HOST, enrolled_folder, running_agent
from benchmarks.ledger_check import check_ledger
from benchmarks.load_generator import LoadGenerator, lines_of
from benchmarks.server_process import running_server
from benchmarks.stage import Stage
from benchmarks.starting_gate import lines_a_second, write_task
from edge_agent.data_folder import DataFolder
from shared.clock import SystemClock
from sync_server.demo.demo_stores import DemoStore
from sync_server.demo.loopback import free_port

DRAIN = "8 agents that drain"
DRAIN_LIMIT = "load generator, the same 8 stores"
PATIENCE_SECONDS = 600
_QUICK = {
    "EDGE_AGENT_RETRY_FIRST": "0.5",
    "EDGE_AGENT_RETRY_CAP": "0.5",
    "EDGE_AGENT_BATCH_MAX_EVENTS": "500",
}
"""An agent's own patience after an outage is jitter below a minute, which is not what is measured."""
_RATE = """
SELECT sum(accepted) FILTER (WHERE received_at > first)::float
       / extract(epoch FROM max(received_at) - min(first))::float
FROM pos_batch, (SELECT min(received_at) AS first FROM pos_batch) AS began
"""  # float: lines a second
_LINES = "SELECT coalesce(sum(accepted), 0) FROM pos_batch"


def measure_drain(stage: Stage) -> Mapping[str, float]:
    """Lines a second of both sides."""
    agents = stage.drain_agents
    batches, lines = [agent.batches for agent in agents], lines_of([agent.batches for agent in agents])
    with (
        stage.headquarters.fresh_database() as url,
        running_server(url, 1, stage.new_path("server"), stage.watchdog) as port,
    ):
        generator = LoadGenerator(port, stage.headquarters.credentials, batches)
        lines_a_second([[write_task(generator, stage.new_path("load.task"))]])
        limit = _rate(url)
    with stage.headquarters.fresh_database() as url, _agents_waiting(stage, lines) as port:
        with running_server(url, 1, stage.new_path("server"), stage.watchdog, port=port):
            _await_lines(url, lines)
            ours = _rate(url)
        check_ledger(url, lines)
    return {DRAIN: ours, DRAIN_LIMIT: limit}


@contextmanager
def _agents_waiting(stage: Stage, lines: int) -> Iterator[int]:
    """Agents that run and whose headquarters is away; the port at which they look for it."""
    port, clock, kept = free_port(), SystemClock(), 0
    with ExitStack() as stack:
        for store, agent in zip(stage.drain_sales.stores, stage.drain_agents, strict=True):
            count = lines_of([agent.batches])
            folder = _folder(stage, store, port)
            keeper = BatchingAgent(store, folder.spool_file, clock)
            keeper.take(stage.drain_sales.events(store)[:count])
            keeper.close()
            kept += count
            own_port, _ = stack.enter_context(running_agent(folder, _QUICK))
            _await_status(own_port)
        assert kept == lines, "the agents keep what the load generator sends"
        yield port


def _folder(stage: Stage, store: DemoStore, port: int) -> DataFolder:
    return enrolled_folder(
        stage.new_path("agent"),
        server_url=f"http://{HOST}:{port}",
        store_id=store.store_id,
        zone=store.timezone,
        credential=stage.headquarters.credentials[store.store_id],
    )


def _await_status(port: int) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < deadline:
        connection = HTTPConnection(HOST, port, timeout=60)
        try:
            connection.request("GET", "/v1/status")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.02)
        finally:
            connection.close()
    raise TimeoutError("an agent did not start")


def _await_lines(url: str, lines: int) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS
    with psycopg.connect(url, autocommit=True) as connection:
        while time.perf_counter() < deadline:
            row = connection.execute(_LINES).fetchone()
            if row is not None and row[0] >= lines:
                return
            time.sleep(0.2)
    raise TimeoutError("the agents did not drain")


def _rate(url: str) -> float:
    with psycopg.connect(url) as connection:
        row = connection.execute(_RATE).fetchone()
    assert row is not None
    return float(row[0])
