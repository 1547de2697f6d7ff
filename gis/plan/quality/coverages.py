"""Where do the features of a layer overlap, and where is land without a feature?

Layers that divide an area (districts, zones, land use) must cover it once. Each gap and each
overlap is measured on the ellipsoid and located. Only features whose edges do not fit their
neighbours' are paired, so that a county takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array
from gis.plan.quality.findings import NOTE, WARNING, Finding, collected
from gis.plan.quality.layer_data import PARTITIONS, LayerData, Surroundings
from gis.plan.quality.pieces import Piece, polygons, sorted_out, told

# Layers in which land counted twice spoils a sum; in others an overlap is only to be known.
_LAND = frozenset({"farmland", "redline", "dev_boundary", "water", "built_up"})


# --- overlaps ------------------------------------------------------------------------------------


def overlap_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield each pair of polygons that claims the same land."""
    if data.entry.geometry != "polygon" or not len(data.rows):
        return
    first, second = _pairs(data)
    shapes = shapely.intersection(data.solid[first], data.solid[second])
    pieces, rounding = sorted_out(
        data, [((int(a), int(b)), s) for a, b, s in zip(first, second, shapes, strict=True)]
    )
    if data.entry.role in PARTITIONS:
        yield from told(data, pieces, "overlap", _overlap_text)
    elif pieces:
        yield _overlaps_together(data, pieces)
    if data.entry.role in PARTITIONS:
        yield from rounding


def _pairs(data: LayerData) -> tuple[Array, Array]:
    """Return the positions of the pairs that may overlap; equal outlines are told elsewhere."""
    rows = data.rows
    loose = rows[~data.is_tidy[rows]]
    tree = shapely.STRtree(data.solid[rows])
    found = tree.query(data.solid[loose], predicate="intersects")
    first, second = loose[found[0]], rows[found[1]]
    pairs = np.unique(np.sort(np.column_stack([first, second]), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    one, other = data.solid[pairs[:, 0]], data.solid[pairs[:, 1]]
    different = ~shapely.equals_exact(shapely.normalize(one), shapely.normalize(other), 0.0)
    return pairs[different, 0], pairs[different, 1]


def _overlap_text(data: LayerData, piece: Piece) -> str:
    one, other = data.names_of(piece.rows)
    return f"要素 {one} 与 {other} 重叠 {piece.area_m2:,.2f} m²"


def _overlaps_together(data: LayerData, pieces: Sequence[Piece]) -> Finding:
    total = math.fsum(piece.area_m2 for piece in pieces)
    rows = sorted({row for piece in pieces for row in piece.rows})
    counts_land = data.entry.role in _LAND and any(not piece.is_sliver for piece in pieces)
    return Finding(
        data.id,
        "overlap",
        WARNING if counts_land else NOTE,
        f"要素相互重叠 {len(pieces)} 处，合计 {total:,.2f} m²；检测时重叠部分只计一次",
        feature_ids=data.names_of(rows),
        value=total,
        unit="m2",
        location=collected([piece.shape for piece in pieces]),
        advice="按要素面积相加会重复计算；核实重叠是否有意",
    )


# --- gaps ----------------------------------------------------------------------------------------


def gap_findings(data: LayerData, around: Surroundings) -> Iterator[Finding]:
    """Yield each part of the coverage of a dividing layer without a feature.

    Where the coverage is the bounds of the plan, only land that features enclose is a gap.
    """
    if data.entry.role not in PARTITIONS or not len(data.rows):
        return
    coverage = around.coverages[data.id]
    if coverage is None:
        return
    if data.entry.coverage == "bounds":
        coverage = _enclosed(data.union)
    tree = shapely.STRtree(data.solid[data.rows])
    parts = polygons(shapely.difference(coverage, data.union))
    touching = [data.rows[np.sort(tree.query(part, predicate="intersects"))] for part in parts]
    pieces, rounding = sorted_out(
        data,
        [(tuple(map(int, rows)), part) for rows, part in zip(touching, parts, strict=True)],
    )
    beside = around.shown_by(data)
    for finding in (*told(data, pieces, "gap", _gap_text), *rounding):
        yield replace(finding, beside=beside)


def _enclosed(union: BaseGeometry) -> BaseGeometry:
    """Return the land inside the holes of a union; other features may lie in them."""
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(union) for ring in part.interiors]
    return shapely.union_all(holes)


def _gap_text(data: LayerData, piece: Piece) -> str:
    names = data.names_of(piece.rows)
    between = f"（相邻要素 {'、'.join(names[:4])}）" if names else ""
    return f"覆盖范围内有空白 {piece.area_m2:,.2f} m²{between}"
