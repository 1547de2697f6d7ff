"""Is every feature of a layer drawn soundly?

Missing, wrong and invalid geometries with place and reason, the same outline twice, features too
narrow to be land, lines of no length. Relations between features are looked at elsewhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.plan.quality.findings import ERROR, NOTE, WARNING, Finding, collected, listed
from gis.plan.quality.layer_data import (
    CENTRE_LINES,
    DIMENSION,
    PARTITIONS,
    LayerData,
    Surroundings,
)
from gis.plan.quality.thresholds import SLIVER_WIDTH_M
from gis.rulebook.schema import MinDistance

_LABELS = {"point": "点", "line": "线", "polygon": "面"}
_REASONS = {
    "Self-intersection": "边线自相交",
    "Ring Self-intersection": "边线在一点上与自身相接",
    "Hole lies outside shell": "洞位于外环之外",
    "Holes are nested": "洞中套洞",
    "Nested shells": "一个面落在另一个面之内",
    "Interior is disconnected": "洞把面切成互不相连的部分",
    "Duplicate Rings": "两个环重复",
    "Too few points in geometry component": "点数不足",
    "Invalid Coordinate": "坐标不是数",
}
_PLACE = re.compile(r"(.*?)\[(\S+) (\S+?)\]")


def missing_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield the features without geometry, and those that are no point, line or polygon."""
    gone = shapely.is_missing(data.shapes) | shapely.is_empty(data.shapes)
    rows = np.flatnonzero(gone)
    if len(rows):
        advice = "补充图形，或删除这些要素；没有图形的要素在图上看不见，但可能确有其地"
        yield data.about("geometry_missing", ERROR, rows, "个要素没有图形", advice=advice)
    dimension = shapely.get_dimensions(data.shapes)
    rows = np.flatnonzero(~gone & (dimension != DIMENSION[data.entry.geometry]))
    if len(rows):
        wanted = _LABELS[data.entry.geometry]
        yield data.about(
            "geometry_dimension",
            ERROR,
            rows,
            f"个要素不是{wanted}",
            advice=f"改为{wanted}，或移到另一图层",
            location=None if data.placed is None else collected(list(data.placed[rows])),
        )


def validity_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield each invalid geometry, with the reason and the places of it."""
    shapes = data.shapes if data.placed is None else data.placed
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if data.entry.geometry == "line":
        invalid &= shapely.length(shapes) > 0
    for row in np.flatnonzero(invalid):
        found = _PLACE.match(str(shapely.is_valid_reason(shapes[row])))
        reason = _REASONS.get(found[1] if found else "", "图形不符合规则")
        yield Finding(
            data.id,
            "geometry_invalid",
            ERROR,
            f"要素 {data.ids[row]} 图形无效：{reason}",
            feature_ids=data.names_of([int(row)]),
            location=None if data.placed is None else collected(_places(shapes[row], found)),
            advice="在所示位置改正边线",
        )


def _places(shape: BaseGeometry, found: re.Match[str] | None) -> list[BaseGeometry]:
    """Return where a geometry is invalid; of edges that cross the engine names only the first."""
    if found is None:
        return []
    named = shapely.Point(float(found[2]), float(found[3]))
    if found[1] != "Self-intersection":
        return [named]
    nodes = map(tuple, shapely.get_coordinates(shapely.node(shapely.boundary(shape))).tolist())
    vertices = map(tuple, shapely.get_coordinates(shape).tolist())
    return [named, *(shapely.Point(xy) for xy in sorted(set(nodes) - set(vertices)))]


def duplicate_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield groups of features with the very same geometry.

    Where features may lie over each other and differ in class, it is only to be known.
    """
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row, key in zip(
        data.rows, shapely.to_wkb(shapely.normalize(data.solid[data.rows])), strict=True
    ):
        groups[key].append(int(row))
    for rows in groups.values():
        if len(rows) > 1:
            yield _duplicate(data, rows)


def _duplicate(data: LayerData, rows: Sequence[int]) -> Finding:
    ids = data.names_of(rows)
    classes = data.column(data.entry.fields.cls)
    same = classes is None or len({str(classes[row]) for row in rows}) == 1
    may_differ = not same and data.entry.role not in PARTITIONS
    severity = NOTE if may_differ else ERROR if data.entry.role in PARTITIONS else WARNING
    shape = data.solid[rows[0]]
    value, unit = {
        "polygon": (float(data.areas[rows[0]]), "m2"),
        "line": (float(shape.length), "m"),
        "point": (float(len(rows)), "count"),
    }[data.entry.geometry]
    return Finding(
        data.id,
        "geometry_duplicate",
        severity,
        f"{len(rows)} 个要素图形完全相同：{listed(ids)}",
        feature_ids=ids,
        value=value,
        unit=unit,
        location=collected([shape]),
        advice="核实后删除多余的要素",
    )


def sliver_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield polygons whose mean width is below that of any land."""
    for row in np.flatnonzero(data.widths < SLIVER_WIDTH_M):
        yield Finding(
            data.id,
            "sliver_feature",
            WARNING,
            f"要素 {data.ids[row]} 平均宽度只有 {data.widths[row]:.3f} m",
            feature_ids=data.names_of([int(row)]),
            value=float(data.areas[row]),
            unit="m2",
            location=collected([data.solid[row]]),
            advice="并入相邻要素，或删除",
        )


def length_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield lines without length."""
    if data.entry.geometry != "line":
        return
    there = shapely.get_dimensions(data.shapes) == DIMENSION["line"]
    empty = shapely.is_empty(data.shapes)
    rows = np.flatnonzero(there & ~empty & (shapely.length(data.shapes) == 0))
    if len(rows):
        location = None
        if data.placed is not None:
            starts = [shapely.get_coordinates(data.placed[row])[0] for row in rows]
            location = collected([shapely.Point(start) for start in starts])
        text, advice = "条线的长度为零", "补画线，或删除"
        yield data.about("zero_length", ERROR, rows, text, advice=advice, location=location)


def half_width_findings(data: LayerData, around: Surroundings) -> Iterator[Finding]:
    """Yield centre lines whose half width is not known, so that no distance to them is.

    Where no rule measures a distance to them, it is only to be known.
    """
    if data.entry.role not in CENTRE_LINES or data.entry.geometry != "line":
        return
    field = data.entry.fields.half_width
    column = data.column(field)
    values = [None] * len(data) if column is None else column
    rows = np.flatnonzero([not _is_positive(value) for value in values])
    if len(rows):
        is_measured = any(
            data.id in rule.layers and isinstance(rule.params, MinDistance)
            for rule in around.rulebook.rules
        )
        yield data.about(
            "half_width_missing",
            WARNING if is_measured else NOTE,
            rows,
            "条中心线没有半宽" + ("，邻近地块只能得到“需核实”" if is_measured else ""),
            advice="在半宽字段中填写中心线到用地边线的距离（米）",
            field=field,
        )


def _is_positive(value: object) -> bool:
    try:
        number = float(str(value))
    except ValueError:
        return False
    return bool(np.isfinite(number) and number > 0)
