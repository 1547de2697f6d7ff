"""Is the data of a plan package fit to decide with?

Runs every check over every layer: first where each layer belongs, then what is wrong inside it. A
check that fails says so and stops no other. Nothing of the plan is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from shapely.geometry.base import BaseGeometry

from gis.errors import WuquError
from gis.model import LayerState
from gis.plan.area import Plan
from gis.plan.quality import (
    attributes,
    coverages,
    encodings,
    files,
    outside,
    positions,
    shapes,
    shifts,
    stated_areas,
)
from gis.plan.quality.findings import (
    ERROR,
    NOTE,
    WARNING,
    Finding,
    Severity,
    in_order,
    in_short,
    without_places,
)
from gis.plan.quality.layer_data import LayerData, Surroundings
from gis.plan.quality.raw import read_raw
from gis.plan.sources.postgis import databases_of

Check = Callable[[LayerData, Surroundings], Iterator[Finding]]
# What people call each check, for the case that it cannot be done.
CHECKS: Mapping[str, Check] = {
    "文件": files.file_findings,
    "文字编码": encodings.encoding_findings,
    "乱码": encodings.garbled_findings,
    "缺失图形": shapes.missing_findings,
    "图形有效性": shapes.validity_findings,
    "重复图形": shapes.duplicate_findings,
    "狭长要素": shapes.sliver_findings,
    "线的长度": shapes.length_findings,
    "半宽": shapes.half_width_findings,
    "字段": attributes.field_findings,
    "编号": attributes.id_findings,
    "空值": attributes.blank_findings,
    "分类代码": attributes.code_findings,
    "分类与规则": attributes.rule_findings,
    "面积字段": stated_areas.area_findings,
    "重叠": coverages.overlap_findings,
    "空白": coverages.gap_findings,
    "覆盖范围": outside.outside_findings,
}


@dataclass(frozen=True, slots=True)
class LayerQuality:
    """One row of the report.

    ``faults`` sums up the errors and warnings, one text per kind, and is empty when the layer is
    fit. ``area_m2`` counts overlapping land once; ``counted_twice_m2`` is what the sum of the
    features has more. Both are None unless the layer is a polygon layer in use.
    """

    id: str
    title: str
    state: str
    features: int
    area_m2: float | None
    note: str
    faults: tuple[str, ...]
    errors: int = 0
    warnings: int = 0
    notes: int = 0
    counted_twice_m2: float | None = None


@dataclass(frozen=True, slots=True)
class PlanQuality:
    """The layers of a plan, every finding about them, and the figures that do not agree."""

    layers: tuple[LayerQuality, ...]
    figures: tuple[str, ...]
    findings: tuple[Finding, ...]
    work_epsg: int

    @property
    def has_faults(self) -> bool:
        """Whether anything but notes was found."""
        return bool(self.figures) or any(f.severity is not NOTE for f in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "layers": [asdict(row) for row in self.layers],
            "figures": list(self.figures),
            "findings": [finding.to_dict(self.work_epsg) for finding in self.findings],
        }


def check_plan(plan: Plan, *, ceiling: str = "public") -> PlanQuality:
    """Return what is wrong with the layers of a plan package.

    Parameters
    ----------
    plan
        An opened plan package; layers that it could not use are looked at in their files.
    ceiling
        Layers above this level of secrecy (``public``, ``internal``, ``restricted``) are checked
        like the others, but their findings have no location.

    Raises
    ------
    ValueError
        The ceiling is no level.
    """
    data, found = placed_layers(plan)
    around = Surroundings(_coverages(plan, data), plan.rulebook)
    for layer in data.values():
        found += _checked(layer, around)
    secrecy = {entry.id: entry.secrecy for entry in plan.file.layer}
    findings = in_order(without_places(found, secrecy, ceiling), list(plan.layers))
    by_layer = {name: tuple(own) for name, own in groupby(findings, key=lambda f: f.layer)}
    rows = tuple(_row(layer, by_layer.get(layer.id, ())) for layer in data.values())
    return PlanQuality(rows, figure_faults(plan), in_short(findings), plan.work_epsg)


def quality(plan: Plan) -> tuple[LayerQuality, ...]:
    """Return one row per layer, in the order of the plan."""
    return check_plan(plan).layers


def figure_faults(plan: Plan) -> tuple[str, ...]:
    """Return the stated figures that the geometry does not support."""
    try:
        figures = plan.figures()
    except WuquError as problem:
        return (f"公布指标无法计算：{problem.detail}",)
    return tuple(
        f"{f.title}：公布 {f.stated:g}，计算 {f.computed:.4f}（{f.reason}）"
        if f.computed is not None
        else f"{f.title}：{f.reason}"
        for f in figures
        if not f.agrees
    )


def placed_layers(plan: Plan) -> tuple[dict[str, LayerData], list[Finding]]:
    """Return every layer where it belongs, and what is wrong with where it lies."""
    found: list[Finding] = []
    data: dict[str, LayerData] = {}
    with databases_of(plan.file) as databases:
        for entry in plan.file.layer:
            layer = read_raw(entry, plan.layers[entry.id], plan.work_epsg, databases)
            try:
                layer, about = positions.located(layer, plan.crs_policy)
                found += about
            except Exception as problem:
                found.append(_not_done(layer, "坐标系", problem))
            data[entry.id] = layer
    try:
        data, about = shifts.unshift(data, plan.work_epsg)
        found += about
    except Exception as problem:
        found += [_not_done(layer, "整体偏移", problem) for layer in data.values()]
    return data, found


def _coverages(plan: Plan, data: Mapping[str, LayerData]) -> dict[str, BaseGeometry | None]:
    """Return per layer the polygon it should cover, taken from the layers where they belong."""
    unions: dict[str, BaseGeometry | None] = {"bounds": plan.bounds_polygon}
    for name in {entry.coverage for entry in plan.file.layer} - {"bounds"}:
        layer = data[name]
        is_known = layer.entry.geometry == "polygon" and len(layer.rows) > 0
        unions[name] = layer.union if is_known else None
    return {entry.id: unions[entry.coverage] for entry in plan.file.layer}


def _checked(data: LayerData, around: Surroundings) -> list[Finding]:
    """Return what all checks find in one layer; a check that fails is a finding itself."""
    found: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            found += check(data, around)
        except Exception as problem:
            # Whatever a damaged layer makes a library raise, the other checks go on.
            found.append(_not_done(data, name, problem))
    return found


def _not_done(data: LayerData, name: str, problem: Exception) -> Finding:
    return Finding(
        data.id,
        "check_failed",
        WARNING,
        f"“{name}”的检查未能完成（{type(problem).__name__}），这一项的结果不明",
        advice="先处理该图层的其他问题，再检查一次",
    )


# --- rows ----------------------------------------------------------------------------------------


def _row(data: LayerData, findings: Sequence[Finding]) -> LayerQuality:
    usable = data.state is LayerState.CHECKED
    measured = usable and data.entry.geometry == "polygon"
    counts = {s: sum(f.severity is s for f in findings) for s in Severity}
    return LayerQuality(
        id=data.id,
        title=data.entry.title,
        state=data.state.value,
        features=len(data),
        area_m2=data.union_m2 if measured else None,
        note=data.reason if usable else "",
        faults=tuple(_faults(data, findings)),
        errors=counts[ERROR],
        warnings=counts[WARNING],
        notes=counts[NOTE],
        counted_twice_m2=data.counted_twice_m2 if measured else None,
    )


def _faults(data: LayerData, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield one text per kind of fault; several of a kind are counted and added up."""
    if data.state is not LayerState.CHECKED:
        yield data.reason
    told = [f for f in findings if f.severity is not NOTE and f.code not in files.AS_REASON]
    for code, group in groupby(told, key=lambda f: f.code):
        own = list(group)
        yield own[0].message if len(own) == 1 else _summary(code, own)


def _summary(code: str, findings: Sequence[Finding]) -> str:
    text = f"{findings[0].title} {len(findings)} 处"
    if {f.unit for f in findings} == {"m2"} and not code.startswith("area_"):
        text += f"，合计 {sum(f.value or 0.0 for f in findings):,.2f} m²"
    return text
