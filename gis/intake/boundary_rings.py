"""Which rings do the point lines of one plot draw, and which is a hole in which?

Ring numbers (圈号) group lines but do not say what is a hole: a second outer part gets the next
number in some tools. So a ring is a hole when it lies in an odd number of others. It never judges
validity; that is the same for every format.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import shapely

from gis.intake.draft import Faults, Ring, as_array

# Written with three decimals, a closing point may differ from the first by rounding.
_SAME_POINT_M = 0.0015
_SAME_POINT_DEG = 1e-8


class _Point(Protocol):
    @property
    def label(self) -> str: ...
    @property
    def ring(self) -> str: ...
    @property
    def east(self) -> float: ...
    @property
    def north(self) -> float: ...
    @property
    def line(self) -> int: ...


def split_rings(points: Sequence[_Point], faults: Faults, *, closed: bool) -> list[Ring]:
    """Return the rings in file order; x = easting.

    A new ring begins with a new ring number, and after a point that closes the running ring.
    """
    rings: list[Ring] = []
    for _, group in groupby(points, key=lambda p: p.ring):
        run: list[_Point] = []
        for point in group:
            run.append(point)
            if closed and len(run) > 3 and _same(run[0], point):
                rings.append(_ring(run))
                run = []
        if closed and len(run) == 1 and rings and _repeats(rings[-1], run[0]):
            continue  # the closing point written twice
        if run:
            if closed:
                _check_closing(run, faults)
            rings.append(_ring(run))
    return rings


def parts_by_position(rings: Sequence[Ring]) -> tuple[tuple[Ring, ...], ...]:
    """Return parts, each an outer ring followed by its holes, in the order of the file."""
    if len(rings) < 2 or any(len(r.xy) < 3 for r in rings):
        return tuple((ring,) for ring in rings)
    polygons = np.array([shapely.Polygon(ring.xy) for ring in rings], dtype=object)
    shapely.prepare(polygons)
    bounds, areas = shapely.bounds(polygons), shapely.area(polygons)
    around = []
    for i, ring in enumerate(rings):
        low = (bounds[:, :2] <= bounds[i, :2]).all(axis=1)
        high = (bounds[:, 2:] >= bounds[i, 2:]).all(axis=1)
        larger = np.flatnonzero(low & high & (areas > areas[i]))
        around.append([int(j) for j in larger[_lies_in(ring, polygons[larger])]])
    holes: dict[int, list[Ring]] = {i: [] for i, a in enumerate(around) if len(a) % 2 == 0}
    for i, outers in enumerate(around):
        if len(outers) % 2:
            # Rings that cross each other can contradict themselves; validity will name the place.
            owner = min((o for o in outers if o in holes), key=lambda o: areas[o], default=i)
            holes[owner] = [*holes.get(owner, []), *([rings[i]] if owner != i else [])]
    return tuple((rings[i], *inner) for i, inner in sorted(holes.items()))


def _lies_in(ring: Ring, polygons: Any) -> npt.NDArray[np.bool_]:
    """In which of the polygons a ring lies, judged by vertices and edge middles along it."""
    xy = ring.xy
    some = np.linspace(0, len(xy) - 1, num=3).astype(int)
    middles = (xy[some] + np.roll(xy, -1, axis=0)[some]) / 2
    inside = np.ones(len(polygons), dtype=bool)
    for x, y in np.concatenate([xy[some], middles]):
        inside[inside] = shapely.intersects_xy(polygons[inside], x, y)
    return inside


def _ring(run: Sequence[_Point]) -> Ring:
    lines = [p.line for p in run]
    xy = as_array([(p.east, p.north) for p in run])
    if len(xy) > 1 and _same(run[0], run[-1]):
        xy[-1] = xy[0]
    return Ring(xy, lambda i: f"第 {lines[min(i, len(lines) - 1)]} 行")


def _same(a: _Point, b: _Point) -> bool:
    return _near(a.east, a.north, b)


def _repeats(ring: Ring, point: _Point) -> bool:
    return _near(float(ring.xy[0][0]), float(ring.xy[0][1]), point)


def _near(x: float, y: float, point: _Point) -> bool:
    reach = _SAME_POINT_DEG if abs(x) <= 180 and abs(y) <= 180 else _SAME_POINT_M
    return abs(x - point.east) <= reach and abs(y - point.north) <= reach


def _check_closing(run: Sequence[_Point], faults: Faults) -> None:
    """Note a closing point by number that lies elsewhere: one of the two is mistyped."""
    first, last = run[0], run[-1]
    if len(run) > 3 and first.label and first.label == last.label:
        faults.add(
            f"第 {last.line} 行",
            f"点号 {last.label[:20]} 与第 {first.line} 行相同，坐标却不同，环没有闭合",
        )
