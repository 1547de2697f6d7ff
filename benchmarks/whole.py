"""W1b: the whole check with rules for a table of parcels, and W4: loading the county.

``W1b`` reads a GeoParquet of parcels, checks them against a dozen layers and fourteen rules and
writes a GeoParquet, in one process: CPU seconds per parcel and peak memory at several sizes. The
smallest size comes first; ``ratio`` is the cost per parcel against it. ``W4`` opens the plan
package of the county, with its pieces made anew and then found on disk.
Appends JSON lines to ``results/whole.jsonl``; nothing here is a test.

Usage: ``python benchmarks/whole.py [--scale 1] [-n 10000 100000] [--seed 1]``
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import county
import geopandas
from lines import keep, peak_mb

RESULTS = Path(__file__).with_name("results") / "whole.jsonl"
AS_OF = date(2026, 11, 22)
USE = "0803"
PACKAGES = ("geopandas", "numba", "numpy", "shapely")


def whole(place: Path, source: Path, out: Path) -> dict[str, Any]:
    """Check a file of parcels; return the figures."""
    import gis
    from gis.batch.run import run_batch

    begun = time.process_time()
    plan = gis.load_plan(place).prepare()
    # One parcel loads the compiled loops.
    few = geopandas.read_parquet(source).head(3)
    run_batch(few, plan, use=USE, as_of=AS_OF)
    load_s = time.process_time() - begun
    cpu, wall = time.process_time(), time.perf_counter()
    summary = run_batch(source, plan, use=USE, as_of=AS_OF, out=out)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    row = {"n": summary.rows, "cpu_s": round(cpu, 2), "wall_s": round(wall, 2)}
    row |= {"per_s": round(summary.rows / cpu, 1), "load_s": round(load_s, 2)}
    row |= {"rss_mb": round(peak_mb())}
    return row | {
        "rules": len(plan.rulebook.rules),
        "layers": len(plan.layers),
        "verdicts": dict(sorted(Counter(summary.verdicts).items())),
        "problems": dict(summary.problems),
    }


def load(place: Path) -> dict[str, Any]:
    """Open the plan package and lay its pieces under one tree."""
    import gis

    cpu, wall = time.process_time(), time.perf_counter()
    plan = gis.load_plan(place)
    opened = time.process_time() - cpu
    _ = plan.stack
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    row = {"n": len(plan.stack.layer), "cpu_s": round(cpu, 2), "wall_s": round(wall, 2)}
    return row | {"open_cpu_s": round(opened, 2), "rss_mb": round(peak_mb())}


def results(counts: Sequence[int], scale: float, seed: int) -> Iterator[dict[str, Any]]:
    """Yield one row per run, each in a process of its own."""
    place = county.folder_of(scale, seed)
    versions = {"versions": {name: version(name) for name in PACKAGES}}
    shutil.rmtree(place / ".index", ignore_errors=True)
    for name in ("load the county, pieces made", "load the county, pieces on disk"):
        row = {"workload": "W4", "engine": "wuqu-kernel", "name": name, "scale": scale}
        yield row | _child("load", str(place)) | versions
    first: float | None = None
    with tempfile.TemporaryDirectory() as folder:
        for count in sorted(counts):
            source, out = Path(folder) / "parcels.parquet", Path(folder) / f"out{count}.parquet"
            shapes = county.parcels(count, scale, seed)
            geopandas.GeoDataFrame(geometry=shapes, crs=county.EPSG).to_parquet(source)
            del shapes
            row = {"workload": "W1b", "engine": "wuqu-kernel", "scale": scale}
            own = _child("whole", str(place), str(source), str(out))
            each = own["cpu_s"] / own["n"]
            first = first or each
            yield row | own | {"ratio": round(each / first, 3)} | versions


def _child(*words: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", *words]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("-n", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, *paths = options.child
        run: Any = {"whole": whole, "load": load}[name]
        sys.stdout.write(json.dumps(run(*map(Path, paths)), ensure_ascii=False) + "\n")
        return
    RESULTS.parent.mkdir(exist_ok=True)
    for row in results(options.n, options.scale, options.seed):
        keep(row, RESULTS)


if __name__ == "__main__":
    main()
