"""A table of sites for the tests of batches, and a cluster of processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import shapely
from child_processes import children_of, is_spawned
from waiting import until

from gis.plan import Plan

TESTS = Path(__file__).resolve().parent
USES = ("0803", "070102", "100101", None)


def table(plan: Plan, count: int) -> geopandas.GeoDataFrame:
    """Return sites all over the planning area: stars of 40 to 400 m, some with a hole or a part."""
    random = np.random.default_rng(15)
    area = plan.with_role("planning_area")[0].index.union
    west, south, east, north = area.bounds
    shapes: list[shapely.Geometry] = []
    while len(shapes) < count:
        x, y = random.uniform(west, east), random.uniform(south, north)
        shape = _star(random, x, y)
        if not area.intersects(shape):
            continue
        if len(shapes) % 5 == 0:
            shape = shape.difference(shapely.Point(x, y).buffer(5))
        if len(shapes) % 7 == 0:
            shape = shape.union(_star(random, x + 900, y))
        shapes.append(shape)
    names = [f"地块{n}" for n in range(count)]
    uses = [USES[n % 4] for n in range(count)]
    return geopandas.GeoDataFrame({"name": names, "use": uses}, geometry=shapes, crs=plan.work_epsg)


def _star(random: np.random.Generator, x: float, y: float) -> shapely.Geometry:
    angles = np.linspace(0, 2 * np.pi, int(random.integers(5, 30)), endpoint=False)
    radii = random.uniform(0.7, 1.3, len(angles)) * random.uniform(20, 200)
    return shapely.Polygon(
        np.column_stack([x + np.cos(angles) * radii, y + np.sin(angles) * radii])
    )


# --- a cluster -----------------------------------------------------------------------------------


# What the README says of a worker, and the same in bytes.
LIMIT, LIMIT_BYTES = "4GB", 4_000_000_000


@dataclass(frozen=True)
class Processes:
    """A scheduler and its workers, each a process of its own."""

    address: str
    workers: list[subprocess.Popen[bytes]]

    def nursed(self) -> list[int]:
        """Return the ids of the workers that nannies have started, the eldest first."""
        return sorted(pid for pid in children_of(self.workers[0].pid) if is_spawned(pid))


@contextmanager
def cluster(
    folder: Path, workers: int = 2, *, nannies: bool = False, **settings: str
) -> Iterator[Processes]:
    """Start ``dask scheduler`` and some ``dask worker`` on this machine; end them by their ids.

    With nannies they are started by one command, as the README does, and with its memory limit.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    common = ["--host", "127.0.0.1", "--no-dashboard"]
    started = [_dask(folder, "scheduler", "--port", port, *common, **settings)]
    own = ["worker", address, "--nthreads", "1", "--local-directory", str(folder), *common]
    if nannies:
        own += ["--nworkers", str(workers), "--memory-limit", LIMIT]
        started.append(_dask(folder, *own))
    else:
        started += [_dask(folder, *own, "--no-nanny") for _ in range(workers)]
    try:
        _wait_for(int(port), started[0])
        yield Processes(address, started[1:])
    finally:
        for process in reversed(started):
            # A worker ends when its nanny is gone.
            process.kill()
            process.wait()


def _dask(folder: Path, *words: str, **settings: str) -> subprocess.Popen[bytes]:
    # The package that is tested, wherever another one is installed.
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": path, **settings}
    with (folder / "dask.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens at a port."""

    def listens() -> bool:
        assert process.poll() is None, "the scheduler has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens, "no scheduler")
