"""How fast is a check, as a ratio against a named peer in the same run?

Peer: ``geopandas.overlay`` of the same parcels with the same polygon layers, the way a user would
write it. Prints one JSON line per result and a table; nothing here is a test.

Usage: ``python benchmarks/run.py [--parcels 200] [--seed 1]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import geopandas
import numpy as np
import shapely
from peer import overlaid_m2

import gis
from gis.crs import ellipsoidal_area
from gis.engine import screen, surveyed
from gis.model import Area, CrsDecision, Site, Source
from gis.plan import Plan

AS_OF = date(2026, 11, 22)


def parcels(plan: Plan, count: int, seed: int) -> list[Site]:
    """Return seeded random parcels of 0.5-20 ha with 5-40 vertices inside the planning area."""
    random = np.random.default_rng(seed)
    area = plan.with_role("planning_area")[0].index.union
    west, south, east, north = area.bounds
    found: list[Site] = []
    while len(found) < count:
        centre = shapely.Point(random.uniform(west, east), random.uniform(south, north))
        if not area.contains(centre):
            continue
        shape = _blob(centre, random)
        if shape.is_valid:
            found.append(_site(shape, plan, f"p{len(found)}"))
    return found


def _blob(centre: shapely.Point, random: np.random.Generator) -> shapely.Polygon:
    target_m2 = 10_000 * np.exp(random.uniform(np.log(0.5), np.log(20)))
    count = int(random.integers(5, 41))
    angles = np.sort(random.uniform(0, 2 * np.pi, count))
    radii = random.uniform(0.7, 1.3, count)
    xy = np.column_stack([np.cos(angles) * radii, np.sin(angles) * radii])
    shape = shapely.Polygon(xy)
    scale = np.sqrt(target_m2 / max(shape.area, 1e-6))
    return shapely.Polygon(xy * scale + [centre.x, centre.y])


def _site(shape: shapely.Polygon, plan: Plan, name: str) -> Site:
    area = Area(ellipsoidal_area(shape, plan.work_epsg), shape.area)
    crs = CrsDecision(plan.work_epsg, plan.work_epsg, "given")
    return Site(name, shape, area, crs, Source("wkt", name, ""))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return CPU seconds of this process, and the result."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def naive(sites: list[Site], plan: Plan) -> float:
    """Overlay all parcels with each polygon layer; return the summed planar area."""
    frame = geopandas.GeoDataFrame(geometry=[s.geometry for s in sites], crs=plan.work_epsg)
    return overlaid_m2(frame, plan)


def engine(sites: list[Site], plan: Plan) -> float:
    """Measure all parcels against all layers; return the summed planar area of the evidence."""
    survey = plan.survey(AS_OF)
    total = 0.0
    for site in sites:
        (met,) = screen(np.array([site.geometry], dtype=object), plan.stack)
        found = surveyed(site, survey, met)
        total += sum(e.planar_m2 or 0.0 for e in found.evidence)
    return total


def results(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield one row per measurement."""
    load_s, plan = timed(gis.load_plan)
    yield {"name": "load bundled plan", "cpu_s": round(load_s, 3)}
    prepare_s, _ = timed(plan.prepare)  # what a service builds once: trees, ledger, figures
    yield {"name": "prepare for serving", "cpu_s": round(prepare_s, 3)}
    balance_s, _ = timed(lambda: plan.land_balance("core").to_dict())
    yield {"name": "land balance of the core", "cpu_s": round(balance_s, 3)}
    sites = parcels(plan, count, seed)
    engine(sites[:5], plan)  # builds trees and transformers once, as a service does
    naive_s, naive_m2 = timed(lambda: naive(sites, plan))
    engine_s, engine_m2 = timed(lambda: engine(sites, plan))
    yield {
        "name": "measure with evidence, sites/s",
        "engine": round(count / engine_s, 1),
        "geopandas.overlay": round(count / naive_s, 1),
        "ratio": round(naive_s / engine_s, 2),
        "area_difference_m2": round(abs(naive_m2 - engine_m2), 4),
    }
    times = [timed(lambda s=s: gis.check_site(s, plan, use="0803", as_of=AS_OF))[0] for s in sites]
    cuts = statistics.quantiles(times, n=100)
    yield {
        "name": "check_site",
        "p50_ms": round(cuts[49] * 1e3, 2),
        "p99_ms": round(cuts[98] * 1e3, 2),
    }
    for name, code in (("import gis", "import gis"), ("wuqu --help", "from gis.cli import app")):
        yield {"name": name, "wall_s": round(_wall(code), 3)}


def _wall(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for row in results(options.parcels, options.seed):
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
