"""A PostgreSQL server of our own for the benchmarks: that of the tests, with room to work in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from job import MissingError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from postgres_server import NoServerError, server  # tests are no package

_SETTINGS = {
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "max_parallel_workers_per_gather": "0",
}


@contextmanager
def cluster() -> Iterator[dict[str, Any]]:
    """Yield what psycopg needs to connect."""
    try:
        with server(**_SETTINGS) as own:
            yield own.connection
    except NoServerError as problem:
        raise MissingError(f"postgis: {problem}") from None


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
