"""The rows of the table, and their goals. docs/benchmarks.md says in words what each means."""

from benchmarks import (
    agent_drain,
    agent_footprint,
    agent_http,
    agent_intake,
    latency,
    publishing,
    reservation_latency,
)
from benchmarks.comparison import Comparison
from benchmarks.sides import (
    DIRECT,
    HOT,
    NEWLY_CUT,
    ROW_BY_ROW,
    SAME_BATCHES,
    SERVER_1,
    SERVER_2,
    WIDTHS,
    lean,
    same_tables,
)

_SAME_TABLES = tuple(same_tables(width) for width in WIDTHS)
_LEAN = tuple(lean(width) for width in WIDTHS)


def _row(name: str, meaning: str, ours: str, limits: tuple[str, ...], goal: float | None) -> Comparison:
    return Comparison(name=name, meaning=meaning, ours=ours, limits=limits, goal=goal)


def _over_http(name: str, clients: int, goal: float) -> Comparison:
    meaning = f"agent intake over HTTP, {clients} client{'s' * (clients > 1)}"
    return _row(name, meaning, agent_http.ours(clients), (agent_http.limit(clients),), goal)


def _soon(name: str, meaning: str, ours: str) -> Comparison:
    limits = (latency.allowed(ours),)
    return Comparison(name=name, meaning=meaning, ours=ours, limits=limits, goal=1, at_most=True)


def _at_most(name: str, meaning: str, ours: str) -> Comparison:
    limits = (agent_footprint.allowed(ours),)
    return Comparison(name=name, meaning=meaning, ours=ours, limits=limits, goal=1, at_most=True)


def _reserving(name: str, meaning: str, ours: str) -> Comparison:
    limits = (reservation_latency.allowed(ours),)
    return Comparison(name=name, meaning=meaning, ours=ours, limits=limits, goal=1, at_most=True)


COMPARISONS = (
    _row("ingest-1-worker", "server ingest, one worker", SERVER_1, _SAME_TABLES, 0.45),
    _row("ingest-2-workers", "server ingest, two workers", SERVER_2, _SAME_TABLES, 0.75),
    _row("ingest-2-workers-lean", "server ingest, two workers", SERVER_2, _LEAN, 0.40),
    _row("ingest-row-by-row", "server ingest, one worker", SERVER_1, (ROW_BY_ROW,), 50),
    _row("replay-same-batches", "the same batches again", SAME_BATCHES, (SERVER_1,), 10),
    _row("replay-newly-cut", "the same events newly cut", NEWLY_CUT, (SERVER_1,), 3),
    _row("hot-store", "one hot store", HOT, (SERVER_1,), 0.60),
    _row("posting-without-http", "posting without HTTP, one thread", DIRECT, _SAME_TABLES, None),
    _row("agent-intake", "agent intake, one event a commit", agent_intake.AGENT, (agent_intake.RAW,), 0.70),
    _over_http("agent-http-1", 1, 0.80),
    _over_http("agent-http-32", 32, 0.70),
    _row("agent-drain", "drain after an outage", agent_drain.DRAIN, (agent_drain.DRAIN_LIMIT,), 0.80),
    _row("publishing", "publishing", publishing.PUBLISHING, (publishing.PRODUCER,), 0.50),
    _soon("sale-to-kafka", "sale → message in Kafka at half load: s, p95", latency.LAG),
    _soon("command-latency", "an operator's command at half load: s, p95", latency.COMMAND),
    _at_most("agent-memory", "agent at rest: MiB resident", agent_footprint.MEMORY),
    _at_most("agent-processor", "agent at rest: % of one core", agent_footprint.PROCESSOR),
    _at_most("agent-start", "agent: s from start to the first sale", agent_footprint.START),
    _at_most(
        "agent-start-with-backlog", "the same with 1,000,000 events waiting", agent_footprint.START_FULL
    ),
    _reserving("reservation-latency", "reservation while stores drain: ms p99", reservation_latency.QUIET),
    _reserving(
        "reservation-latency-draining", "the same in a store that drains", reservation_latency.DRAINING
    ),
    _at_most("agent-bytes", "agent: bytes on disk for an event", agent_footprint.BYTES),
)
