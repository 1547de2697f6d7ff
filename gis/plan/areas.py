"""Which area is meant: the resort, its core, a town, a zone, or a polygon that the user brings?

One answer for the balance, the budgets and the rasters, so that a denominator is always named, and
given with both areas. A name that means nothing, or two things, is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine.index import Array
from gis.errors import ClaimError, CrsError, GeometryError, NotFoundError, OutsidePlanError
from gis.model import Area, LayerInfo, LayerState, Remark, Site
from gis.plan.catalogue import Layer

if TYPE_CHECKING:
    from gis.plan.area import Plan

# Whole layers that are areas of their own, then layers whose classes are.
_WHOLE = ("planning_area", "core", "approval", "dev_boundary")
_DIVIDED = ("district", "zone")


@dataclass(frozen=True, slots=True)
class PlanArea:
    """A named area: polygon in the work CRS with both areas.

    ``kind`` is the role of the layer it comes from, or ``user`` for a polygon of the user's, which
    has no ``layer``. ``notes`` and ``warnings`` are those of the input that it was read from.
    """

    id: str
    title: str
    kind: str
    polygon: BaseGeometry
    area: Area
    layer: LayerInfo | None = None
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


def find_area(plan: Plan, wanted: str | Site | BaseGeometry | None) -> PlanArea:
    """Return an area of the plan, or a polygon of the user's as one.

    Parameters
    ----------
    plan
        An opened plan package.
    wanted
        A layer id (``resort``, ``core``, ``approval_area``), a role (``approval``), the class of a
        zone or town (``Z1``, or ``zones:Z1`` where two layers have it), a site, or a polygon in
        the work CRS. Default: the core, or the planning area where the plan has no core.

    Raises
    ------
    NotFoundError
        The plan has no such area, or its layer has no data; the areas that it has are named.
    ClaimError
        The name means several areas, or something that is no area.
    GeometryError, CrsError, OutsidePlanError
        The polygon of the user cannot be measured in this plan.
    """
    if isinstance(wanted, Site):
        return _of_site(plan, wanted)
    if isinstance(wanted, BaseGeometry):
        return _of_polygon(plan, wanted)
    name = wanted if wanted is not None else _default(plan)
    layer = _whole_layer(plan, name)
    if layer is not None:
        return _measured(plan, layer.info.id, layer.info.title, layer, layer.index.union)
    layer, part, positions = _division(plan, name)
    polygon = shapely.union_all(layer.index.geometries[positions])
    title = division_name(layer, positions) or part
    return _measured(plan, name, title, layer, polygon)


def area_ids(plan: Plan) -> list[str]:
    """Return the names under which areas of the plan can be asked for, in the order of the plan."""
    whole = [layer.info.id for layer in _usable(plan, _WHOLE)]
    parts = [(layer, name) for layer in _usable(plan, _DIVIDED) for name in divisions(layer)]
    taken = Counter(name for _, name in parts)
    taken.update(_layer_names(plan))
    return [*whole, *(n if taken[n] == 1 else f"{layer.info.id}:{n}" for layer, n in parts)]


def plan_areas(plan: Plan) -> tuple[PlanArea, ...]:
    """Return every named area of the plan with both areas, in the order of ``area_ids``."""
    return tuple(find_area(plan, name) for name in area_ids(plan))


def divisions(layer: Layer) -> Mapping[str, Array]:
    """Return the parts of a layer of zones or towns: positions of the features by class, or by id.

    A feature without class is a part of its own.
    """
    index = layer.index
    names = [str(c or i) for c, i in zip(index.classes, index.ids, strict=True)]
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        found.setdefault(name, []).append(position)
    return {name: np.array(found[name]) for name in sorted(found)}


def division_name(layer: Layer, positions: Array) -> str:
    """Return what all features of a part are called; empty where they have no name in common."""
    names = {str(name or "") for name in layer.index.names[positions]}
    return names.pop() if len(names) == 1 else ""


# --- names ---------------------------------------------------------------------------------------


def _default(plan: Plan) -> str:
    found = plan.with_role("core") or plan.with_role("planning_area")
    if not found:
        raise _not_found(plan, "规划数据包没有核心区或规划范围图层，没有默认范围")
    return found[0].info.id


def _usable(plan: Plan, roles: tuple[str, ...]) -> Iterator[Layer]:
    for role in roles:
        for layer in plan.with_role(role):
            if layer.state is LayerState.CHECKED and len(layer.index):
                yield layer


def _layer_names(plan: Plan) -> set[str]:
    """Return the names that mean whole layers: their ids and their roles."""
    return {name for layer in plan.layers.values() for name in (layer.info.id, layer.info.role)}


def _whole_layer(plan: Plan, name: str) -> Layer | None:
    """Return the polygon layer of an id, or the only one of a role; None when there is none."""
    found = [plan.layers[name]] if name in plan.layers else list(plan.with_role(name))
    usable = [layer for layer in found if layer.state is LayerState.CHECKED and len(layer.index)]
    if found and not usable:
        reason = found[0].reason or "图层没有要素"
        raise _not_found(plan, f"范围“{name}”的图层无数据（{reason}）")
    if len(usable) > 1:
        ids = "、".join(layer.info.id for layer in usable)
        raise ClaimError(f"“{name}”有 {len(usable)} 个图层", expected=f"其中一个：{ids}")
    if usable and name not in plan.layers and (parts := _parts(plan, name)):
        ids = "、".join((usable[0].info.id, *(f"{x.info.id}:{part}" for x, part, _ in parts)))
        raise ClaimError(f"“{name}”既是图层角色，又是分区编码", expected=f"其中一个：{ids}")
    if usable and usable[0].info.geometry != "polygon":
        raise ClaimError(f"图层“{name}”不是面，不能作为范围", expected="、".join(area_ids(plan)))
    return usable[0] if usable else None


def _parts(plan: Plan, name: str) -> list[tuple[Layer, str, Array]]:
    """Return the zones and towns of a name, alone or behind the id of their layer."""
    return [
        (layer, part, positions)
        for layer in _usable(plan, _DIVIDED)
        for part, positions in divisions(layer).items()
        if name in (part, f"{layer.info.id}:{part}")
    ]


def _division(plan: Plan, name: str) -> tuple[Layer, str, Array]:
    """Return the layer, the class and the features of a zone or town."""
    found = _parts(plan, name)
    if not found:
        raise _not_found(plan, f"没有范围“{name[:60]}”或其图层无数据")
    if len(found) > 1:
        ids = "、".join(f"{layer.info.id}:{part}" for layer, part, _ in found)
        raise ClaimError(f"“{name}”在 {len(found)} 个图层中都有", expected=f"其中一个：{ids}")
    return found[0]


def _not_found(plan: Plan, found: str) -> NotFoundError:
    return NotFoundError(found, expected="、".join(area_ids(plan)), advice="写明其中一个范围")


# --- polygons ------------------------------------------------------------------------------------


def _measured(
    plan: Plan, id_: str, title: str, layer: Layer | None, polygon: BaseGeometry
) -> PlanArea:
    area = Area(ellipsoidal_area(polygon, plan.work_epsg), float(polygon.area))
    if layer is None:
        return PlanArea(id_, title, "user", polygon, area)
    return PlanArea(id_, title, layer.info.role, polygon, area, layer.info)


def belongs(site: Site, plan: Plan) -> None:
    """Refuse a site that was read for another plan, or lies wholly outside this one.

    Raises
    ------
    CrsError
        The site was read for another work CRS.
    OutsidePlanError
        It does not meet the bounds of the plan.
    """
    if site.crs.work_epsg != plan.work_epsg:
        raise CrsError(
            f"地块“{site.name}”按 EPSG:{site.crs.work_epsg} 读入",
            expected=f"规划的工作坐标系 EPSG:{plan.work_epsg}",
            advice="用同一规划重新读入地块",
        )
    _inside_bounds(plan, site.geometry, f"地块“{site.name}”")


def _of_site(plan: Plan, site: Site) -> PlanArea:
    belongs(site, plan)
    return PlanArea(
        "user", site.name, "user", site.geometry, site.area, None, site.notes, site.warnings
    )


def _of_polygon(plan: Plan, polygon: BaseGeometry) -> PlanArea:
    if polygon.geom_type not in ("Polygon", "MultiPolygon") or not polygon.area > 0:
        raise GeometryError("自定义范围不是有面积的面", expected="多边形", advice="核对图形")
    if not polygon.is_valid:
        raise GeometryError(
            f"自定义范围的边线自相交或重叠（{_place(polygon)}）",
            expected="不自相交的多边形",
            advice="修正图形，或用 read_site 的 repair 选项读入",
        )
    _inside_bounds(plan, polygon, "自定义范围")
    return _measured(plan, "user", "自定义范围", None, polygon)


def _place(polygon: BaseGeometry) -> str:
    """Return where a polygon is invalid; the words of the library are English."""
    east, _, north = shapely.is_valid_reason(polygon).partition("[")[2].strip("]").partition(" ")
    return f"东 {east}，北 {north}附近" if north else "位置不明"


def _inside_bounds(plan: Plan, polygon: BaseGeometry, name: str) -> None:
    if not polygon.intersects(plan.bounds_polygon):
        raise OutsidePlanError(
            f"{name}完全位于规划数据范围之外",
            expected=f"位于经纬度范围 {plan.crs_policy.bounds} 之内",
            advice=f"核对坐标系（应为 EPSG:{plan.work_epsg}）和坐标",
        )
