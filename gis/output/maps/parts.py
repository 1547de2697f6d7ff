"""How do the features of one layer fall into parts of equal look?

Dissolves land classes, sorts roads by width and tells the kinds of the development boundary apart.
The only numbers made here are the areas that popups print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.output.maps import style
from gis.output.maps.numbers import PopupRow, area_rows
from gis.output.maps.shapes import Detail, dissolved, shown, to_geojson
from gis.output.maps.style import Look
from gis.output.maps.text import clean
from gis.output.maps.visible import zones_of

if TYPE_CHECKING:
    from gis.plan.catalogue import Layer


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the legend."""

    label: Markup
    look: Look
    kind: str  # area, line or point
    number: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Features of one look, with the popup rows of each."""

    label: Markup
    look: Look
    kind: str
    shapes: tuple[tuple[dict[str, Any], dict[str, Any]], ...]
    number: str = ""


@dataclass(frozen=True, eq=False)
class Group:
    """Features of one look before anything is drawn; ``frame`` has the columns of a layer."""

    label: Markup
    look: Look
    frame: Any
    number: str = ""


def groups_of(layer: Layer, frame: Any) -> list[Group]:
    """Return features of a layer, all or some, by look, bottom to top."""
    role = layer.info.role
    if role in _LAND_ROLES:
        return _land_groups(layer, frame)
    if role == "zone":
        return [
            Group(clean(zone.name), _zone_look(zone.number), zone.frame, str(zone.number))
            for zone in zones_of(layer)
        ]
    if role == "road":
        return _road_groups(frame)
    if role == "dev_boundary":
        return _development_groups(layer, frame)
    look = (
        style.control_line(layer.info.id, layer.info.title)
        if role == "control_line"
        else style.LOOKS[role]
    )
    return [Group(clean(layer.info.title), look, frame)]


def parts_of(layer: Layer, frame: Any, detail: Detail) -> list[Part]:
    """Return the parts of a layer, bottom to top; none when nothing of it can be seen.

    ``frame`` has all its features or some; sums over some of them are not printed.
    """
    groups = groups_of(layer, frame)
    if layer.info.role in _LAND_ROLES:
        return _dissolved_parts(layer, groups, detail, sums=len(frame) == len(layer.frame))
    return [part for group in groups for part in _part(layer, group, detail)]


def kind_of(layer: Layer) -> str:
    """Return how the legend shows a layer: area, line or point."""
    return {"polygon": "area", "line": "line", "point": "point"}[layer.info.geometry]


def _part(layer: Layer, group: Group, detail: Detail) -> list[Part]:
    """Return one part of a group, or none when nothing of it can be seen."""
    shapes = []
    visible = shown(group.frame.geometry.to_numpy(), detail)
    for row, geometry in zip(group.frame.itertuples(index=False), visible, strict=True):
        if geometry is None or geometry.is_empty:
            continue
        name = row.name or layer.info.title
        rows: list[PopupRow] = [("图层", layer.info.title)] if row.name else []
        rows += area_rows(_area(row.geometry, detail))
        shapes.append((to_geojson(geometry, detail.work_epsg), popup(name, rows)))
    if not shapes:
        return []
    return [Part(group.label, group.look, kind_of(layer), tuple(shapes), group.number)]


def _area(geometry: BaseGeometry, detail: Detail) -> float:
    return ellipsoidal_area(geometry, detail.work_epsg)


def popup(title: object, rows: Sequence[PopupRow]) -> dict[str, Any]:
    """Return feature properties from which the page builds a popup; every text is cleaned."""
    return {"t": clean(title), "r": [[clean(k), clean(v)] for k, v in rows]}


def _zone_look(number: int) -> Look:
    return replace(style.LOOKS["zone"], fill=style.zone_fill(number))


# The colours of the standard are loud; on our light ground they may be softer and still be told.
_LAND_OPACITY = 0.58
_LAND_ROLES = frozenset({"landuse", "planned_use"})


def _land_groups(layer: Layer, frame: Any) -> list[Group]:
    """Sort parcels by the class under which they are shown: about fifteen."""
    survey = "三调" in (layer.info.scheme or "") or layer.info.role == "landuse"
    codes = frame["cls"].fillna("").astype(str)
    groups = codes.map(lambda code: style.land_class(code, survey=survey))
    return [
        Group(clean(name), Look("#8d8d80", 0.4, fill=colour, fill_opacity=_LAND_OPACITY), part)
        for (_, name, colour), part in frame.groupby(groups, sort=True)
    ]


def _dissolved_parts(
    layer: Layer, groups: Sequence[Group], detail: Detail, *, sums: bool
) -> list[Part]:
    """Dissolve the parcels of each class: thousands become about fifteen."""
    merged = [dissolved(group.frame.geometry.to_numpy()) for group in groups]
    visible = shown(merged, detail)
    parts = []
    for group, whole, geometry in zip(groups, merged, visible, strict=True):
        if geometry.is_empty:
            continue
        rows: list[PopupRow] = [("图层", layer.info.title)]
        if sums:
            rows += [("图斑", f"{len(group.frame)} 个"), *area_rows(_area(whole, detail))]
        shape = (to_geojson(geometry, detail.work_epsg), popup(group.label, rows))
        parts.append(Part(group.label, group.look, "area", (shape,)))
    return parts


# Least half width in metres, legend word, look. Narrow ones are drawn first.
_ROADS = (
    (18.0, "主干路、国道", Look("#f7c765", 4.0, casing="#8f8574", css="wq-road wq-road-1")),
    (10.0, "次干路、县道", Look("#fff0bd", 2.8, casing="#96917f", css="wq-road wq-road-2")),
    (0.0, "支路、乡村道路", Look("#ffffff", 1.5, casing="#a3a9ae", css="wq-road wq-road-3")),
)


def _road_groups(frame: Any) -> list[Group]:
    """Draw roads in three widths, by their half width in metres."""
    half = frame["half_width"].fillna(0.0)
    groups: list[Group] = []
    upper = float("inf")
    for least, name, look in _ROADS:
        groups.insert(0, Group(clean(name), look, frame[(half >= least) & (half < upper)]))
        upper = least
    return groups


_DEVELOPMENT = (("弹性", "7 5"), ("特别", "2 5"))


def _development_groups(layer: Layer, frame: Any) -> list[Group]:
    """Draw the kinds of the development boundary apart, by name: solid, dashed, dotted."""
    names = frame["name"].fillna("").astype(str)
    codes = frame["cls"].fillna("").astype(str)
    groups = []
    for (_, name), part in frame.groupby([codes, names], sort=True):
        dash = next((dash for word, dash in _DEVELOPMENT if word in name), None)
        look = replace(style.LOOKS["dev_boundary"], dash=dash)
        label = clean(f"开发边界：{name}" if name else layer.info.title)
        groups.append(Group(label, look, part))
    return groups
