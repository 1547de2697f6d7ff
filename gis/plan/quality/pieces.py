"""Which pieces of an overlay are land, which are slivers, and which come from rounding?

Gaps, overlaps and parts outside are sorted out and told alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_areas
from gis.engine.index import Array
from gis.plan.quality.findings import ERROR, NOTE, WARNING, Finding, collected
from gis.plan.quality.layer_data import LayerData, mean_widths
from gis.plan.quality.thresholds import (
    NUMERIC_M2,
    ROUNDING_WIDTH_M,
    SLIVER_AREA_M2,
    SLIVER_WIDTH_M,
)

ADVICE = {
    "gap": "补画缺失的要素，或使相邻要素的边线重合；确无要素的，核对 plan.toml 中的 coverage",
    "overlap": "使相邻要素的边线重合，一处土地只归一个要素",
    "outside": "核对要素位置；确在范围之外的，核对 plan.toml 中的 coverage",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A gap, an overlap, or a part outside, with the positions of the features it belongs to."""

    shape: BaseGeometry
    rows: tuple[int, ...]
    area_m2: float
    width_m: float
    is_sliver: bool


Candidate = tuple[tuple[int, ...], BaseGeometry]


def polygons(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the polygons of the result of an overlay, without points and lines of contact."""
    parts = shapely.get_parts(shape)
    return [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]


def sorted_out(
    data: LayerData, candidates: Sequence[Candidate]
) -> tuple[list[Piece], tuple[Finding, ...]]:
    """Return the pieces worth telling, and a note on those that come from rounded coordinates.

    A piece is a sliver when no part of it is both wide enough and large enough to be land.

    Parameters
    ----------
    data
        The layer that the pieces belong to.
    candidates
        Positions of features, and what an overlay of them gave, in the work CRS.
    """
    split = [polygons(shape) for _, shape in candidates]
    parts = np.array([part for group in split for part in group], dtype=object)
    if not len(parts):
        return [], ()
    planar, areas = np.asarray(shapely.area(parts)), ellipsoidal_areas(parts, data.work_epsg)
    parts = _without_needles(parts)
    widths = mean_widths(parts)
    thin = (widths < ROUNDING_WIDTH_M) | (planar < NUMERIC_M2)
    land = (widths >= SLIVER_WIDTH_M) & (planar >= SLIVER_AREA_M2)
    pieces: list[Piece] = []
    ends = np.cumsum([len(group) for group in split])
    for (rows, _), group, end in zip(candidates, split, ends, strict=True):
        own = np.arange(end - len(group), end)
        own = own[~thin[own]]
        if len(own):
            shape: Any = collected(list(parts[own]))
            width = float(widths[own].max())
            pieces.append(Piece(shape, rows, math.fsum(areas[own]), width, not land[own].any()))
    return pieces, tuple(_rounding(data, parts, areas, thin & (planar >= NUMERIC_M2)))


def _without_needles(parts: Array) -> Array:
    """Cut off what is narrower than rounding; a part that is so as a whole stays as it is.

    A vertex that a neighbour has not, rounded, drags a needle along the edge to the next one: that
    would make a square look like a sliver, and lie far from where it is.
    """
    reach = ROUNDING_WIDTH_M / 4
    core = shapely.buffer(parts, -reach, join_style="mitre")
    opened = shapely.buffer(core, reach, join_style="mitre")
    return np.where(shapely.is_empty(opened), parts, opened)


def _rounding(
    data: LayerData, parts: Array, areas: Array, chosen: npt.NDArray[np.bool_]
) -> Iterator[Finding]:
    if chosen.any():
        total = float(math.fsum(areas[chosen]))
        yield Finding(
            data.id,
            "rounding",
            NOTE,
            f"{int(chosen.sum())} 处宽度不足 {ROUNDING_WIDTH_M * 1000:g} mm 的细缝，"
            f"合计 {total:,.3f} m²，由坐标取整产生",
            value=total,
            unit="m2",
            location=collected(list(parts[chosen])),
            advice="不影响结果；在相邻要素上补同一顶点可以消除",
        )


def told(
    data: LayerData,
    pieces: Sequence[Piece],
    what: str,
    text: Callable[[LayerData, Piece], str],
) -> Iterator[Finding]:
    """Yield each piece as a finding.

    ``what`` is ``gap``, ``overlap`` or ``outside``; ``text`` says it of one piece.
    """
    for piece in pieces:
        # Land outside may be meant so; land without a feature, or with two, cannot be.
        is_grave = what != "outside" and not piece.is_sliver
        large = "outside_coverage" if what == "outside" else what
        width = f"，平均宽度 {piece.width_m:.3f} m" if piece.is_sliver else ""
        yield Finding(
            data.id,
            f"{what}_sliver" if piece.is_sliver else large,
            ERROR if is_grave else WARNING,
            text(data, piece) + width,
            feature_ids=data.names_of(piece.rows),
            value=piece.area_m2,
            unit="m2",
            location=piece.shape,
            advice=ADVICE[what],
        )
