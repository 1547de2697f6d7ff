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


def parts_of(layer: Layer, detail: Detail) -> list[Part]:
    """Return the parts of a layer, bottom to top; none when nothing of it can be seen."""
    role = layer.info.role
    if role in {"landuse", "planned_use"}:
        return _land_parts(layer, detail)
    if role == "zone":
        return _zone_parts(layer, detail)
    if role == "road":
        return _road_parts(layer, detail)
    if role == "dev_boundary":
        return _development_parts(layer, detail)
    look = (
        style.control_line(layer.info.id, layer.info.title)
        if role == "control_line"
        else style.LOOKS[role]
    )
    return _part(layer, layer.frame, clean(layer.info.title), look, detail)


def _kind(layer: Layer) -> str:
    return {"polygon": "area", "line": "line", "point": "point"}[layer.info.geometry]


def _part(layer: Layer, frame: Any, label: Markup, look: Look, detail: Detail) -> list[Part]:
    """Return one part of a frame, or none when nothing of it can be seen."""
    shapes = []
    visible = shown(frame.geometry.to_numpy(), detail)
    for row, geometry in zip(frame.itertuples(index=False), visible, strict=True):
        if geometry is None or geometry.is_empty:
            continue
        name = row.name or layer.info.title
        rows: list[PopupRow] = [("图层", layer.info.title)] if row.name else []
        rows += area_rows(_area(row.geometry, detail))
        shapes.append((to_geojson(geometry, detail.work_epsg), popup(name, rows)))
    return [Part(label, look, _kind(layer), tuple(shapes))] if shapes else []


def _area(geometry: BaseGeometry, detail: Detail) -> float:
    return ellipsoidal_area(geometry, detail.work_epsg)


def popup(title: object, rows: Sequence[PopupRow]) -> dict[str, Any]:
    """Return feature properties from which the page builds a popup; every text is cleaned."""
    return {"t": clean(title), "r": [[clean(k), clean(v)] for k, v in rows]}


def _zone_parts(layer: Layer, detail: Detail) -> list[Part]:
    parts: list[Part] = []
    for zone in zones_of(layer):
        look = replace(style.LOOKS["zone"], fill=style.zone_fill(zone.number))
        part = _part(layer, zone.frame, clean(zone.name), look, detail)
        parts += [replace(p, number=str(zone.number)) for p in part]
    return parts


# The colours of the standard are loud; on our light ground they may be softer and still be told.
_LAND_OPACITY = 0.58


def _land_parts(layer: Layer, detail: Detail) -> list[Part]:
    """Dissolve parcels by the class under which they are shown: thousands become about fifteen."""
    survey = "三调" in (layer.info.scheme or "") or layer.info.role == "landuse"
    codes = layer.frame["cls"].fillna("").astype(str)
    groups = codes.map(lambda code: style.land_class(code, survey=survey))
    merged = [
        (key, dissolved(frame.geometry.to_numpy()), len(frame))
        for key, frame in layer.frame.groupby(groups, sort=True)
    ]
    visible = shown([geometry for _, geometry, _ in merged], detail)
    parts = []
    for ((_, name, colour), whole, count), geometry in zip(merged, visible, strict=True):
        if geometry.is_empty:
            continue
        rows: list[PopupRow] = [("图层", layer.info.title), ("图斑", f"{count} 个")]
        rows += area_rows(_area(whole, detail))
        shape = (to_geojson(geometry, detail.work_epsg), popup(name, rows))
        look = Look("#8d8d80", 0.4, fill=colour, fill_opacity=_LAND_OPACITY)
        parts.append(Part(clean(name), look, "area", (shape,)))
    return parts


# Least half width in metres, legend word, look. Narrow ones are drawn first.
_ROADS = (
    (18.0, "主干路、国道", Look("#f7c765", 4.0, casing="#8f8574", css="wq-road wq-road-1")),
    (10.0, "次干路、县道", Look("#fff0bd", 2.8, casing="#96917f", css="wq-road wq-road-2")),
    (0.0, "支路、乡村道路", Look("#ffffff", 1.5, casing="#a3a9ae", css="wq-road wq-road-3")),
)


def _road_parts(layer: Layer, detail: Detail) -> list[Part]:
    """Draw roads in three widths, by their half width in metres."""
    half = layer.frame["half_width"].fillna(0.0)
    parts: list[Part] = []
    upper = float("inf")
    for least, name, look in _ROADS:
        frame = layer.frame[(half >= least) & (half < upper)]
        upper = least
        parts = _part(layer, frame, clean(name), look, detail) + parts
    return parts


_DEVELOPMENT = (("弹性", "7 5"), ("特别", "2 5"))


def _development_parts(layer: Layer, detail: Detail) -> list[Part]:
    """Draw the kinds of the development boundary apart, by name: solid, dashed, dotted."""
    names = layer.frame["name"].fillna("").astype(str)
    parts: list[Part] = []
    codes = layer.frame["cls"].fillna("").astype(str)
    for (_, name), frame in layer.frame.groupby([codes, names], sort=True):
        dash = next((dash for word, dash in _DEVELOPMENT if word in name), None)
        look = replace(style.LOOKS["dev_boundary"], dash=dash)
        label = clean(f"开发边界：{name}" if name else layer.info.title)
        parts += _part(layer, frame, label, look, detail)
    return parts
