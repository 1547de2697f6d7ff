"""Can this drawing be judged in reasonable time and memory?

Every cost that grows faster than the number of vertices is estimated before it is paid: edges that
lie over each other, corridors, borders that would be densified. It judges effort, never validity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.errors import LimitError
from gis.intake.draft import FloatArray, Shape, ShapeKind

# Longer borders would need gigabytes once densified for the ellipsoidal area.
MAX_PERIMETER_M = 5_000_000.0
MAX_CORRIDOR_VERTICES = 5_000
# Pairs of edges with overlapping boxes. Validity tests 1e8 in 2 s; buffer and repair also cut the
# edges at every crossing: 1,000 random vertices (1e5 pairs) take 6 s and 2 s.
_FREE_PAIRS = {ShapeKind.AREA: 5e7, ShapeKind.LINE: 2e4}
_FREE_PAIRS_OF_REPAIR = 1e5
# Counted with boxes as wide as the corridor: its sides overlap before they are joined.
_FREE_PAIRS_OF_CORRIDOR = 3e5


def check_perimeter(geometry: BaseGeometry) -> None:
    """Raise LimitError when the border is longer than any real site has."""
    if geometry.length > MAX_PERIMETER_M:
        raise LimitError(
            f"边界总长 {geometry.length / 1000:.0f} km",
            expected=f"不超过 {MAX_PERIMETER_M / 1000:.0f} km",
            advice="核对坐标或简化图形",
        )


def check_complexity(shape: Shape) -> None:
    """Raise LimitError when too many edges lie over each other for an answer in reasonable time."""
    _check_pairs([ring.xy for ring in shape.rings], _FREE_PAIRS[shape.kind])


def check_repair(geometry: BaseGeometry) -> None:
    """Raise LimitError when a repair would have to cut too many edges."""
    rings = shapely.get_rings(shapely.get_parts(geometry))
    _check_pairs([shapely.get_coordinates(ring) for ring in rings], _FREE_PAIRS_OF_REPAIR)


def check_corridor(line: BaseGeometry, *, width_m: float) -> None:
    """Raise LimitError for too many vertices, or sides that would overlap too often."""
    if shapely.get_num_coordinates(line) > MAX_CORRIDOR_VERTICES:
        raise LimitError(f"线路超过 {MAX_CORRIDOR_VERTICES} 个顶点", advice="简化线路或分段提交")
    parts = [shapely.get_coordinates(part) for part in shapely.get_parts(line)]
    _check_pairs(parts, _FREE_PAIRS_OF_CORRIDOR, margin_m=width_m)


def check_doubtful(outline: BaseGeometry, *, reach_m: float) -> None:
    """Raise LimitError when an outline in the work CRS is too winding to be grown and shrunk."""
    rings = shapely.get_rings(shapely.get_parts(outline))
    lines = [shapely.get_coordinates(ring) for ring in rings]
    _check_pairs(lines, _FREE_PAIRS_OF_CORRIDOR, margin_m=reach_m)


def _check_pairs(lines: Sequence[FloatArray], free_pairs: float, *, margin_m: float = 0.0) -> None:
    """Refuse lines with too many pairs of edges whose boxes overlap; all costs grow with these."""
    count = sum(len(xy) - 1 for xy in lines)
    limit = free_pairs + 5 * count
    if count * count / 2 >= limit and edge_pairs(lines, margin_m=margin_m) > limit:
        raise LimitError(
            f"图形过于复杂（{count} 条边大量相互重叠或过近）",
            advice="检查坐标顺序，简化图形后再提交",
        )


def edge_pairs(lines: Sequence[FloatArray], *, margin_m: float = 0.0) -> float:
    """Return about how many pairs of edges have overlapping boxes.

    A real outline has about as many pairs as edges, random vertices a fifth of n². Estimated from
    200 edges, so that the test itself stays cheap. ``margin_m`` widens the boxes.
    """
    edges = np.concatenate([np.hstack([xy[:-1], xy[1:]]) for xy in lines])
    count = len(edges)
    west, east = np.sort(edges[:, [0, 2]], axis=1).T.copy()
    south, north = np.sort(edges[:, [1, 3]], axis=1).T.copy()
    picked = np.random.default_rng(count).choice(count, size=min(200, count), replace=False)
    west, south = west - margin_m, south - margin_m
    overlaps = 0
    for i in picked:
        beside = (west <= east[i]) & (east >= west[i])
        overlaps += int((beside & (south <= north[i]) & (north >= south[i])).sum()) - 1
    return overlaps / max(len(picked), 1) * count / 2
