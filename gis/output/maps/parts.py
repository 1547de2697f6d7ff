"""How do the features of one layer fall into parts of equal look?

Takes the groups of equal look and dissolves those of land classes. The only numbers made here are
the areas that popups print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.output.maps.groups import LAND_ROLES, Group, groups_of
from gis.output.maps.numbers import PopupRow, area_rows
from gis.output.maps.shapes import Detail, dissolved, shown, to_geojson
from gis.output.maps.style import Look
from gis.output.maps.text import clean

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


def parts_of(layer: Layer, frame: Any, detail: Detail) -> list[Part]:
    """Return the parts of a layer, bottom to top; none when nothing of it can be seen.

    ``frame`` has all its features or some; sums over some of them are not printed.
    """
    groups = groups_of(layer, frame)
    if layer.info.role in LAND_ROLES:
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
    return [Part(clean(group.label), group.look, kind_of(layer), tuple(shapes), group.number)]


def _area(geometry: BaseGeometry, detail: Detail) -> float:
    return ellipsoidal_area(geometry, detail.work_epsg)


def popup(title: object, rows: Sequence[PopupRow]) -> dict[str, Any]:
    """Return feature properties from which the page builds a popup; every text is cleaned."""
    return {"t": clean(title), "r": [[clean(k), clean(v)] for k, v in rows]}


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
        parts.append(Part(clean(group.label), group.look, "area", (shape,)))
    return parts
