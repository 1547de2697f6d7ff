"""Which parts of a site are too thin to be meant? Slivers and spikes, named with their places.

Left over from overlays and digitising, they are valid and change next to nothing, but a surveyor
should know of them. They are measured in the work CRS and told in the words of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.intake.draft import Shape, ShapeKind
from gis.intake.drawing.geometry import Drawing
from gis.model import Remark

# The tolerances of a check (width and area) separate digitising noise from what is meant.
SLIVER_WIDTH_M = 0.1
SLIVER_AREA_M2 = 1.0
# A needle: both edges longer than a step of survey noise, and next to no angle between them.
_SPIKE_EDGE_M = 0.1
_SPIKE_ANGLE = np.radians(0.5)
_NAMED = 5


def sliver_warnings(shape: Shape, drawing: Drawing, work: BaseGeometry) -> tuple[Remark, ...]:
    """Return warnings for thin parts, thin holes and spikes of a valid drawing in the work CRS."""
    if shape.kind is not ShapeKind.AREA or drawing.faults:
        return ()
    parts: Any = getattr(work, "geoms", (work,))
    outlines = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    thin: list[str] = []
    spikes: list[str] = []
    for ring, line in zip(shape.rings, outlines, strict=True):
        area = work.area if len(outlines) == 1 else shapely.Polygon(line).area
        width = 2 * area / line.length
        if width < SLIVER_WIDTH_M and area < SLIVER_AREA_M2:
            thin.append(f"{ring.place(0)}起的环，{area:.3f} m²、宽约 {width:.3f} m")
        xy = shapely.get_coordinates(line)
        spikes += [f"（东 {x:.3f}，北 {y:.3f}）" for x, y in _spikes(xy)]
    return (
        *_remark("sliver", "个极窄的碎部", thin),
        *_remark("spike", "处尖刺（边线去而复返）", spikes),
    )


def _spikes(xy: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the tips at which the border turns back on itself."""
    points = xy[:-1]
    ahead = xy[1:] - points
    back = np.empty_like(ahead)
    back[1:], back[0] = -ahead[:-1], -ahead[-1]
    cross = back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0]
    along = back[:, 0] * ahead[:, 0] + back[:, 1] * ahead[:, 1]
    if not (np.abs(cross) < _SPIKE_ANGLE * 1.01 * along).any():  # of most outlines no angle is near
        return
    lengths = np.hypot(*back.T), np.hypot(*ahead.T)
    angle = np.abs(np.arctan2(cross, along))
    long = (lengths[0] > _SPIKE_EDGE_M) & (lengths[1] > _SPIKE_EDGE_M)
    yield from points[long & (angle < _SPIKE_ANGLE)]


def _remark(code: str, what: str, found: list[str]) -> tuple[Remark, ...]:
    if not found:
        return ()
    more = " 等" if len(found) > _NAMED else ""
    return (Remark(code, f"图形有 {len(found)} {what}：{'；'.join(found[:_NAMED])}{more}"),)
