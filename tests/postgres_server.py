"""A PostgreSQL server of our own: in a temporary folder, on a socket, gone when the run ends.

Tests and benchmarks share it. The server refuses to run as root, so root hands it to the user
``postgres`` of the Debian package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER = "bench"
_SETTINGS = {
    "listen_addresses": "''",
    "fsync": "off",
    "shared_buffers": "64MB",
    "jit": "off",
    "autovacuum": "off",
}


class NoServerError(Exception):
    """PostgreSQL is not installed here."""


@dataclass(frozen=True)
class Server:
    """A running server: its folder is also that of its socket, ``programs`` that of pg_dump."""

    folder: Path
    programs: Path

    @property
    def connection(self) -> dict[str, str]:
        """What psycopg needs to connect."""
        return {"host": str(self.folder), "user": USER, "dbname": "postgres"}

    def url(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def run(self, program: str, *words: str) -> None:
        """Run a program of PostgreSQL as the owner of the server."""
        owner = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        # With a pipe pg_ctl would wait for the server, which inherits it.
        subprocess.run(
            [str(self.programs / program), *words],
            check=True, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            **owner,
        )  # fmt: skip

    def start(self, settings: Mapping[str, str]) -> None:
        """Start the server; it answers when this returns."""
        options = f"-k {self.folder} " + " ".join(f"-c {k}={v}" for k, v in settings.items())
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self.run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop the server at once; who is connected loses the connection."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")


@contextmanager
def server(**settings: str) -> Iterator[Server]:
    """Yield a new, empty server; ``settings`` go before those of every such server.

    Raises
    ------
    NoServerError
        The Debian package is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        raise NoServerError("postgresql-15-postgis-3 (Debian) is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    own = Server(folder, found[-1].parent)
    try:
        data = str(folder / "data")
        own.run("initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale")
        own.start({**_SETTINGS, **settings})
        try:
            yield own
        finally:
            own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
