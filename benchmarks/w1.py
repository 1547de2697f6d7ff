"""W1: overlaps of many parcels with twelve layers; ours, the peers, and whether they agree.

Every engine runs in a process of its own, so that CPU seconds and peak memory are its own; layers
are loaded before the clock starts (``load_s``). The first named engine is the one that the others
are compared with, number by number; where it runs alone, or with more parcels than peers can answer
in the time, ``wuqu-geos`` answers some thousands of them in the same run, off the clock
(``checked``). Engines that would take too long are asked for the first 2,000 parcels. Appends one
JSON line per result to ``results/w1.jsonl``; nothing here is a test.

Usage: ``python benchmarks/w1.py [--scale 1] [-n 10000] [--engines wuqu-kernel postgis …]``
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import county
import job
import numpy as np
import peers
from lines import keep, peak_mb

RESULTS = Path(__file__).with_name("results") / "w1.jsonl"
# Nothing runs again when it has taken so long.
MOST_CPU_S = 25.0
# With more parcels than this nobody waits for every answer of a peer: some are checked.
MOST_COMPARED = 100_000
CHECKED = 10_000
YARDSTICK = "wuqu-geos"


def measure(
    name: str, place: Path, parcels: job.Array, out: Path, *, times: int = 3
) -> dict[str, Any]:
    """Run one engine in this process; return its figures and write its answers."""
    engine = peers.engine(name)
    begun = time.process_time()
    run: Any = engine.load(place, parcels)
    load_s = time.process_time() - begun
    # A server has figures of its own.
    clock = getattr(run, "cpu_s", time.process_time)
    load_s += clock() if hasattr(run, "cpu_s") else 0.0
    cpu, wall, answers = best(run, clock, times)
    job.save(answers, out)
    peak = run.peak_mb() if hasattr(run, "peak_mb") else peak_mb()
    versions = {package: version(package) for package in engine.packages}
    versions |= {"postgis": run.version()} if hasattr(run, "version") else {}
    row = {"n": len(parcels), "cpu_s": round(cpu, 4), "wall_s": round(wall, 4)}
    row |= {"per_s": round(len(parcels) / cpu, 1), "load_s": round(load_s, 2)}
    return row | {"rss_mb": round(peak), "versions": versions}


def best(
    run: Callable[[], job.Answers], clock: Callable[[], float], times: int = 3
) -> tuple[float, float, job.Answers]:
    """Return CPU and wall seconds of the best of three runs, the same for every engine.

    Other work on the machine makes a run dearer, never cheaper. Long ones run once or twice.
    """
    found: list[tuple[float, float, job.Answers]] = []
    while len(found) < times and sum(cpu for cpu, _, _ in found) < MOST_CPU_S:
        cpu, wall = clock(), time.perf_counter()
        answers = run()
        found.append((clock() - cpu, time.perf_counter() - wall, answers))
    return min(found, key=lambda one: one[0])


def results(
    names: Sequence[str], count: int, scale: float, seed: int, folder: Path
) -> Iterator[dict[str, Any]]:
    """Yield one row per engine; the first is what the others are compared with."""
    county.folder_of(scale, seed)
    ours: tuple[float, job.Answers] | None = None
    for name in names:
        n = min(count, peers.engine(name).most or count)
        row = {"workload": "W1", "engine": name, "n": n, "scale": scale}
        own = _child(name, n, scale, seed, folder)
        if "missing" in own:
            yield row | own
            continue
        answers = job.to_edge(name, job.read(folder / f"{name}.npz"))
        if ours is None:
            ours = own["per_s"], answers
            few = len(names) > 1 and n <= MOST_COMPARED
            gap = job.NOT_COMPARED if few else _checked(name, answers, scale, seed, folder)
        else:
            row |= {"ratio": round(ours[0] / own["per_s"], 2)}
            gap = job.agreement(ours[1], answers)
        yield row | own | gap | {"versions": own["versions"]}


def chosen(count: int, seed: int) -> job.Array:
    """Return the places of the parcels that are checked, rising; a seed chooses the same ones."""
    random = np.random.default_rng([seed, 300])
    return np.sort(random.choice(count, min(count, CHECKED), replace=False))


def _checked(
    name: str, answers: job.Answers, scale: float, seed: int, folder: Path
) -> dict[str, Any]:
    """Compare some answers of an engine with those of GEOS, or those of GEOS with the kernel's."""
    other = YARDSTICK if name != YARDSTICK else "wuqu-kernel"
    count = len(answers.area)
    _child(other, count, scale, seed, folder, "--checking")
    some = job.rows_of(answers, chosen(count, seed))
    told = job.read(folder / f"{other}.npz")
    # Only ours leaves noise out, and that is allowed for on the first side.
    gap = job.agreement(some, told) if name.startswith("wuqu") else job.agreement(told, some)
    return gap | {"checked": len(some.area), "checked_with": other}


def _child(name: str, n: int, scale: float, seed: int, folder: Path, *more: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, str(folder / f"{name}.npz"), *more]
    command += ["-n", str(n), "--scale", str(scale), "--seed", str(seed)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    return found


def child(options: argparse.Namespace) -> dict[str, Any]:
    """Run one engine for all parcels, or once for those that are checked."""
    name, out = options.child
    place = county.folder_of(options.scale, options.seed)
    parcels = county.parcels(options.n, options.scale, options.seed)
    times = 3
    if options.checking:
        parcels, times = parcels[chosen(options.n, options.seed)], 1
    try:
        return measure(name, place, parcels, Path(out), times=times)
    except job.MissingError as missing:
        return {"missing": str(missing)}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("-n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", nargs="+", default=list(peers.MODULES))
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--checking", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.stdout.write(json.dumps(child(options)) + "\n")
        return
    RESULTS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        rest = options.n, options.scale, options.seed, Path(name)
        for row in results(options.engines, *rest):
            keep(row, RESULTS)


if __name__ == "__main__":
    main()
