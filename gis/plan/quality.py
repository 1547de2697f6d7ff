"""Is the data of a plan package fit to decide with?

Reports faults per layer: unreadable, wrong coverage, overlaps, unknown class codes, centre lines
without half width, figures beyond their rounding. Changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gis.crs import ellipsoidal_area, ellipsoidal_areas
from gis.model import LayerState
from gis.plan.area import Plan
from gis.plan.catalogue import Layer
from gis.rulebook import land_classes

# Layers that divide their coverage without gap or overlap.
_PARTITIONS = {"district", "zone", "landuse", "planned_use"}
# Lines whose distance rules run to an edge.
_CENTRE_LINES = {"road", "railway", "power_line"}
_TOLERANCE_M2 = 10.0


@dataclass(frozen=True, slots=True)
class LayerQuality:
    """One row of the quality report; ``faults`` is empty when the layer is fit."""

    id: str
    title: str
    state: str
    features: int
    area_m2: float | None
    note: str
    faults: tuple[str, ...]


def quality(plan: Plan) -> tuple[LayerQuality, ...]:
    """Return one row per layer, in the order of the plan."""
    return tuple(_row(plan, layer) for layer in plan.layers.values())


def figure_faults(plan: Plan) -> tuple[str, ...]:
    """Return the stated figures that the geometry does not support."""
    return tuple(
        f"{f.title}：公布 {f.stated:g}，计算 {f.computed:.4f}（{f.reason}）"
        if f.computed is not None
        else f"{f.title}：{f.reason}"
        for f in plan.figures()
        if not f.agrees
    )


def _row(plan: Plan, layer: Layer) -> LayerQuality:
    usable = layer.state is LayerState.CHECKED
    polygon = usable and layer.info.geometry == "polygon"
    return LayerQuality(
        id=layer.info.id,
        title=layer.info.title,
        state=layer.state.value,
        features=len(layer.index),
        area_m2=plan.area_of(layer.info.id).ellipsoidal_m2 if polygon else None,
        note=layer.reason if usable else "",
        faults=tuple(_faults(plan, layer)) if usable else (layer.reason,),
    )


def _faults(plan: Plan, layer: Layer) -> Iterator[str]:
    if not len(layer.index):
        yield "没有要素"
        return
    if layer.info.role in _PARTITIONS:
        yield from _partition_faults(plan, layer)
    if layer.info.scheme and layer.info.edition:
        yield from _code_faults(layer)
    unknown = int(np.isnan(layer.index.half_widths).sum())
    if unknown and layer.info.role in _CENTRE_LINES:
        yield f"{unknown} 条中心线没有半宽，邻近地块只能得到“需核实”"
    yield from _place_faults(plan, layer)


def _place_faults(plan: Plan, layer: Layer) -> Iterator[str]:
    """Yield features far from the coverage: a sign of a wrong CRS, or of a wrong coverage."""
    coverage = plan.coverages[layer.info.id]
    if coverage is None:
        yield f"覆盖范围图层“{layer.info.coverage}”无数据，覆盖范围不明"
        return
    away = int((~shapely.intersects(layer.index.geometries, coverage)).sum())
    if away:
        yield f"{away} 个要素完全在覆盖范围之外"


def _partition_faults(plan: Plan, layer: Layer) -> Iterator[str]:
    coverage: Any = plan.coverages[layer.info.id]
    total = math.fsum(ellipsoidal_areas(layer.index.geometries, plan.work_epsg))
    union = plan.area_of(layer.info.id).ellipsoidal_m2
    if total - union > _TOLERANCE_M2:
        yield f"要素相互重叠 {total - union:.2f} m²"
    if coverage is None or layer.info.coverage == "bounds":
        return
    gap = ellipsoidal_area(coverage.difference(layer.index.union), plan.work_epsg)
    if gap > _TOLERANCE_M2:
        yield f"覆盖范围内有空白 {gap:.2f} m²"


def _code_faults(layer: Layer) -> Iterator[str]:
    classes = land_classes.scheme(str(layer.info.scheme), str(layer.info.edition))
    unknown = sorted({str(c) for c in layer.index.classes if not classes.exists(str(c))})
    if unknown:
        yield f"分类代码不在{layer.info.scheme}{layer.info.edition} 中：{'、'.join(unknown)}"
