"""How do the layers of a plan stand on a map: order, panes, names, legend rows?

Turns plan layers into folium layers. What may be shown is decided in ``visible.py``, how features
look in ``parts.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import folium
from folium.utilities import JsCode
from markupsafe import Markup

from gis.output.maps import style
from gis.output.maps.frame import LeafletBounds
from gis.output.maps.groups import Group, groups_of
from gis.output.maps.labels import Label, layer_labels
from gis.output.maps.large import Canvas, tiled
from gis.output.maps.parts import Key, Part, kind_of, parts_of
from gis.output.maps.shapes import Detail, dissolved, leaflet_bounds, shown, to_geojson, touching
from gis.output.maps.sizes import STANDARD, Limits, Size, sizes
from gis.output.maps.style import Look
from gis.output.maps.text import clean
from gis.output.maps.tiling import Archive, Extent, Picture
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
    limits: Limits = STANDARD


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
    size: Size
    files: tuple[Archive | Picture, ...] = ()


def plan_layers(
    plan: Plan, view: View, ceiling: str, only: Collection[str] | None = None
) -> list[Shown]:
    """Return the layers of the plan that can be drawn, in the order of the layer list.

    ``only`` names the layers to draw; without it all are drawn.
    """
    theme = next((r for r in (view.theme, *_THEMES) if drawable(plan, r, ceiling)), view.theme)
    layers = {
        layer.info.id: layer
        for role in (*_THEMES, *sorted(set(_PANE_OF) - set(_THEMES), key=_listed))
        for layer in drawable(plan, role, ceiling)
        if only is None or layer.info.id in only
    }
    if not layers:
        return []
    frames = {i: _frame(layer, view.detail(layer.info.role)) for i, layer in layers.items()}
    draw = sizes({i: len(frame) for i, frame in frames.items()}, view.limits)
    extent = _extent(layers.values())
    result: list[Shown | None] = []
    for layer_id, layer in layers.items():
        role, frame = layer.info.role, frames[layer_id]
        detail, first = view.detail(role), role == theme or role in view.first
        if draw[layer_id] is Size.TILES:
            result.append(_tiled(layer, frame, detail, extent, first=first))
        else:
            small = len(layer.frame) <= view.limits.canvas
            frame = layer.frame if small else frame
            result.append(_shown(layer, frame, detail, draw[layer_id], first=first))
    return [s for s in result if s is not None]


def _frame(layer: Layer, detail: Detail) -> Any:
    """Return the features of a layer that touch the box of the detail."""
    if detail.box is None:
        return layer.frame
    return layer.frame[touching(layer.frame.geometry.to_numpy(), detail)]


def _extent(layers: Iterable[Layer]) -> Extent:
    boxes = [layer.frame.total_bounds for layer in layers]
    west, south = (min(box[n] for box in boxes) for n in (0, 1))
    east, north = (max(box[n] for box in boxes) for n in (2, 3))
    return west, south, east, north


def _listed(role: str) -> tuple[int, int]:
    return _GROUP_OF[role], list(_PANE_OF).index(role)


def _shown(layer: Layer, frame: Any, detail: Detail, size: Size, *, first: bool) -> Shown | None:
    looks = parts_of(layer, frame, detail)
    if not looks:
        return None
    group = _group(layer, first)
    for part in looks:
        _add(group, part, pane_of(layer.info.role, size))
    keys = [Key(part.label, part.look, part.kind, part.number) for part in looks]
    return _row(layer, detail, group, keys, size)


def _tiled(
    layer: Layer,
    frame: Any,
    detail: Detail,
    extent: Extent,
    *,
    first: bool,
) -> Shown:
    groups: list[Group] = [group for group in groups_of(layer, frame) if len(group.frame)]
    element, made = tiled(layer, groups, pane_of(layer.info.role, Size.TILES), detail, extent)
    group = _group(layer, first)
    element.add_to(group)
    keys = [Key(clean(g.label), g.look, kind_of(layer), g.number) for g in groups]
    return replace(_row(layer, detail, group, keys, Size.TILES), files=made)


def _group(layer: Layer, first: bool) -> folium.FeatureGroup:
    info = layer.info
    return folium.FeatureGroup(
        name=list_name(info.id, info.title, GROUPS[_GROUP_OF[info.role]]),
        overlay=info.role not in _THEMES,
        show=first,
    )


def _row(
    layer: Layer, detail: Detail, group: folium.FeatureGroup, keys: Sequence[Key], size: Size
) -> Shown:
    info = layer.info
    return Shown(
        id=info.id,
        role=info.role,
        title=clean(info.title),
        vintage=clean(info.vintage),
        group=GROUPS[_GROUP_OF[info.role]],
        theme=info.role in _THEMES,
        first=group.show,
        keys=_once(reversed(keys) if info.role == "road" else keys),
        labels=tuple(layer_labels(layer, detail)),
        layer=group,
        size=size,
    )


def list_name(layer_id: str, title: str, group: str) -> str:
    """Return the HTML under which the layer list shows a layer; the id keeps equal titles apart."""
    marks = f'data-id="{clean(layer_id)}" data-group="{clean(group)}"'
    return f'<span class="wq-row" {marks}>{clean(title)}</span>'


def pane_of(role: str, size: Size) -> str:
    """Return the pane of a role; canvases and tiles have one of their own just above it."""
    name = PANES[_PANE_OF[role] + 1][0]  # the first pane is the ground
    return name if size is Size.SVG else f"{name}-{size.value}"


def add_panes(fmap: folium.Map, drawn: Iterable[Shown]) -> None:
    """Add the panes that the layers stand in, and tell which of them are canvases."""
    used = {pane_of(shown.role, shown.size) for shown in drawn}
    for name, z_index in PANES:
        folium.map.CustomPane(name, z_index=z_index, pointer_events=True).add_to(fmap)
        for above, size in enumerate((Size.TILES, Size.CANVAS), start=1):
            flat = f"{name}-{size.value}"
            if flat in used:
                # Clicks go through; the page's script asks what lies under them.
                folium.map.CustomPane(flat, z_index=z_index + above).add_to(fmap)
                if size is Size.CANVAS:
                    Canvas(flat).add_to(fmap)


def _once(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple({str(key.label): key for key in keys}.values())


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


def box_of_first(plan: Plan, roles: Iterable[str], ceiling: str) -> LeafletBounds:
    """Return the box of the first role that can be drawn, else the bounds of the plan."""
    first = next((layer for role in roles for layer in drawable(plan, role, ceiling)), None)
    if first is not None:
        return leaflet_bounds(dissolved(first.frame.geometry.to_numpy()), plan.work_epsg)
    west, south, east, north = plan.crs_policy.bounds
    return (south, west), (north, east)
