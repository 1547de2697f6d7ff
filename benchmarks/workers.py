"""W1c: how much memory does a worker need, however long the table is?

The same table of parcels as in ``whole.py``, checked with all rules by a pool of two processes and
by a dask scheduler with two workers, started as the README says: with a nanny and a memory limit.
``rss_mb`` is the largest peak of a worker process (``VmHWM``, read while it runs), ``half_mb`` the
same when half of the rows were done, ``parent_mb`` the peak of the process that asks. The smallest
size comes first; ``ratio`` is the memory of a worker against it. ``lost`` counts workers that were
started anew. CPU seconds are those of the batch in the asking process, and all of the workers.
Appends JSON lines to ``results/workers.jsonl``; nothing here is a test.

Usage: ``python benchmarks/workers.py [--scale 1] [-n 10000 40000] [--seed 1]``
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import county
import geopandas
from lines import REPO, keep, peak_mb

sys.path.append(str(REPO / "tests"))
from batch_world import LIMIT, cluster
from child_processes import children_of, is_spawned

RESULTS = Path(__file__).with_name("results") / "workers.jsonl"
AS_OF = date(2026, 11, 22)
USE = "0803"
WORKERS = 2
PACKAGES = ("distributed", "geopandas", "numba", "numpy", "shapely")
_TICKS = os.sysconf("SC_CLK_TCK")


def batch(place: Path, source: Path, out: Path, address: str, nannies: str) -> dict[str, Any]:
    """Check a file of parcels by a cluster, or by a pool without an address; return the figures."""
    import gis
    from gis.batch.run import run_batch

    plan = gis.load_plan(place).prepare()
    cpu, wall = time.process_time(), time.perf_counter()
    by: dict[str, Any] = {"dask": address} if address else {"workers": WORKERS}
    watch = Watch(int(nannies or os.getpid()))
    summary = run_batch(source, plan, use=USE, as_of=AS_OF, out=out, progress=watch.look, **by)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    row = {"n": summary.rows, "cpu_s": round(cpu + sum(watch.cpu_s.values()), 2)}
    row |= {"wall_s": round(wall, 2), "rss_mb": round(max(watch.peaks.values()))}
    row |= {"half_mb": round(watch.half_mb), "parent_mb": round(peak_mb())}
    lost = max(len(watch.peaks) - WORKERS, 0)
    return row | {"lost": lost, "problems": dict(summary.problems)}


# --- looking at processes ------------------------------------------------------------------------


@dataclass
class Watch:
    """What the workers below one process have needed so far; looks whenever a chunk is done."""

    root: int
    peaks: dict[int, float] = field(default_factory=dict)
    cpu_s: dict[int, float] = field(default_factory=dict)
    half_mb: float = 0.0

    def look(self, done: int, total: int) -> None:
        """Read peak and CPU of every worker; a peak tells of all that was before."""
        for pid in children_of(self.root):
            # One that has just ended has said all before.
            with suppress(OSError, ValueError, IndexError):
                if is_spawned(pid):
                    self.peaks[pid] = peak_mb(pid)
                    self.cpu_s[pid] = _cpu_s(pid)
        if done <= total / 2:
            self.half_mb = max(self.peaks.values(), default=0.0)


def _cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS


# --- runs ----------------------------------------------------------------------------------------


def measured(place: Path, source: Path, folder: Path, *, by_cluster: bool) -> dict[str, Any]:
    """Return the figures of one run, by a cluster with a limit or by a pool without one."""
    words = [str(place), str(source), str(folder / "out.parquet")]
    if not by_cluster:
        return _child(*words, "", "")
    with cluster(folder, WORKERS, nannies=True) as processes:
        (nannies,) = processes.workers
        return _child(*words, processes.address, str(nannies.pid)) | {"limit": LIMIT}


def _child(*words: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", *words]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    return found


def results(counts: Sequence[int], scale: float, seed: int) -> Iterator[dict[str, Any]]:
    """Yield one row per size and way, each with processes of its own."""
    place = county.folder_of(scale, seed)
    versions = {"versions": {name: version(name) for name in PACKAGES}}
    ways = {"pool of 2": False, "dask, 2 workers": True}
    first: dict[str, float] = {}
    for count in sorted(counts):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shapes = county.parcels(count, scale, seed)
            source = folder / "parcels.parquet"
            geopandas.GeoDataFrame(geometry=shapes, crs=county.EPSG).to_parquet(source)
            for way, by_cluster in ways.items():
                row = {"workload": "W1c", "engine": "wuqu-kernel", "name": way, "scale": scale}
                row |= measured(place, source, folder, by_cluster=by_cluster)
                memory = first.setdefault(way, row["rss_mb"])
                yield row | {"ratio": round(row["rss_mb"] / memory, 3)} | versions


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("-n", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        place, source, out, *cluster_of = options.child
        row = batch(Path(place), Path(source), Path(out), *cluster_of)
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    RESULTS.parent.mkdir(exist_ok=True)
    for row in results(options.n, options.scale, options.seed):
        keep(row, RESULTS)


if __name__ == "__main__":
    main()
