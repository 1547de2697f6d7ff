"""How do the layers of a plan stand on a map: order, panes, names, legend rows?

Turns plan layers into folium layers. What may be shown is decided in ``visible.py``, how features
look in ``parts.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import folium
from folium.utilities import JsCode
from markupsafe import Markup

from gis.output.maps import style
from gis.output.maps.labels import Label, layer_labels
from gis.output.maps.parts import Key, Part, parts_of
from gis.output.maps.shapes import Detail, dissolved, shown, to_geojson
from gis.output.maps.style import Look
from gis.output.maps.text import clean
from gis.output.maps.visible import drawable

# Runs for every feature; wuqu is the page's own script, loaded before the layers.
BIND = JsCode("function(feature, layer) { wuqu.bind(feature, layer); }")

GROUPS = ("分区与用地", "范围界线", "控制线", "水系与交通", "项目与其他")
_GROUP_OF = {
    "zone": 0, "landuse": 0, "planned_use": 0, "built_up": 0,
    "planning_area": 1, "district": 1, "core": 1, "approval": 1,
    "dev_boundary": 2, "farmland": 2, "redline": 2, "control_line": 2, "river_range": 2,
    "water": 3, "road": 3, "railway": 3, "power_line": 3,
    "project": 4, "ownership": 4, "other": 4,
}  # fmt: skip
# Bottom to top. Each pane is one drawing surface, so a click reaches the topmost feature.
PANES = (
    ("wq-ground", 405),
    ("wq-theme", 410),
    ("wq-water", 420),
    ("wq-areas", 430),
    ("wq-lines", 440),
    ("wq-bounds", 450),
    ("wq-sites", 460),
)

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.plan.catalogue import Layer
_PANE_OF = {
    "zone": 0, "landuse": 0, "planned_use": 0, "water": 1, "river_range": 2, "built_up": 2,
    "farmland": 2, "redline": 2, "control_line": 2, "ownership": 2,
    "road": 3, "railway": 3, "power_line": 3,
    "dev_boundary": 4, "district": 4, "planning_area": 4, "approval": 4, "core": 4, "project": 4,
    "other": 4,
}  # fmt: skip
_THEMES = ("zone", "planned_use", "landuse")


@dataclass(frozen=True, slots=True)
class View:
    """What a page opens with: the theme under everything, and the roles switched on."""

    theme: str
    first: frozenset[str]
    detail: Callable[[str], Detail]  # role -> how fine


@dataclass(frozen=True, eq=False)
class Shown:
    """A layer as it stands on the map."""

    id: str
    role: str
    title: Markup
    vintage: Markup
    group: str
    theme: bool
    first: bool
    keys: tuple[Key, ...]
    labels: tuple[Label, ...]
    layer: folium.map.Layer


def plan_layers(plan: Plan, view: View, ceiling: str) -> list[Shown]:
    """Return every layer of the plan that can be drawn, in the order of the layer list."""
    theme = next((r for r in (view.theme, *_THEMES) if drawable(plan, r, ceiling)), view.theme)
    result = [
        _shown(layer, view.detail(role), first=role == theme or role in view.first)
        for role in (*_THEMES, *sorted(set(_PANE_OF) - set(_THEMES), key=_listed))
        for layer in drawable(plan, role, ceiling)
    ]
    return [s for s in result if s is not None]


def _listed(role: str) -> tuple[int, int]:
    return _GROUP_OF[role], list(_PANE_OF).index(role)


def _shown(layer: Layer, detail: Detail, *, first: bool) -> Shown | None:
    info = layer.info
    theme = info.role in _THEMES
    looks = parts_of(layer, detail)
    if not looks:
        return None
    group = folium.FeatureGroup(
        name=list_name(info.id, info.title, GROUPS[_GROUP_OF[info.role]]),
        overlay=not theme,
        show=first,
    )
    for part in looks:
        _add(group, part, _pane(info.role))
    return Shown(
        id=info.id,
        role=info.role,
        title=clean(info.title),
        vintage=clean(info.vintage),
        group=GROUPS[_GROUP_OF[info.role]],
        theme=theme,
        first=group.show,
        keys=_keys(reversed(looks) if info.role == "road" else looks),
        labels=tuple(layer_labels(layer, detail)),
        layer=group,
    )


def list_name(layer_id: str, title: str, group: str) -> str:
    """Return the HTML under which the layer list shows a layer; the id keeps equal titles apart."""
    marks = f'data-id="{clean(layer_id)}" data-group="{clean(group)}"'
    return f'<span class="wq-row" {marks}>{clean(title)}</span>'


def _pane(role: str) -> str:
    return PANES[_PANE_OF[role] + 1][0]  # the first pane is the ground


def _keys(parts: Iterable[Part]) -> tuple[Key, ...]:
    rows = {str(part.label): Key(part.label, part.look, part.kind, part.number) for part in parts}
    return tuple(rows.values())


def _add(group: folium.FeatureGroup, part: Part, pane: str) -> None:
    data = collection(part.shapes)
    if part.look.casing:
        css = f"{part.look.css} wq-casing" if part.look.css else None
        below = Look(part.look.casing, part.look.weight + 1.6, css=css)
        geojson(data, below.options(), pane).add_to(group)
    geojson(data, part.look.options(), pane).add_to(group)


def collection(shapes: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Return geometries with their properties as a FeatureCollection, numbered from 0."""
    features = [
        {"type": "Feature", "id": str(n), "properties": properties, "geometry": geometry}
        for n, (geometry, properties) in enumerate(shapes)
    ]
    return {"type": "FeatureCollection", "features": features}


def geojson(
    data: dict[str, Any], options: dict[str, Any], pane: str, *, smooth: float = 1.2
) -> folium.GeoJson:
    """Return a folium layer of one look in one pane; points become discs.

    Leaflet's own marker would load an image file.
    """
    disc = folium.CircleMarker(radius=5)
    disc.options["pane"] = pane
    return folium.GeoJson(
        data,
        style_function=lambda _: options,
        on_each_feature=BIND,
        marker=disc,
        control=False,
        smooth_factor=smooth,
        pane=pane,
    )


def zone_outlines(plan: Plan, detail: Detail, ceiling: str) -> folium.FeatureGroup | None:
    """Return the borders of the zones, which stay visible under every theme."""
    group = folium.FeatureGroup(name="zone_outline", control=False)
    for layer in drawable(plan, "zone", ceiling):
        lines = shown(layer.frame.geometry.to_numpy(), detail)
        data = collection((to_geojson(g.boundary, detail.work_epsg), {}) for g in lines)
        options = Look("#5d4b3c", 1.6).options() | {"interactive": False, "opacity": 0.85}
        geojson(data, options, "wq-lines").add_to(group)
    return group if group._children else None


def ground(plan: Plan, detail: Detail, ceiling: str) -> folium.FeatureGroup | None:
    """Return the paper under everything: the planning area as a light surface."""
    group = folium.FeatureGroup(name="ground", control=False)
    for layer in drawable(plan, "planning_area", ceiling):
        whole = shown([dissolved(layer.frame.geometry.to_numpy())], detail)[0]
        data = collection([(to_geojson(whole, detail.work_epsg), {})])
        options = style.GROUND.options() | {"interactive": False, "className": "wq-ground"}
        geojson(data, options, "wq-ground").add_to(group)
    return group if group._children else None
