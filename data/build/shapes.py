"""Drawing tools: smooth courses, jogged borders, oriented cuts, stepped outlines.

Everything here turns a coarse sketch into a line or polygon that looks surveyed. Inputs are not
changed; randomness comes only from the generator that is passed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import split as cut_at


def smooth(points: np.ndarray, step: float = 60.0) -> np.ndarray:
    """Return a centripetal Catmull-Rom curve through the points, one vertex per ``step`` metres."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    out = [points[:1]]
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        count = max(2, int(np.hypot(*(p2 - p1)) / step))
        out.append(_span(p0, p1, p2, p3, count))
    return np.vstack(out)


def _span(p0: np.ndarray, p1: np.ndarray, p2: np.ndarray, p3: np.ndarray, count: int) -> np.ndarray:
    knots = np.cumsum([0.0, *(math.sqrt(np.hypot(*d)) for d in (p1 - p0, p2 - p1, p3 - p2))])
    t0, t1, t2, t3 = knots
    t = np.linspace(t1, t2, count + 1)[1:, None]
    a1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
    a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
    a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
    b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
    b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
    return (t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2


def meander(
    points: np.ndarray, amplitude: float, wavelength: float, seed: np.random.Generator
) -> np.ndarray:
    """Swing a smooth course from side to side, as a lowland river does, still near its points."""
    line = smooth(points)
    if amplitude == 0:
        return line
    steps = np.hypot(*np.diff(line, axis=0).T)
    run = np.concatenate([[0.0], np.cumsum(steps)])
    tangent = np.gradient(line, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    phase = 2 * np.pi * run / wavelength + seed.uniform(0, 6)
    swing = np.sin(phase + 0.6 * np.sin(run / (1.7 * wavelength) + seed.uniform(0, 6)))
    swing *= 0.65 + 0.35 * np.sin(run / (2.3 * wavelength) + seed.uniform(0, 6))
    return line + normal * (amplitude * swing)[:, None]


def jog(points: np.ndarray, seed: np.random.Generator, reach: float = 420.0) -> np.ndarray:
    """Give a sketched border the right-angled steps of one that follows field edges.

    Near its two ends a border stays on the sketch, so that three borders meeting there part
    cleanly.
    """
    out = [points[0]]
    for start, end in pairwise(points):
        length = float(np.hypot(*(end - start)))
        along = (end - start) / length
        across = np.array([-along[1], along[0]])
        count = max(1, round(length / reach))
        marks = np.sort((np.arange(1, count) + seed.uniform(-0.3, 0.3, count - 1)) / count)
        offset = 0.0
        for mark in marks:
            here = start + mark * (end - start)
            room = min(np.hypot(*(here - points[0])), np.hypot(*(here - points[-1])))
            new = float(seed.choice([-1, 1]) * seed.uniform(25, 0.3 * reach))
            new = new if room > 500 else 0.0
            out += [here + across * offset, here + across * new + along * seed.normal(0, 9)]
            offset = new
        if offset:
            out.append(end - along * seed.uniform(40, 90) + across * offset)
        out.append(end)
    return np.array(out)


def cut(polygon: Polygon, angle: float, seed: np.random.Generator, ratio: float) -> LineString:
    """Return the line that cuts a polygon across its longer side, in the given direction.

    ``angle`` (degrees) is the direction of the field pattern; ``ratio`` the place of the cut.
    """
    flat = affinity.rotate(polygon, -angle, origin=(0, 0))
    x0, y0, x1, y1 = flat.bounds
    lean = seed.normal(0, 0.008)
    if x1 - x0 >= y1 - y0:
        x, half = x0 + ratio * (x1 - x0), lean * (y1 - y0) / 2
        line = LineString([(x - half, y0 - 5), (x + half, y1 + 5)])
    else:
        y, half = y0 + ratio * (y1 - y0), lean * (x1 - x0) / 2
        line = LineString([(x0 - 5, y - half), (x1 + 5, y + half)])
    return affinity.rotate(line, angle, origin=(0, 0))


def pieces(polygon: Polygon, line: LineString) -> list[Polygon]:
    """Return the parts of a polygon on both sides of a line, in a fixed order."""
    parts = [part for part in cut_at(polygon, line).geoms if part.area > 1.0]
    return sorted(parts, key=lambda part: part.bounds)


def strips(
    polygon: Polygon, angle: float, width: tuple[float, float], seed: np.random.Generator
) -> list[Polygon]:
    """Slice a polygon into long parallel strips, as the plots of one irrigation unit lie."""
    flat = affinity.rotate(polygon, -angle, origin=(0, 0))
    x0, y0, x1, y1 = flat.bounds
    wide = x1 - x0 >= y1 - y0
    low, high = (x0, x1) if wide else (y0, y1)
    count = max(1, round((high - low) / seed.uniform(*width)))
    rest, out = [flat], []
    for k in range(1, count):
        place = low + (high - low) * (k + seed.uniform(-0.16, 0.16)) / count
        lean = seed.normal(0, 0.006) * (y1 - y0 if wide else x1 - x0)
        ends = (
            [(place - lean, y0 - 5), (place + lean, y1 + 5)]
            if wide
            else [(x0 - 5, place - lean), (x1 + 5, place + lean)]
        )
        line, axis, kept = LineString(ends), 0 if wide else 1, []
        for part in rest:
            for half in pieces(part, line):
                (out if half.centroid.coords[0][axis] < place else kept).append(half)
        rest = kept
    return [affinity.rotate(part, angle, origin=(0, 0)) for part in out + rest]


def stepped(
    centre: tuple[float, float],
    radius: tuple[float, float],
    angle: float,
    seed: np.random.Generator,
    cell: tuple[float, float] = (48.0, 62.0),
) -> Polygon:
    """Return a compact outline made of yard-sized cells: a village of the plain.

    An ellipse with a wavy radius decides which cells belong to it; the union has straight edges
    and right-angled corners, no holes.
    """
    waves = seed.normal(0, 0.13, 4)
    phases = seed.uniform(0, 2 * np.pi, 4)
    boxes = []
    for i in range(-14, 15):
        for j in range(-14, 15):
            x, y = (i + 0.5) * cell[0], (j + 0.5) * cell[1]
            theta = math.atan2(y / radius[1], x / radius[0])
            reach = 1 + sum(
                w * math.sin((k + 2) * theta + p)
                for k, (w, p) in enumerate(zip(waves, phases, strict=True))
            )
            if math.hypot(x / radius[0], y / radius[1]) < reach:
                boxes.append(
                    shapely.box(x - cell[0] / 2, y - cell[1] / 2, x + cell[0] / 2, y + cell[1] / 2)
                )
    return _placed(largest(shapely.union_all(boxes)), centre, angle)


def _placed(shape: Polygon, centre: tuple[float, float], angle: float) -> Polygon:
    solid = Polygon(shape.exterior).simplify(0.01)
    return affinity.translate(affinity.rotate(solid, angle, origin=(0, 0)), *centre)


def parts(geometry: BaseGeometry) -> list[Polygon]:
    """Return the polygons inside any geometry, ordered by place."""
    found = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    for part in shapely.get_parts(geometry):
        if part.geom_type == "MultiPolygon":
            found += list(part.geoms)
    return sorted((part for part in found if part.area > 0.5), key=lambda part: part.bounds)


def largest(geometry: BaseGeometry) -> Polygon:
    """Return the biggest polygon of a geometry."""
    return max(parts(geometry), key=lambda part: part.area)


def long_angle(polygon: Polygon) -> float:
    """Return the direction of a polygon's longer side, folded into [-45, 45) degrees."""
    ring = polygon.minimum_rotated_rectangle.exterior.coords
    edge = max(pairwise(ring), key=lambda e: math.dist(*e))
    angle = math.degrees(math.atan2(edge[1][1] - edge[0][1], edge[1][0] - edge[0][0]))
    return (angle + 45) % 90 - 45


def ribbon(line: LineString | np.ndarray, width: float, *, mitre: bool = True) -> BaseGeometry:
    """Return a strip of ``width`` metres centred on a line, flat ends."""
    path = line if isinstance(line, LineString) else LineString(line)
    return path.buffer(
        width / 2, cap_style="flat", join_style="mitre" if mitre else "round", quad_segs=3
    )


def merged(geometries: Sequence[BaseGeometry]) -> BaseGeometry:
    """Union that never meets an empty list."""
    return shapely.union_all(list(geometries)) if len(geometries) else MultiPolygon()
