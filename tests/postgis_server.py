"""A PostGIS server of our own for the tests: a private cluster, one database per file of tests."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@dataclass(frozen=True)
class Server:
    """A cluster; its folder holds the socket and the data."""

    folder: Path
    user: str

    def address(self, database: str, user: str = "", password: str = "") -> str:
        secret = f":{password}" if password else ""
        who = f"{user or self.user}{secret}"
        return f"postgresql://{who}@/{database}?host={self.folder}"

    @contextmanager
    def connected(self, database: str = "postgres") -> Iterator[Any]:
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            yield connection

    def database(self, name: str) -> str:
        """Make a database with PostGIS; return its address."""
        with self.connected() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        with self.connected(name) as connection:
            connection.execute("CREATE EXTENSION postgis")
        return self.address(name)


def absent(what: str) -> None:
    """Skip, or fail where everything is required."""
    if os.environ.get("WUQU_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is required here and was not found")
    pytest.skip(f"{what} is not installed")


@contextmanager
def server() -> Iterator[Server]:
    """Start a cluster, and stop it at the end."""
    if importlib.util.find_spec("psycopg") is None:
        absent("psycopg")
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        absent("PostGIS (Debian: postgresql-15-postgis-3)")
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    from peers.cluster import cluster

    with cluster() as found:
        yield Server(Path(found["host"]), found["user"])
