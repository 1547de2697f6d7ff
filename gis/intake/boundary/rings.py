"""Which rings do the point lines of one plot draw, and which is a hole in which?

Ring numbers (圈号) group lines but do not say what is a hole: a second outer part gets the next
number in some tools. So a ring is a hole when it lies in an odd number of others. It never judges
validity; that is the same for every format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import shapely

from gis.errors import Fault
from gis.intake.boundary.lines import PointLine
from gis.intake.draft import Ring, as_array, first_of
from gis.model import Remark

# Written with three decimals, a closing point may differ from the first by rounding.
_SAME_POINT_M = 0.0015
_SAME_POINT_DEG = 1e-8


@dataclass(slots=True)
class Rings:
    """The rings of a plot in file order, as lines and as drawn; x = easting."""

    runs: list[list[PointLine]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)

    def drawn(self) -> list[Ring]:
        """Return the rings as a drawing."""
        return [_ring(run) for run in self.runs]


def split_rings(points: Sequence[PointLine], *, closed: bool) -> Rings:
    """Return the rings of one plot.

    A new ring begins with a new ring number, after a point that closes the running ring, and where
    the point numbers begin again with the first two.
    """
    found = Rings()
    for _, group in groupby(points, key=lambda p: p.ring):
        lines = list(group)
        if closed:
            _split(lines, found)
        else:
            found.runs.append(lines)
    for run in found.runs:
        found.warnings += _repeated_numbers(run)
    return found


def _split(lines: Sequence[PointLine], found: Rings) -> None:
    run: list[PointLine] = []
    for i, point in enumerate(lines):
        ahead = lines[i + 1] if i + 1 < len(lines) else None
        if not run and i and ahead is None and is_same_point(found.runs[-1][0], point):
            continue  # the closing point written twice
        if _begins_again(run, point, ahead):
            text = f"第 {point.line} 行起点号重新开始，其前的环没有闭合，按另一个环理解"
            found.warnings.append(Remark("ring_split", text))
            found.runs.append(run)
            run = []
        run.append(point)
        if _closes(run, is_last=ahead is None):
            found.runs.append(run)
            run = []
    if run:
        found.faults += _mistyped_closing(run)
        found.runs.append(run)


def _closes(run: Sequence[PointLine], *, is_last: bool) -> bool:
    """Whether the last point of a run is its first one again.

    Two points of a ring may lie a millimetre apart, so that being near is enough only under the
    same number or at the end.
    """
    first, last = run[0], run[-1]
    if len(run) < 4 or not is_same_point(first, last):
        return False
    exact = first.east == last.east and first.north == last.north
    return exact or is_last or (first.label == last.label != "")


def _begins_again(run: Sequence[PointLine], point: PointLine, ahead: PointLine | None) -> bool:
    """Whether point numbers start over: the first number elsewhere, and then the second too."""
    return (
        len(run) >= 3
        and ahead is not None
        and point.label == run[0].label != ""
        and ahead.label == run[1].label
        and not is_same_point(run[0], point)
    )


def _mistyped_closing(run: Sequence[PointLine]) -> list[Fault]:
    """Name a closing point by number that lies elsewhere: one of the two is mistyped."""
    first, last = run[0], run[-1]
    if len(run) < 4 or not first.label or first.label != last.label:
        return []
    message = f"点号 {last.label[:20]} 与第 {first.line} 行相同，坐标却不同，环没有闭合"
    return [Fault(f"第 {last.line} 行", message, coordinate=(last.east, last.north))]


def _repeated_numbers(run: Sequence[PointLine]) -> list[Remark]:
    """Tell one number for two places; a list with one and the same word in front has no numbers."""
    first: dict[str, PointLine] = {}
    again: list[str] = []
    ends_alike = run[0].label == run[-1].label
    for point in run[:-1] if ends_alike else run:
        other = first.setdefault(point.label, point) if point.label else point
        if not is_same_point(point, other):
            again.append(f"第 {point.line} 行的 {point.label}（第 {other.line} 行已有）")
    if not again or 2 * len(first) < len(run):
        return []
    text = f"同一点号有不同的坐标：{first_of(again, counted='处')}"
    return [Remark("point_number_repeated", text)]


def parts_by_position(rings: Sequence[Ring]) -> tuple[tuple[Ring, ...], ...]:
    """Return parts, each an outer ring followed by its holes, in the order of the file."""
    if len(rings) < 2 or any(len(r.xy) < 3 for r in rings):
        return tuple((ring,) for ring in rings)
    around, areas = _rings_around(rings)
    holes: dict[int, list[Ring]] = {i: [] for i, a in enumerate(around) if len(a) % 2 == 0}
    for i, outers in enumerate(around):
        if len(outers) % 2:
            # Rings that cross each other can contradict themselves; validity will name the place.
            owner = min((o for o in outers if o in holes), key=lambda o: areas[o], default=i)
            holes[owner] = [*holes.get(owner, []), *([rings[i]] if owner != i else [])]
    return tuple((rings[i], *inner) for i, inner in sorted(holes.items()))


def _rings_around(rings: Sequence[Ring]) -> tuple[list[list[int]], list[float]]:
    """Return for each ring the larger ones in which it lies, and the areas.

    Judged by a point well inside the ring: its vertices may all lie on the border of another ring
    although it fills a bay of that ring from outside.
    """
    polygons = np.array([shapely.Polygon(ring.xy) for ring in rings], dtype=object)
    shapely.prepare(polygons)
    bounds, areas = shapely.bounds(polygons), shapely.area(polygons)
    inner = shapely.get_coordinates(shapely.point_on_surface(polygons))
    around = []
    for i, (x, y) in enumerate(inner):
        low = (bounds[:, :2] <= bounds[i, :2]).all(axis=1)
        high = (bounds[:, 2:] >= bounds[i, 2:]).all(axis=1)
        larger = np.flatnonzero(low & high & (areas > areas[i]))
        inside = shapely.intersects_xy(polygons[larger], x, y)
        around.append([int(j) for j in larger[inside]])
    return around, areas.tolist()


def _ring(run: Sequence[PointLine]) -> Ring:
    lines = [p.line for p in run]
    xy = as_array([(p.east, p.north) for p in run])
    if len(xy) > 3 and is_same_point(run[0], run[-1]):
        xy[-1] = xy[0]
    return Ring(xy, lambda i: f"第 {lines[min(i, len(lines) - 1)]} 行")


def is_same_point(a: PointLine, b: PointLine) -> bool:
    """Whether two points of a list are one, but for the rounding of their decimals."""
    degrees = abs(a.east) <= 180 and abs(a.north) <= 180
    reach = _SAME_POINT_DEG if degrees else _SAME_POINT_M
    return abs(a.east - b.east) <= reach and abs(a.north - b.north) <= reach
