"""How do remedies stand on the page of a checked site? New outlines on the map, offices in a list.

Works from the JSON document of a check; a record of an earlier version has texts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import folium

from gis.output.maps.card import Row, geojson_bounds, verdict_of, verdict_view
from gis.output.maps.layers import collection, geojson
from gis.output.maps.numbers import PopupRow, percent
from gis.output.maps.parts import Key, popup
from gis.output.maps.sites import PANE, drawn_geometry, icon_svg
from gis.output.maps.style import Look
from gis.output.maps.text import clean
from gis.output.secrecy import layers_shown
from gis.units import m2_to_mu

# A broken line of its own colour: the site has an unbroken one, control lines are thinner.
LOOK = Look("#0b5d52", 2.8, fill="#12a08d", fill_opacity=0.1, dash="9 8")
_WORDS = {"trim": "裁减方案", "shift": "平移方案"}
KEY = "裁减或平移后的范围"


def outline_rows(document: Mapping[str, Any], secret: frozenset[str]) -> list[Row]:
    """Return the remedies that have an outline, numbered within their kind.

    The outline stays away where it may show the borders of a layer in ``secret``.
    """
    rows: list[Row] = []
    for remedy, own in zip(document["remedies"], layers_shown(document)["remedies"], strict=True):
        word = _WORDS.get(remedy.get("kind", ""))
        if word is None:
            continue
        number = 1 + sum(row["word"] == word for row in rows)
        hidden = bool(own & secret) or geojson_bounds(remedy.get("geometry")) is None
        rows.append(
            {
                "key": f"r{len(rows)}",
                "word": word,
                "title": f"{word} {number}",
                "size": _size(remedy),
                "text": remedy["text"],
                "verdict": verdict_view(remedy.get("verdict")),
                "geometry": None if hidden else remedy["geometry"],
            }
        )
    return rows


def procedure_rows(document: Mapping[str, Any]) -> list[Row]:
    """Return what to apply for, each with its office."""
    return [
        {"office": r.get("office", ""), "text": r["text"]}
        for r in document["remedies"]
        if r.get("kind", "procedure") not in _WORDS
    ]


def _size(remedy: Mapping[str, Any]) -> str:
    if remedy["kind"] == "shift":
        return f"平移 {remedy['shift_m']:.0f} 米，坐标方位角 {remedy['bearing_deg']:.0f}°"
    kept, lost = remedy["area_m2"], remedy["lost_m2"]
    share = percent(lost / (kept + lost))
    return f"保留 {m2_to_mu(kept):,.2f} 亩，裁去 {m2_to_mu(lost):,.2f} 亩（{share}）"


def remedy_layers(rows: Sequence[Row]) -> dict[str, folium.map.Layer]:
    """Return the new outlines by key; the first is visible on opening, the others when tapped."""
    layers: dict[str, folium.map.Layer] = {}
    for row in rows:
        geometry = drawn_geometry(row["geometry"])
        if geometry is not None:
            layers[row["key"]] = _layer(row, geometry, first=not layers)
    return layers


def _layer(row: Row, geometry: dict[str, Any], *, first: bool) -> folium.FeatureGroup:
    verdict = verdict_of(row["verdict"]["id"])
    group = folium.FeatureGroup(name=row["key"], control=False, show=first)
    lines: list[PopupRow] = [("方案", row["size"]), ("调整后", verdict.label)]
    told = {"v": verdict.value, "w": clean(verdict.label), "i": icon_svg(verdict, 24)}
    options = LOOK.options() | {"className": f"wq-remedy wq-r-{row['key']}"}
    data = collection([(geometry, popup(row["title"], lines) | told)])
    geojson(data, options, PANE, smooth=0.5).add_to(group)
    return group


def legend_keys(rows: Sequence[Row]) -> list[Key]:
    """Return the row of the legend, none without an outline."""
    return [Key(clean(KEY), LOOK, "area")] if any(row["geometry"] for row in rows) else []
