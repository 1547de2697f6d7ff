"""A PostgreSQL cluster of our own: in a temporary folder, on a socket, gone when the run ends.

The server refuses to run as root, so root hands it to the user ``postgres`` of the Debian package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from job import MissingError

_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "autovacuum": "off",
}


@contextmanager
def cluster() -> Iterator[dict[str, Any]]:
    """Yield what psycopg needs to connect."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not programs:
        raise MissingError("postgis: postgresql-15-postgis-3 (Debian) is not installed")
    bin_dir = programs[-1].parent
    owner = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if owner:
        shutil.chown(folder, **owner)
    data = folder / "data"

    def run(program: str, *words: str) -> None:
        # With a pipe pg_ctl would wait for the server, which inherits it.
        subprocess.run(
            [str(bin_dir / program), *words],
            check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **owner,
        )  # fmt: skip

    try:
        run("initdb", "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")
        settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        options = f"-k {folder} {settings}"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield {"host": str(folder), "user": "bench", "dbname": "postgres"}
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
