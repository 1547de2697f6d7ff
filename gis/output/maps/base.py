"""What lies under every page that shows a plan: panes, ground, layers, borders, the first view?

Joins what ``layers`` draws into one map. Shared by the pages of the plan, of a site and of the
projects; never decides what may be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import folium

from gis.output.maps.frame import LeafletBounds, OfflineMap, empty_map
from gis.output.maps.layers import Shown, add_panes, box_of_first, ground, zone_outlines
from gis.output.maps.rasters import RASTER_PANE
from gis.output.maps.shapes import Detail
from gis.output.maps.visible import drawable

if TYPE_CHECKING:
    from gis.plan.area import Plan

PLAN_TOLERANCE_M = 4.0
PLAN_FIRST = frozenset(
    {"planning_area", "district", "core", "approval", "water", "road", "railway", "dev_boundary"}
)
SITE_FIRST = PLAN_FIRST | {"farmland", "redline", "control_line"}


def base_map(
    plan: Plan, drawn: Sequence[Shown], bounds: LeafletBounds, detail: Detail, ceiling: str
) -> OfflineMap:
    """Return the map with panes, ground, layers and zone borders, in this order."""
    fmap = empty_map(bounds)
    add_panes(fmap, drawn)
    name, z_index = RASTER_PANE
    folium.map.CustomPane(name, z_index=z_index, pointer_events=False).add_to(fmap)
    folium.map.CustomPane("wq-labels", z_index=640, pointer_events=False).add_to(fmap)
    for layer in (ground(plan, detail, ceiling), zone_outlines(plan, detail, ceiling)):
        if layer is not None:
            layer.add_to(fmap)
    for shown in drawn:
        shown.layer.add_to(fmap)
    return fmap


def roles_first(plan: Plan, ceiling: str) -> frozenset[str]:
    """Return the roles to open with; a plan with few kinds of layers shows them all."""
    usual = any(drawable(plan, role, ceiling) for role in ("core", "dev_boundary"))
    return PLAN_FIRST if usual else SITE_FIRST | {"other", "project"}


def script_names(drawn: Iterable[Shown]) -> dict[str, folium.map.Layer]:
    """Return the layers by the names that the script of the page calls them."""
    return {f"l-{shown.id}": shown.layer for shown in drawn}


def plan_bounds(plan: Plan, drawn: Sequence[Shown], ceiling: str) -> LeafletBounds:
    """Return the box of the planning area, else of the zones, else the bounds of the plan."""
    return box_of_first(plan, ("planning_area", "zone", "core") if drawn else (), ceiling)
