"""What the scheduler tells of itself; docs/metrics.md says what each number is good for."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Bounds in seconds: most runs find nothing to do, few last longer than a minute.
_BOUNDS = (0.01, 0.1, 1, 10, 60, 600)


class SchedulerMetrics:
    """The scheduler's metrics in one registry; where several processes add up theirs, one leads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leads = Gauge(
            "sync_server_scheduler_leader",
            "1 where this process is the one that runs the jobs.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.runs = Counter(
            "sync_server_job_runs_total",
            "Runs of a job, by how they ended.",
            ["job", "outcome"],
            registry=registry,
        )
        self.done = Counter(
            "sync_server_job_done_total",
            "Things that a job has done.",
            ["job"],
            registry=registry,
        )
        self.seconds = Histogram(
            "sync_server_job_seconds",
            "Seconds that a run of a job takes.",
            ["job"],
            buckets=_BOUNDS,
            registry=registry,
        )
        self.succeeded_at = Gauge(
            "sync_server_job_last_success_timestamp_seconds",
            "When a job last ran without a failure, in seconds since 1970.",
            ["job"],
            registry=registry,
            multiprocess_mode="max",
        )
