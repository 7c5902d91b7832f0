"""What the server measures of itself, for Prometheus; docs/metrics.md says what each number is good for.

Several processes serve one port, so a scrape reaches any of them. With PROMETHEUS_MULTIPROC_DIR set (`serve`
does so) each keeps its numbers in a file of that folder, and whoever is asked adds all of them up.
"""

import os
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# Bounds in seconds, set around the objectives: p95 of 100 ms at half load, 1 s as promised, 3 s as alarm.
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10)


class ServerMetrics:
    """The API's own numbers, in a registry of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "sync_server_http_requests_total",
            "Answers of the API.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "sync_server_http_request_seconds",
            "Seconds from a request's arrival to the end of its answer.",
            ["route"],
            buckets=_BOUNDS,
            registry=self.registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answer of `route` (its pattern, never the path: stores would make a series each)."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def exposition(self, collector: Collector) -> bytes:
        """All numbers in Prometheus' text format: those of every process, and what `collector` looks up."""
        scraped = CollectorRegistry()
        scraped.register(collector)
        if MULTIPROCESS_VARIABLE in os.environ:
            MultiProcessCollector(scraped)  # type: ignore[no-untyped-call]  # registers itself
            return generate_latest(scraped)
        return generate_latest(self.registry) + generate_latest(scraped)


class LookedUp(Collector):
    """Numbers that lie in the database and are counted when somebody asks."""

    def __init__(self, count: Callable[[], dict[str, dict[str, int]]]) -> None:
        self._count = count

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The stores by contact and the open findings by code, at this moment."""
        counted = self._count()
        stores = GaugeMetricFamily(
            "sync_server_stores", "Stores, by whether an agent was heard of lately.", labels=["contact"]
        )
        findings = GaugeMetricFamily("sync_server_open_findings", "Open findings.", labels=["code"])
        for family, name in ((stores, "stores"), (findings, "findings")):
            for label, number in counted[name].items():
                family.add_metric([label], number)
        return [stores, findings]
