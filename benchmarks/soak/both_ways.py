"""Does a check decide the same when every overlap is built with GEOS?

Sites as they are hardest to measure: features of the bundled plan moved by centimetres, stretched
by parts of a thousand, turned by hundredths of a degree, or with each vertex shaken, so that
boundaries run along each other. Each is checked with areas from the kernel and with overlaps from
GEOS.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from w2 import AS_OF, sites_of

USES = ("0803", "070102", "100101", "0901", None)
MOST_M2, MOST_VERTICES, AROUND_M = 4e6, 400, 200.0
# What is promised, and what GEOS snaps where overlays are laid over overlays (``docs/engine.md``).
SAME_M2, SNAPPED_M2 = 1e-5, 1e-3


def outlines(plan: Any, random: np.random.Generator) -> Iterator[Any]:
    """Yield valid polygons whose boundaries run along those of features."""
    layers = [one.index for one in plan.layers.values()]
    layers = [one for one in layers if one.info.geometry == "polygon" and len(one)]
    while True:
        layer = layers[random.integers(len(layers))]
        parts = shapely.get_parts(layer.geometries[random.integers(len(layer))])
        part = _small(parts[random.integers(len(parts))], random)
        if part.is_empty:
            continue
        outline = _nearly(part, random)
        is_site = outline.is_valid and outline.area > 5.0
        if is_site and plan.bounds_polygon.intersects(outline):
            yield outline


def _small(part: Any, random: np.random.Generator) -> Any:
    """Return a polygon, or of a large one what lies around one of its vertices."""
    if part.area <= MOST_M2 and shapely.get_num_coordinates(part) <= MOST_VERTICES:
        return part
    corners = shapely.get_coordinates(part.exterior)
    x, y = corners[random.integers(len(corners))]
    window = shapely.box(x - AROUND_M, y - AROUND_M, x + AROUND_M, y + AROUND_M)
    found = [p for p in shapely.get_parts(part.intersection(window)) if p.geom_type == "Polygon"]
    return max(found, key=lambda p: p.area, default=shapely.Polygon())


def _nearly(part: Any, random: np.random.Generator) -> Any:
    """Return a polygon that is nearly the same."""
    kind = random.integers(4)
    if kind == 0:
        return shapely.affinity.translate(part, *random.uniform(-0.15, 0.15, 2))
    if kind == 1:
        return shapely.affinity.scale(part, *(1 + random.uniform(-2e-3, 2e-3, 2)))
    if kind == 2:
        return shapely.affinity.rotate(part, random.uniform(-0.02, 0.02))
    corners = shapely.get_coordinates(part.exterior)[:-1]
    return shapely.Polygon(corners + random.uniform(-0.08, 0.08, corners.shape))


def checked(site: Any, plan: Any, use: str | None, mode: Any) -> Any:
    """Return the check of a site with what is shared measured in one of the two ways."""
    from gis.check import check_site
    from gis.engine import screen

    (met,) = screen(np.array([site.geometry], dtype=object), plan.stack, mode=mode)
    return check_site(site, plan, use=use, as_of=AS_OF, remedies=False, geometry=False, met=met)


def difference(one: Any, two: Any) -> tuple[list[str], float]:
    """Return what two checks say otherwise, and the largest difference of an area in m²."""
    said, said_too = _said(one), _said(two)
    other = [name for name in said if said[name] != said_too[name]]
    areas, areas_too = _areas(one), _areas(two)
    if len(areas) != len(areas_too):
        return [*other, "number of areas"], 0.0
    return other, max((abs(a - b) for a, b in zip(areas, areas_too, strict=True)), default=0.0)


def _said(check: Any) -> dict[str, Any]:
    return {
        "verdict": (check.verdict, check.deciding_rule),
        "findings": [(f.rule, f.verdict, f.reason) for f in check.findings],
        "contacts": [(c.layer, c.rule) for c in check.contacts],
        "evidence": [(e.layer, e.cls, e.kind, e.feature_ids) for e in check.evidence],
    }


def _areas(check: Any) -> list[float]:
    found = [f.measure.value for f in check.findings if f.measure and f.measure.unit == "m²"]
    found += [c.area_m2 for c in check.contacts]
    return found + [e.area_m2 for e in check.evidence if e.kind == "area"]


def both_ways(count: int, seed: int = 1) -> dict[str, Any]:
    """Check so many sites in both ways; return a line for the results."""
    import gis

    plan = gis.load_plan().prepare()
    begun, random, verdicts = time.monotonic(), np.random.default_rng(seed), Counter[str]()
    failures, apart = [], []
    for number, outline in zip(range(count), outlines(plan, random), strict=False):
        (site,), use = sites_of(np.array([outline]), plan), USES[number % len(USES)]
        one, two = (checked(site, plan, use, mode) for mode in ("kernel", "geos"))
        other, most = difference(one, two)
        verdicts[one.verdict] += 1
        apart.append(most)
        if other or most > SNAPPED_M2:
            failures.append(f"site {number}: {', '.join(other) or most}")
    return {
        "what": "checks both ways",
        "engine": "wuqu-geos",
        "n": count,
        "seed": seed,
        "seconds": round(time.monotonic() - begun),
        "verdicts": dict(sorted(verdicts.items())),
        "beyond_1e-5_m2": sum(each > SAME_M2 for each in apart),
        "max_abs_diff_m2": max(apart, default=0.0),
        "failures": failures[:20],
    }
