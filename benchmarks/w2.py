"""W2: how long does one parcel take against loaded layers, one call after the other?

``W2``: overlaps with twelve layers and the nearest road, ours in process against prepared
statements of PostGIS through its socket; times are on the wall, because a client waits for both.
``W2b``: ``check_site`` with every rule of the bundled plan, and of the county, the collector set as
in the service. Appends JSON lines to ``results/w2.jsonl``; nothing here is a test.

Usage: ``python benchmarks/w2.py [--scale 1] [-n 1000]``
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import county
import numpy as np
import shapely
from job import MissingError
from lines import keep

RESULTS = Path(__file__).with_name("results") / "w2.jsonl"
AS_OF = date(2026, 11, 22)
USE = "0803"
PACKAGES = ("numba", "numpy", "shapely")
_WARM_UP = 30
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


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


def ours(scale: float, count: int, seed: int) -> dict[str, Any]:
    """Return W2 of our engine."""
    from peers import wuqu

    parcels = county.parcels(count, scale, seed)
    stack = wuqu.load("kernel", county.folder_of(scale, seed), parcels).args[0]  # type: ignore[attr-defined]
    row = each(lambda site: wuqu.run(stack, site, "kernel"), list(parcels.reshape(-1, 1)))
    return row | {"versions": {name: version(name) for name in PACKAGES}}


def postgis(scale: float, count: int, seed: int) -> dict[str, Any]:
    """Return W2 of PostGIS; its CPU seconds are those of the backend."""
    from peers.postgis import PostGis

    parcels = county.parcels(count, scale, seed)
    base = PostGis(county.folder_of(scale, seed), parcels[:1])
    before = base.cpu_s()
    row = each(base.one, list(shapely.to_wkb(parcels)))
    cpu = (base.cpu_s() - before) * count / (count + _WARM_UP)
    return row | {"cpu_s": round(cpu, 3), "versions": {"postgis": base.version()}}


def postgis_by_layer(scale: float, count: int, seed: int) -> dict[str, Any]:
    """Return W2 of PostGIS with a table per layer: twelve statements instead of one."""
    from peers.postgis import PostGis

    parcels = county.parcels(count, scale, seed)
    base = PostGis(county.folder_of(scale, seed), parcels[:1])
    tables = base.split_by_layer()
    row = each(lambda site: base.one(site, tables), list(shapely.to_wkb(parcels)))
    return row | {"cpu_s": None, "versions": {"postgis": base.version()}}


def bundled(_scale: float, count: int, seed: int) -> dict[str, Any]:
    """Return W2b on the bundled plan, with its whole rule book."""
    import gis

    plan = gis.load_plan().prepare()
    sites = sites_of(_inside(plan, count, seed), plan)
    return _checked(plan, sites) | {"rules": len(plan.rulebook.rules)}


def whole(scale: float, count: int, seed: int) -> dict[str, Any]:
    """Return W2b on the county."""
    import gis

    plan = gis.load_plan(county.folder_of(scale, seed)).prepare()
    sites = sites_of(county.parcels(count, scale, seed), plan)
    return _checked(plan, sites) | {"rules": len(plan.rulebook.rules)}


def _checked(plan: Any, sites: list[Any]) -> dict[str, Any]:
    """Check without outlines for showing, which is what a service answers with by default."""
    from gis.check import check_site

    def check(site: Any) -> Any:
        return check_site(site, plan, use=USE, as_of=AS_OF, remedies=False, geometry=False)

    settle()
    row = each(check, sites)
    return row | {"versions": {name: version(name) for name in PACKAGES}}


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


RUNS: dict[tuple[str, str, str], Callable[[float, int, int], dict[str, Any]]] = {
    ("W2", "wuqu-kernel", "county"): ours,
    ("W2", "postgis", "county"): postgis,
    ("W2", "postgis", "county, a table per layer"): postgis_by_layer,
    ("W2b", "wuqu-kernel", "bundled plan"): bundled,
    ("W2b", "wuqu-kernel", "county"): whole,
}


def results(scale: float, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield one row per run, each in a process of its own."""
    county.folder_of(scale, seed)
    base: dict[str, Any] = {}
    for number, (workload, engine, plan) in enumerate(RUNS):
        row = {"workload": workload, "engine": engine, "plan": plan, "scale": scale}
        command = [sys.executable, __file__, "--child", str(number)]
        command += ["--scale", str(scale), "-n", str(count), "--seed", str(seed)]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        row |= json.loads(out.stdout.splitlines()[-1])
        base = base or row
        if workload == "W2" and "p50_ms" in row and row is not base:
            for name in ("p50", "p99"):
                row[f"ratio_{name}"] = round(row[f"{name}_ms"] / base[f"{name}_ms"], 1)
        yield row


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("-n", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    rest = options.scale, options.n, options.seed
    if options.child is not None:
        try:
            row = list(RUNS.values())[options.child](*rest)
        except MissingError as missing:
            row = {"missing": str(missing)}
        sys.stdout.write(json.dumps(row) + "\n")
        return
    RESULTS.parent.mkdir(exist_ok=True)
    for row in results(*rest):
        keep(row, RESULTS)


if __name__ == "__main__":
    main()
