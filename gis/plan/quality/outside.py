"""Which features lie outside the area that their layer says it covers?

Polygons are measured by area, lines by length, points counted; each part is located. A feature
outside may be meant so, and its coverage be drawn too small: that is for people to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.crop import Crops
from gis.plan.quality.findings import WARNING, Finding, collected
from gis.plan.quality.layer_data import LayerData, Surroundings
from gis.plan.quality.pieces import ADVICE, Piece, sorted_out, told
from gis.plan.quality.thresholds import NUMERIC_M, OUTSIDE_DEPTH_M

# A feature counts as wholly outside when no more than its rounding is inside.
_WHOLE = 0.999999


def outside_findings(data: LayerData, around: Surroundings) -> Iterator[Finding]:
    """Yield the features that lie, wholly or partly, outside the coverage of their layer."""
    coverage = around.coverages[data.id]
    if coverage is None:
        yield Finding(
            data.id,
            "coverage_unknown",
            WARNING,
            f"覆盖范围图层“{data.entry.coverage}”无数据，覆盖范围不明",
            advice="补充该图层；在此之前，没有要素的地方不能认为不涉及",
        )
        return
    if not len(data.rows):
        return
    found = _areas_outside if data.entry.geometry == "polygon" else _others_outside
    beside = around.shown_by(data)
    for finding in found(data, coverage):
        yield replace(finding, beside=beside)


def _not_covered(data: LayerData, coverage: BaseGeometry) -> list[tuple[int, BaseGeometry]]:
    """Return the features that the coverage does not hold, with the part of it around each."""
    # A copy: others may be using the coverage, and a prepared geometry must not be shared.
    whole = shapely.normalize(coverage)
    shapely.prepare(whole)
    rows = data.rows[~shapely.covers(whole, data.solid[data.rows])]
    crops = Crops(coverage)
    return [(int(row), crops.around(data.solid[row])) for row in rows]


def _areas_outside(data: LayerData, coverage: BaseGeometry) -> Iterator[Finding]:
    parts = [
        ((row,), shapely.difference(data.solid[row], crop))
        for row, crop in _not_covered(data, coverage)
    ]
    pieces, rounding = sorted_out(data, parts)
    yield from told(data, pieces, "outside", _outside_text)
    yield from rounding


def _outside_text(data: LayerData, piece: Piece) -> str:
    row = piece.rows[0]
    part = "全部" if piece.area_m2 >= _WHOLE * data.areas[row] else "部分"
    return f"要素 {data.ids[row]} {part}在覆盖范围之外，{piece.area_m2:,.2f} m²"


def _others_outside(data: LayerData, coverage: BaseGeometry) -> Iterator[Finding]:
    """Yield lines by their length outside, points by themselves.

    What runs along the edge of the coverage and only crosses it by rounding is not outside.
    """
    is_line = data.entry.geometry == "line"
    for row, crop in _not_covered(data, coverage):
        near = shapely.buffer(crop, OUTSIDE_DEPTH_M)
        parts = shapely.get_parts(shapely.difference(data.solid[row], crop))
        parts = parts[~shapely.covers(near, parts)]
        if is_line:
            parts = parts[shapely.length(parts) > NUMERIC_M]
        if not len(parts):
            continue
        length = float(shapely.length(parts).sum())
        size = f"，{length:,.2f} m" if is_line else ""
        whole = not is_line or length >= _WHOLE * float(data.solid[row].length)
        yield Finding(
            data.id,
            "outside_coverage",
            WARNING,
            f"要素 {data.ids[row]} {'全部' if whole else '部分'}在覆盖范围之外{size}",
            feature_ids=data.names_of([row]),
            value=length if is_line else float(len(parts)),
            unit="m" if is_line else "count",
            location=collected(list(parts)),
            advice=ADVICE["outside"],
        )
