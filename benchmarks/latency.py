"""How long people and the rest of the company wait while headquarters works at half of what it can.

The server with all its parts and a broker. Its peak is measured first; then the load generator sends half as many
batches a second, and meanwhile a store that is online sells through a real agent, a consumer looks for each sale in
Kafka, and a person opens reconciliations (the spec's own command).
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from uuid import uuid4

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from benchmarks.agent_footprint import HOST, enrolled_folder, running_agent
from benchmarks.load_generator import LoadGenerator, PacedLoad, lines_of
from benchmarks.server_process import running_server
from benchmarks.stage import Stage
from benchmarks.starting_gate import lines_a_second, write_task
from shared.clock import SystemClock
from shared.protocol import store_path
from shared.wire_json import encode_json
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.kafka_cluster import KafkaCluster
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.roles import Role
from sync_server.people.tokens import issue_person_token
from sync_server.people.users import add_person
from sync_server.publishing.topics import OutboxKind, ensure_topics

LAG = "sale to Kafka, p95 s"
COMMAND = "command at half load, p95 s"
FIGURES = {LAG: 2.0, COMMAND: 0.1}
"""What each may be at most, in seconds."""
_EVERY_SECONDS = 0.1
_PATIENCE_SECONDS = 30
_SALE = re.compile(rb'"(lag-[0-9]+)"')


def allowed(figure: str) -> str:
    """The series that holds what a figure may be at most."""
    return f"at most {FIGURES[figure]:g} s"


def measure_latency(stage: Stage) -> Mapping[str, float]:
    """Both figures, in seconds."""
    kafka = stage.new_path("kafka")
    kafka.mkdir()
    with stage.fresh_database() as url, EmbeddedKafka(kafka) as broker:
        ensure_topics(KafkaCluster(broker.bootstrap_servers))
        token = _token(url)
        settings = {"SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers}
        with running_server(url, 1, stage.new_path("server"), stage.watchdog, settings=settings) as port:
            first = [agent.batches[:1] for agent in stage.agents]
            credentials = stage.headquarters.credentials
            peak = lines_a_second(
                [[write_task(LoadGenerator(port, credentials, first), stage.new_path("peak.task"))]]
            )
            rest = [agent.batches[1:] for agent in stage.agents]
            batches = sum(map(len, rest))
            load = PacedLoad(port, credentials, rest, rate=peak / 2 * batches / lines_of(rest))
            figures = _Probe(stage, port, token, broker.bootstrap_servers).watch(load)
    return {**figures, **{allowed(name): most for name, most in FIGURES.items()}}


def _token(url: str) -> str:
    by, now = Caller(kind=CallerKind.COMMAND_LINE, name="benchmarks"), SystemClock().now()
    database = Database(url, pool_size=1)
    with database.unit_of_work() as work:
        add_person(work, "benchmark", [Role.STOCK_CONTROLLER.value], by=by, now=now)
        token = issue_person_token(work, "benchmark", by=by, now=now)
    database.close()
    return token


class _Probe:
    """Sells, commands and listens while the load is on."""

    def __init__(self, stage: Stage, port: int, token: str, bootstrap_servers: str) -> None:
        self._stage, self._port, self._token = stage, port, token
        self._store = stage.hot_sales.stores[0]
        self._sold: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._commands: list[float] = []
        self._ended = threading.Event()
        self._consumer = _consumer(bootstrap_servers)

    def watch(self, load: PacedLoad) -> dict[str, float]:
        """Both figures under this load."""
        folder = enrolled_folder(
            self._stage.new_path("agent"),
            server_url=f"http://{HOST}:{self._port}",
            store_id=self._store.store_id,
            zone=self._store.timezone,
            credential=self._stage.headquarters.credentials[self._store.store_id],
        )
        task = write_task(load, self._stage.new_path("paced.task"))
        with running_agent(folder) as (agent_port, _), self._listening():
            self._sell(agent_port, "warm-up")
            loading = threading.Thread(target=lines_a_second, args=([[task]],))
            loading.start()
            number = 0
            while loading.is_alive():
                name, number = f"lag-{number}", number + 1
                self._sell(agent_port, name)
                self._commands.append(self._command(number))
                time.sleep(_EVERY_SECONDS)
            deadline = time.perf_counter() + _PATIENCE_SECONDS
            while len(self._seen) < number and time.perf_counter() < deadline:
                time.sleep(0.05)
        assert len(self._seen) == number, f"only {len(self._seen)} of {number} sales came to Kafka"
        lags = [self._seen[name] - self._sold[name] for name in self._seen]
        return {LAG: _p95(lags), COMMAND: _p95(self._commands)}

    def _sell(self, port: int, name: str) -> None:
        event = {"type": "SALE", "itemId": "item-1", "quantity": 1, "amount": 5, "saleId": name}
        deadline = time.perf_counter() + _PATIENCE_SECONDS
        while True:
            connection = HTTPConnection(HOST, port, timeout=_PATIENCE_SECONDS)
            try:
                connection.request(
                    "POST", "/v1/events", encode_json(event), {"Content-Type": "application/json"}
                )
                assert connection.getresponse().status == 201
                break
            except OSError:
                if time.perf_counter() > deadline:
                    raise
                time.sleep(0.02)
            finally:
                connection.close()
        self._sold[name] = time.perf_counter()

    def _command(self, number: int) -> float:
        """Seconds that a reconciliation took to be opened."""
        body = {
            "date": self._stage.hot_sales.until.date().isoformat(),
            "varianceAmount": number,
            "reason": "SHRINKAGE",
        }
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
        }
        connection = HTTPConnection(HOST, self._port, timeout=_PATIENCE_SECONDS)
        began = time.perf_counter()
        connection.request(
            "POST", f"{store_path(self._store.store_id)}/reconcile", encode_json(body), headers
        )
        answer = connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        connection.close()
        assert answer.status == 201, content[:400]
        return took

    @contextmanager
    def _listening(self) -> Iterator[None]:
        listening = threading.Thread(target=self._listen)
        listening.start()
        try:
            yield
        finally:
            self._ended.set()
            listening.join()
            self._consumer.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            for message in self._consumer.consume(1000, timeout=0.02):
                found = None if message.error() else _SALE.search(message.value() or b"")
                if found:
                    self._seen.setdefault(found[1].decode(), time.perf_counter())


def _consumer(bootstrap_servers: str) -> Consumer:
    """Reads the topic of sales from now on."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "benchmark-latency",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
            "log_level": 0,
        }
    )
    topic = OutboxKind.SALE.topic
    numbers = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_END) for number in numbers])
    return consumer


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]
