"""How do checked sites and their overlaps stand on a map?

Works from the JSON documents of checks, so that a stored record can be shown again. Coordinates
are taken as they are; nothing is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import folium

from gis.canonical import deciding_finding
from gis.output.maps import style
from gis.output.maps.card import geojson_bounds, verdict_of
from gis.output.maps.layers import collection, geojson, list_name
from gis.output.maps.numbers import PopupRow
from gis.output.maps.parts import popup
from gis.output.maps.style import Look
from gis.output.maps.text import clean

_TYPES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_DECIMALS = 7
PANE = "wq-sites"


def drawn_geometry(geometry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a geometry of a document reduced to type and numbers, None when it has none."""
    if not geometry:
        return None
    if geometry.get("type") == "GeometryCollection":
        parts = [drawn_geometry(part) for part in geometry.get("geometries", ())]
        return {"type": "GeometryCollection", "geometries": [p for p in parts if p]}
    if geometry.get("type") not in _TYPES or geojson_bounds(geometry) is None:
        return None
    return {"type": geometry["type"], "coordinates": _numbers(geometry["coordinates"])}


def _numbers(value: Any) -> Any:
    if isinstance(value, int | float):
        return round(float(value), _DECIMALS)
    return [_numbers(part) for part in value]


def _layer(geometry: dict[str, Any], properties: dict[str, Any], options: dict[str, Any]) -> Any:
    return geojson(collection([(geometry, properties)]), options, PANE, smooth=0.5)


def outline(document: Mapping[str, Any], group: folium.FeatureGroup, *, filled: bool) -> None:
    """Add the outline of a site to a group: a white border under the colour of the verdict."""
    geometry = drawn_geometry(document["site"].get("geometry"))
    if geometry is None:
        return
    verdict = verdict_of(document["verdict"])
    look = style.VERDICTS[verdict]
    below = Look("#ffffff", 6.5).options() | {"interactive": False, "opacity": 0.9}
    pattern = look.pattern if filled and look.pattern != "none" else None
    line = Look(look.colour, 3.2, fill=look.colour, fill_opacity=0.02, pattern=pattern)
    _layer(geometry, {}, below).add_to(group)
    options = line.options() | {"className": _classes("wq-site-outline", line)}
    _layer(geometry, site_popup(document), options).add_to(group)


def _classes(name: str, look: Look) -> str:
    return f"{name} wq-fill-{look.pattern}" if look.pattern else name


def site_popup(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the popup of a site: verdict, area and the rule that decided."""
    verdict = verdict_of(document["verdict"])
    area = document["site"]["area"]
    deciding = deciding_finding(document)
    rows: list[PopupRow] = [("面积", f"{area['mu']:,.2f} 亩（{area['ha']:,.2f} 公顷）")]
    if deciding:
        rows.append(("主要原因", deciding["title"]))
    return popup(document["site"]["name"], rows) | {
        "v": verdict.value,
        "w": clean(verdict.label),
        "i": icon_svg(verdict, 24),
        "n": clean(deciding["reason"]) if deciding else "",
    }


def icon_svg(verdict: Any, size: int) -> str:
    """Return the whole SVG of a verdict's icon."""
    return (
        f'<svg class="wq-icon" viewBox="0 0 24 24" width="{size}" height="{size}" '
        f'aria-hidden="true">{style.icon(verdict)}</svg>'
    )


def site_layer(
    documents: Sequence[Mapping[str, Any]], title: str, *, pins: bool
) -> folium.FeatureGroup:
    """Return the layer of checked sites; ``pins`` adds a verdict icon at each."""
    group = folium.FeatureGroup(name=list_name("sites", title, "地块"))
    for number, document in enumerate(documents):
        outline(document, group, filled=pins)
        bounds = geojson_bounds(document["site"].get("geometry"))
        if pins and bounds:
            _pin(document, number, bounds).add_to(group)
    return group


def _pin(document: Mapping[str, Any], number: int, bounds: list[list[float]]) -> folium.Marker:
    verdict = verdict_of(document["verdict"])
    (south, west), (north, east) = bounds
    name = clean(document["site"]["name"])
    html = (
        f'<div class="wq-pin wq-pin-{verdict.value}" role="img" '
        f'aria-label="{name}：{verdict.label}">{icon_svg(verdict, 30)}</div>'
    )
    icon = folium.DivIcon(
        html=html, icon_size=(34, 34), icon_anchor=(17, 17), class_name="wq-pin-box"
    )
    where = [round((south + north) / 2, 6), round((west + east) / 2, 6)]
    # wq ties the marker to its popup in the page's own script; folium's popups need jQuery.
    return folium.Marker(where, icon=icon, wq=number, rise_on_hover=True)


def site_labels(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the names that stand beside the pins."""
    rows = []
    for document in documents:
        bounds = geojson_bounds(document["site"].get("geometry"))
        if bounds is None:
            continue
        (south, west), (north, east) = bounds
        rows.append(
            {
                "at": [[round((south + north) / 2, 6), round((west + east) / 2, 6)]],
                "text": clean(document["site"]["name"], limit=40),
                "short": "",
                "room": 0,
                "kind": "site",
                "rank": 1,
                "minZoom": 0,
                "layer": "sites",
            }
        )
    return rows


def conflict_layer(finding: Mapping[str, Any], *, first: bool) -> folium.FeatureGroup | None:
    """Return the hatched overlap of one finding row, None when it has no geometry to show.

    ``first``: visible on opening; the others come when their finding is tapped.
    """
    geometry = drawn_geometry(finding["geometry"])
    if geometry is None:
        return None
    verdict = verdict_of(finding["verdict"]["id"])
    look = style.VERDICTS[verdict]
    key = finding["key"]
    group = folium.FeatureGroup(name=key, control=False, show=first)
    pattern = f" wq-fill-{look.pattern}" if look.pattern != "none" else ""
    options = Look(look.colour, 2.2, fill=look.colour, fill_opacity=1.0).options()
    options["className"] = f"wq-conflict wq-c-{key}{pattern}"
    rows: list[PopupRow] = [("图层", finding["layer"])] if finding["layer"] else []
    if finding["measure"]:
        rows.append(("重叠", finding["measure"]))
    properties = popup(finding["title"], rows) | {
        "v": verdict.value,
        "w": clean(verdict.label),
        "i": icon_svg(verdict, 24),
    }
    _layer(geometry, properties, options).add_to(group)
    return group
