"""Which area is meant: the resort, its core, a town, a zone, or a polygon that the user brings?

One answer for the balance, the budgets and the rasters, so that a denominator is always named, and
given with both areas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.errors import NotFoundError
from gis.model import Area, LayerState, Site
from gis.plan.catalogue import Layer

if TYPE_CHECKING:
    from gis.plan.area import Plan

# Whole layers that are areas of their own, then layers whose classes are.
_WHOLE = ("planning_area", "core", "approval", "dev_boundary")
_DIVIDED = ("district", "zone")


@dataclass(frozen=True, slots=True)
class PlanArea:
    """A named area: polygon in the work CRS with both areas.

    ``kind`` is the role of the layer it comes from, or ``user`` for a polygon of the user's.
    """

    id: str
    title: str
    kind: str
    polygon: BaseGeometry
    area: Area


def find_area(plan: Plan, wanted: str | Site | BaseGeometry | None) -> PlanArea:
    """Return an area of the plan, or a polygon of the user's as one.

    Parameters
    ----------
    plan
        An opened plan package.
    wanted
        A layer id (``resort``, ``core``, ``approval_area``), a role (``approval``), the class of a
        zone or town (``Z1``), a site, or a polygon in the work CRS. Default: the core, or the
        planning area where the plan has no core.

    Raises
    ------
    NotFoundError
        The plan has no such area, or its layer has no data; the areas that it has are named.
    """
    if isinstance(wanted, Site):
        return PlanArea("user", wanted.name, "user", wanted.geometry, wanted.area)
    if isinstance(wanted, BaseGeometry):
        return _measured(plan, "user", "自定义范围", "user", wanted)
    name = wanted if wanted is not None else _default(plan)
    layers = [plan.layers[name]] if name in plan.layers else list(plan.with_role(name))
    for layer in (layer for layer in layers if layer.state is LayerState.CHECKED):
        info = layer.info
        return _measured(plan, info.id, info.title, info.role, layer.index.union)
    for layer in _usable(plan, _DIVIDED):
        at = np.flatnonzero(layer.index.classes == name)
        if len(at):
            polygon = shapely.union_all(layer.index.geometries[at])
            title = str(layer.index.names[at[0]] or name)
            return _measured(plan, name, title, layer.info.role, polygon)
    raise NotFoundError(
        f"没有范围“{name}”或其图层无数据",
        expected="、".join(area_ids(plan)),
        advice="核对范围名称",
    )


def area_ids(plan: Plan) -> list[str]:
    """Return the names under which areas of the plan can be asked for, in the order of the plan."""
    whole = [layer.info.id for layer in _usable(plan, _WHOLE)]
    parts = [
        sorted({str(cls) for cls in layer.index.classes if cls is not None})
        for layer in _usable(plan, _DIVIDED)
    ]
    return [*whole, *(cls for classes in parts for cls in classes)]


def plan_areas(plan: Plan) -> tuple[PlanArea, ...]:
    """Return every named area of the plan with both areas, in the order of ``area_ids``."""
    return tuple(find_area(plan, name) for name in area_ids(plan))


def _default(plan: Plan) -> str:
    found = plan.with_role("core") or plan.with_role("planning_area")
    return found[0].info.id if found else "（默认范围）"


def _usable(plan: Plan, roles: tuple[str, ...]) -> Iterator[Layer]:
    for role in roles:
        yield from (x for x in plan.with_role(role) if x.state is LayerState.CHECKED)


def _measured(plan: Plan, id_: str, title: str, kind: str, polygon: BaseGeometry) -> PlanArea:
    area = Area(ellipsoidal_area(polygon, plan.work_epsg), float(polygon.area))
    return PlanArea(id_, title, kind, polygon, area)
