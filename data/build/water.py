"""Rivers, canals, the lake, the reservoir and the ponds of the plan.

Lakes are drawn as sketches and grown or shrunk until their ellipsoidal area is the stated one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from frame import area, at, course, fact, facts, rng, street
from shapely import affinity
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapes import meander, merged, ribbon, smooth
from solve import solve


@dataclass(frozen=True)
class Water:
    """One water body: its water surface and the strip up to the outer foot of its dikes."""

    name: str
    kind: str
    surface: BaseGeometry
    dike: BaseGeometry
    axis: LineString | None = None


def rivers() -> list[Water]:
    """Return rivers and canals as ribbons around their swung courses."""
    out = []
    for item in facts()["river"]:
        line = LineString(meander(course(item["course"]), *item["meander"], rng(item["name"])))
        surface = _varied(line, item["width"], item["name"])
        dike = surface.buffer(item["dike"], join_style="mitre", mitre_limit=2).simplify(1.5)
        out.append(Water(item["name"], item["kind"], surface, dike, line))
    return out


def _varied(line: LineString, width: float, name: str) -> BaseGeometry:
    """Let a river breathe: its width changes by a sixth along the way, a canal's does not."""
    points = np.array(line.coords)
    tangent = np.gradient(points, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    run = np.arange(len(points)) / 9.0
    swell = 0.0 if width < 35 else 0.16
    sides = rng(name + "width").uniform(0, 6, 2)
    left = width / 2 * (1 + swell * np.sin(run + sides[0]))[:, None]
    right = width / 2 * (1 + swell * np.sin(0.8 * run + sides[1]))[:, None]
    ring = np.vstack([points + normal * left, (points - normal * right)[::-1]])
    shape = Polygon(ring)
    return shape if shape.is_valid else ribbon(line, width)


def lakes(causeway: BaseGeometry) -> list[Water]:
    """Return the two standing waters with exactly the stated area; roads on dams stay dry."""
    out = []
    for item in facts()["lake"]:
        to_xy = street if item["frame"] == "street" else at
        sketch = [Polygon(_closed([to_xy(*p) for p in ring])) for ring in item["rings"]]
        target = fact("areas", item["area"]) * 1e6

        def grown(t: float, sketch: list[Polygon] = sketch) -> BaseGeometry:
            return merged([shape.buffer(t) for shape in sketch]).simplify(0.5) - causeway

        t = solve(lambda t, f=grown, a=target: area(f(t)) - a, -120.0, 160.0, 0.5)
        surface = grown(t)
        out.append(Water(item["name"], item["kind"], surface, surface.buffer(28).simplify(2)))
    return out


def _closed(ring: list[tuple[float, float]]) -> np.ndarray:
    """Round a sketched shore; three extra points on each side close the curve smoothly."""
    points = np.array(ring)
    curve = smooth(np.vstack([points[-3:], points, points[:3]]), step=55.0)
    start = int(np.argmin(np.hypot(*(curve - points[0]).T)))
    stop = len(curve) - 1 - int(np.argmin(np.hypot(*(curve[::-1] - points[0]).T)))
    return curve[start:stop] if stop - start > 8 else points


def ponds() -> list[Water]:
    """Return the sedimentation basins: long, parallel, with dams between them."""
    item = facts()["ponds"]
    x, y = at(*item["anchor"])
    seed = rng("ponds")
    out = []
    for number, (left, low, width, height) in enumerate(item["basins"], start=1):
        skew = seed.uniform(-18, 18, 4)
        ring = [
            (left, low + skew[0]),
            (left + width, low + skew[1]),
            (left + width + skew[2], low + height + skew[3]),
            (left + skew[0], low + height + skew[2]),
        ]
        basin = affinity.translate(
            affinity.rotate(Polygon(ring), item["tilt_deg"], origin=(0, 0)), x, y
        )
        shape = basin.buffer(-24).buffer(20, quad_segs=3)
        out.append(Water(f"沉沙池{number}号", "坑塘", shape, shape.buffer(17, join_style="mitre")))
    return out


def all_water(causeway: BaseGeometry) -> list[Water]:
    """Return every water body, standing water first (it wins where two meet)."""
    return lakes(causeway) + ponds() + rivers()
