"""W2: how long does one parcel take against loaded layers, one call after the other?

``W2``: overlaps with twelve layers and the nearest road, ours in process against prepared
statements of PostGIS through its socket; times are on the wall, because a client waits for both.
Every parcel is answered once more off the clock, and the answers are compared number by number.
``W2b``: ``check_site`` with every rule of the bundled plan, and of the county, the collector set as
in the service: without remedies and outlines, as a client may ask, and with both, which is what
``check_site`` answers by default. Appends JSON lines to ``results/w2.jsonl``; nothing here is a
test.

Usage: ``python benchmarks/w2.py [--scale 1] [-n 1000]``
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import county
import numpy as np
import shapely
from job import NOT_COMPARED, Answers, MissingError, agreement, read, save, to_edge
from lines import keep, peak_mb

RESULTS = Path(__file__).with_name("results") / "w2.jsonl"
AS_OF = date(2026, 11, 22)
USE = "0803"
PACKAGES = ("numba", "numpy", "shapely")
_WARM_UP = 30
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
# Figures of a run, and the answers of all parcels where there are others to compare them with.
Told = tuple[dict[str, Any], Answers | None]


def settle() -> None:
    """Set the garbage collector as the service and the command line do once a plan is open."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def each(call: Callable[[Any], Any], things: list[Any]) -> dict[str, Any]:
    """Return the spread of the times of calls, one by one, after some to warm up."""
    for thing in things[:_WARM_UP]:
        call(thing)
    gc.collect()
    times = np.empty(len(things))
    cpu = time.process_time()
    for number, thing in enumerate(things):
        begun = time.perf_counter()
        call(thing)
        times[number] = time.perf_counter() - begun
    cpu = time.process_time() - cpu
    p50, p99 = np.quantile(times, [0.5, 0.99]) * 1e3
    row = {"n": len(things), "p50_ms": round(float(p50), 3), "p99_ms": round(float(p99), 3)}
    return row | {"cpu_s": round(cpu, 3), "wall_s": round(float(times.sum()), 3)}


def ours(scale: float, count: int, seed: int) -> Told:
    """Return W2 of our engine."""
    from peers import wuqu

    parcels = county.parcels(count, scale, seed)
    stack = wuqu.load("kernel", county.folder_of(scale, seed), parcels).args[0]  # type: ignore[attr-defined]  # a partial
    sites = list(parcels.reshape(-1, 1))
    row = each(lambda site: wuqu.run(stack, site, "kernel"), sites)
    row |= {"rss_mb": round(peak_mb()), "versions": versions()}
    told = [wuqu.run(stack, site, "kernel") for site in sites]
    return row, Answers(*(np.concatenate(column) for column in zip(*told, strict=True)))


def postgis(scale: float, count: int, seed: int, *, by_layer: bool = False) -> Told:
    """Return W2 of PostGIS; CPU seconds and memory are those of the backend."""
    from peers.postgis import PostGis

    parcels = county.parcels(count, scale, seed)
    base = PostGis(county.folder_of(scale, seed), parcels[:1])
    tables = base.split_by_layer() if by_layer else ["pieces"]
    sites = list(shapely.to_wkb(parcels))
    before = base.cpu_s()
    row = each(lambda site: base.one(site, tables), sites)
    # The kernel counts a backend in hundredths of a second, so the calls to warm up are in it.
    cpu = (base.cpu_s() - before) * count / (count + min(count, _WARM_UP))
    row |= {"cpu_s": round(cpu, 3), "rss_mb": round(base.peak_mb())}
    told = [base.one(site, tables) for site in sites]
    return row | {"versions": {"postgis": base.version()}}, _gathered(told)


def postgis_by_layer(scale: float, count: int, seed: int) -> Told:
    """Return W2 of PostGIS with a table per layer: twelve statements instead of one."""
    return postgis(scale, count, seed, by_layer=True)


def _gathered(told: list[tuple[list[tuple[Any, ...]], float]]) -> Answers:
    """Put the rows of layer, feature and m² of single parcels into one table of answers."""
    from peers.sql import answers_of

    rows = [(parcel, *row) for parcel, (found, _) in enumerate(told) for row in found]
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    near = np.array([metres for _, metres in told], dtype=float)
    return answers_of(len(told), tuple(columns), (np.arange(len(told)), near))


def bundled(_scale: float, count: int, seed: int) -> Told:
    """Return W2b on the bundled plan, with its whole rule book."""
    return _checked(*_bundled(count, seed), lean=True), None


def bundled_whole(_scale: float, count: int, seed: int) -> Told:
    """Return W2b on the bundled plan as ``check_site`` answers by default."""
    return _checked(*_bundled(count, seed), lean=False), None


def whole(scale: float, count: int, seed: int) -> Told:
    """Return W2b on the county."""
    import gis

    plan = gis.load_plan(county.folder_of(scale, seed)).prepare()
    return _checked(plan, sites_of(county.parcels(count, scale, seed), plan), lean=True), None


def _bundled(count: int, seed: int) -> tuple[Any, list[Any]]:
    import gis

    plan = gis.load_plan().prepare()
    return plan, sites_of(_inside(plan, count, seed), plan)


def _checked(plan: Any, sites: list[Any], *, lean: bool) -> dict[str, Any]:
    """Check; ``lean`` without remedies and without outlines for showing.

    The day stays the same, so that a run of next year asks for the same rules.
    """
    from gis.check import check_site

    more = not lean

    def check(site: Any) -> Any:
        return check_site(site, plan, use=USE, as_of=AS_OF, remedies=more, geometry=more)

    settle()
    row = each(check, sites) | {"rss_mb": round(peak_mb())}
    asked = {"remedies": more, "geometry": more, "rules": len(plan.rulebook.rules)}
    return row | asked | {"versions": versions()}


def versions() -> dict[str, str]:
    """Return the versions of what our engine rests on."""
    return {name: version(name) for name in PACKAGES}


def sites_of(shapes: Any, plan: Any) -> list[Any]:
    """Return shapes in the work CRS as sites."""
    from gis.crs import ellipsoidal_areas
    from gis.model import Area, CrsDecision, Site, Source

    crs = CrsDecision(plan.work_epsg, plan.work_epsg, "given")
    areas = zip(ellipsoidal_areas(shapes, plan.work_epsg), shapely.area(shapes), strict=True)
    return [
        Site(f"p{n}", shape, Area(float(m2), float(planar)), crs, Source("wkt", f"p{n}", ""))
        for n, (shape, (m2, planar)) in enumerate(zip(shapes, areas, strict=True))
    ]


def _inside(plan: Any, count: int, seed: int) -> Any:
    """Return parcels moved into the planning area, wherever their centre falls inside."""
    area = plan.with_role("planning_area")[0].index.union
    random = np.random.default_rng([seed, 200])
    west, south, east, north = area.bounds
    shapes = county.parcels(4 * count, 1.0, seed)
    places = np.column_stack(
        [random.uniform(west, east, 4 * count), random.uniform(south, north, 4 * count)]
    )
    inside = shapely.contains_xy(area, places)
    shapes, places = shapes[inside][:count], places[inside][:count]
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    moves = np.repeat(places - centres, shapely.get_num_coordinates(shapes), axis=0)
    moved = shapely.set_coordinates(shapes, shapely.get_coordinates(shapes) + moves)
    return moved[shapely.is_valid(moved)]


RUNS: dict[tuple[str, str, str], Callable[[float, int, int], Told]] = {
    ("W2", "wuqu-kernel", "county"): ours,
    ("W2", "postgis", "county"): postgis,
    ("W2", "postgis", "county, a table per layer"): postgis_by_layer,
    ("W2b", "wuqu-kernel", "bundled plan"): bundled,
    ("W2b", "wuqu-kernel", "bundled plan, with remedies and outlines"): bundled_whole,
    ("W2b", "wuqu-kernel", "county"): whole,
}


def results(scale: float, count: int, seed: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield one row per run, each in a process of its own; the first is what W2 compares with."""
    county.folder_of(scale, seed)
    base: dict[str, Any] = {}
    for number, (workload, engine, plan) in enumerate(RUNS):
        row = {"workload": workload, "engine": engine, "plan": plan, "scale": scale}
        command = [sys.executable, __file__, "--child", str(number), str(_answers(folder, number))]
        command += ["--scale", str(scale), "-n", str(count), "--seed", str(seed)]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        row |= json.loads(out.stdout.splitlines()[-1])
        if not base:
            base = row
            row |= NOT_COMPARED
        elif workload == "W2" and "missing" not in row:
            row |= _beside(row, base, engine, _answers(folder, 0), _answers(folder, number))
        yield row


def _answers(folder: Path, number: int) -> Path:
    return folder / f"{number}.npz"


def _beside(
    row: dict[str, Any], base: dict[str, Any], engine: str, ours: Path, theirs: Path
) -> dict[str, Any]:
    """Return how much slower a peer is, and where its answers differ."""
    ratios = {
        f"ratio_{name}": round(row[f"{name}_ms"] / base[f"{name}_ms"], 1) for name in ("p50", "p99")
    }
    return ratios | agreement(read(ours), to_edge(engine, read(theirs)))


def child(options: argparse.Namespace) -> dict[str, Any]:
    """Do one run; keep its answers beside."""
    number, out = options.child
    run = list(RUNS.values())[int(number)]
    try:
        row, answers = run(options.scale, options.n, options.seed)
    except MissingError as missing:
        return {"missing": str(missing)}
    if answers is not None:
        save(answers, Path(out))
    return row


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("-n", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.stdout.write(json.dumps(child(options)) + "\n")
        return
    RESULTS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for row in results(options.scale, options.n, options.seed, Path(name)):
            keep(row, RESULTS)


if __name__ == "__main__":
    main()
