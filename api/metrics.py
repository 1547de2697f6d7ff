"""What does the service count? Requests, checks, records, queues and jobs, for Prometheus.

Labels are routes as the table writes them, methods, statuses and verdicts: never a path, a name or
an id, so their number is bounded. With several workers each writes its numbers into files of one
folder, and whichever worker is asked adds them up.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from gis.jobs.model import JobNumbers

MEDIA_TYPE = CONTENT_TYPE_LATEST
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# From a lean check to the longest answer.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """The numbers of one worker process."""

    def __init__(self) -> None:
        self._registry = own = CollectorRegistry()
        self._requests = Counter(
            "wuqu_requests", "Requests answered.", ("method", "route", "status"), registry=own
        )
        self._seconds = Histogram(
            "wuqu_request_seconds", "Time to the end of an answer.", ("route",),
            buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self._checks = Counter("wuqu_checks", "Sites judged.", ("verdict",), registry=own)
        self._records = Counter("wuqu_records", "Records written.", registry=own)
        self._refused = Counter(
            "wuqu_refused", "Requests that were not let in.", ("reason",), registry=own
        )
        self._queue = Gauge(
            "wuqu_heavy_checks", "Large checks by state.", ("state",),
            multiprocess_mode="livesum", registry=own,
        )  # fmt: skip
        self._audit = Gauge(
            "wuqu_audit_faulty", "1 while the audit log cannot be written.",
            multiprocess_mode="livemax", registry=own,
        )  # fmt: skip

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refuse(self, reason: str) -> None:
        """Count a request that was not let in, by the code of its problem."""
        self._refused.labels(reason).inc()

    def judged(self, verdicts: Iterable[str]) -> None:
        """Count the sites of one request by verdict."""
        for verdict in verdicts:
            self._checks.labels(verdict).inc()

    def recorded(self, number: int) -> None:
        """Count records that are on disk."""
        self._records.inc(number)

    def queue(self, running: int, waiting: int) -> None:
        """Note how many large checks run and wait in this process."""
        self._queue.labels("running").set(running)
        self._queue.labels("waiting").set(waiting)

    def text(self, *, audit_faulty: bool = False, jobs: JobNumbers | None = None) -> bytes:
        """Return all numbers, of all workers, in the text format of Prometheus.

        ``jobs`` are those of the database, which all workers share; None: it does not tell.
        """
        self._audit.set(int(audit_faulty))
        folder = os.environ.get(FOLDER_VARIABLE)
        if not folder:
            registry = CollectorRegistry()
            registry.register(self._registry)
            registry.register(_OfJobs(jobs))
            ProcessCollector(registry=registry)
            return generate_latest(registry)
        forget_dead_workers(Path(folder))
        shared = CollectorRegistry()
        MultiProcessCollector(shared, path=folder)  # type: ignore[no-untyped-call]  # not typed by the package
        shared.register(_OfJobs(jobs))
        return generate_latest(shared)


class _OfJobs(Collector):
    """What the database says of the jobs when it is asked; no worker counts for itself."""

    def __init__(self, jobs: JobNumbers | None) -> None:
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers; without them, only that they are missing."""
        known = "0 while the database does not tell about jobs."
        yield GaugeMetricFamily("wuqu_jobs_known", known, value=self._jobs is not None)
        if self._jobs is None:
            return
        states = GaugeMetricFamily("wuqu_jobs", "Batch jobs by state.", labels=["state"])
        for state, count in self._jobs.states.items():
            states.add_metric([state.value], count)
        yield states
        rows = "Rows of jobs that are done."
        yield CounterMetricFamily("wuqu_job_rows", rows, value=self._jobs.rows)
        pace = "Rows a second, over the last minutes of the jobs that run."
        yield GaugeMetricFamily("wuqu_job_rows_per_second", pace, value=self._jobs.rows_per_s)
        waits = "How long the oldest job waits that nobody has begun."
        age = self._jobs.oldest_queued_s
        yield GaugeMetricFamily("wuqu_job_oldest_queued_seconds", waits, value=age)


def shared_folder() -> tempfile.TemporaryDirectory[str]:
    """Make the folder in which several workers write their numbers, and name it to them.

    Must come before ``prometheus_client`` is imported by a worker: it looks at the variable once.
    """
    folder = tempfile.TemporaryDirectory(prefix="wuqu-metrics-")
    os.environ[FOLDER_VARIABLE] = folder.name
    return folder


def forget_dead_workers(folder: Path) -> None:
    """Drop the gauges of workers that ended without saying so; their counters stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            with suppress(FileNotFoundError):
                mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]  # not typed by the package


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
