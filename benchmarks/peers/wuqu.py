"""Ours: all layers of the plan under one tree, areas from edges (or, asked so, by GEOS)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import county
import numpy as np
from job import TOLERANCE_M2, Answers, Array, Engine, empty


def load(mode: Any, place: Path, parcels: Array) -> Callable[[], Answers]:
    """Open the plan package, as a planner does; compiled loops are loaded."""
    import gis
    from gis.engine.overlaps import overlaps

    plan = gis.load_plan(place)
    overlaps(parcels[:50], plan.stack, mode=mode)
    return partial(run, plan.stack, parcels, mode)


def run(stack: Any, parcels: Array, mode: Any) -> Answers:
    """Return the answers; distances of the engine are to the land edge, 6 m from the axis."""
    from gis.engine.overlaps import nearest, overlaps

    answers = empty(len(parcels), len(county.POLYGONS))
    places = {name: n for n, name in enumerate(county.POLYGONS)}
    column = np.array([places.get(name, -1) for name in stack.ids])
    found = overlaps(parcels, stack, tolerance_m2=TOLERANCE_M2, mode=mode)
    answers.area[found.site, column[found.layer]] = found.area
    answers.features[found.site, column[found.layer]] = found.features
    roads = stack.lines(list(stack.ids).index("roads"))
    answers.distance[:] = nearest(parcels, roads).distance
    return answers


ENGINES = {
    "wuqu-kernel": Engine("wuqu-kernel", partial(load, "kernel"), ("numba", "numpy", "shapely")),
    "wuqu-geos": Engine("wuqu-geos", partial(load, "geos"), ("shapely",)),
}
