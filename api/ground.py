"""What lies under the map on which a site is drawn and a fault of a file is shown?

A light picture of the plan: outlines for the screen, in longitude and latitude, with the looks of
the other maps. Nothing above the secrecy ceiling is in it, and nothing is measured on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from api.answers import json_bytes
from api.deps import State
from gis.output.maps.labels import layer_labels
from gis.output.maps.parts import Part, parts_of
from gis.output.maps.shapes import Detail, leaflet_bounds
from gis.output.maps.style import GROUND, LOOKS, Look
from gis.output.maps.visible import drawable
from gis.plan import Plan
from gis.plan.catalogue import Layer

# Bottom to top; True for what is drawn when the page opens. The rest can be switched on: what a
# drawer of a site wants to see, or to keep away from.
_ROLES = {
    "zone": True,
    "water": True,
    "river_range": False,
    "farmland": False,
    "redline": False,
    "control_line": False,
    "road": True,
    "railway": True,
    "district": True,
    "dev_boundary": False,
    "approval": False,
    "core": True,
    "planning_area": True,
}
# About one pixel at the zoom at which a whole site fills the screen.
_TOLERANCE_M = 3.0
# A pattern needs definitions that only a map page has; a thin tint of its colour stands for it.
_TINT = 0.3
_ZONE_OPACITY = 0.42


async def ground_bytes(state: State) -> bytes:
    """Return the picture as JSON; it is made once, because a plan does not change under way."""
    if state.ground is None:
        async with state.drawing:
            # Another request may have made it while this one waited.
            if state.ground is None:
                made = await run_in_threadpool(ground, state.plan, state.settings.secrecy)
                state.ground = json_bytes(made)
    return state.ground


def ground(plan: Plan, ceiling: str) -> dict[str, Any]:
    """Return layers, names and the first view as plain values.

    Parameters
    ----------
    ceiling
        Layers of a higher secrecy are left out.

    Returns
    -------
    ground
        ``home``: the corners of what the map opens with (latitude, longitude); ``sheets``, the
        ground under everything, and ``layers`` bottom to top, with Leaflet path options and GeoJSON
        geometries (longitude, latitude; six decimals); ``labels`` with the
        places where each may stand (latitude, longitude), the best first.
    """
    detail = Detail(plan.work_epsg, _TOLERANCE_M)
    rows = [
        (layer, role, first)
        for role, first in _ROLES.items()
        for layer in drawable(plan, role, ceiling)
    ]
    areas = [layer for layer, role, _ in rows if role == "planning_area"]
    return {
        "home": _home(plan, areas),
        "sheets": [part for layer in areas for part in _paper(layer, detail)],
        "layers": [_layer(layer, _parts(layer, detail), first=first) for layer, _, first in rows],
        "labels": [row for layer, _, _ in rows for row in _labels(layer, detail)],
    }


def _home(plan: Plan, areas: list[Layer]) -> Any:
    """Return the corners that the map opens with: the planning area, where it may be shown."""
    whole = areas[0].index.union if areas else plan.bounds_polygon
    return leaflet_bounds(whole, plan.work_epsg)


def _layer(layer: Layer, parts: list[dict[str, Any]], *, first: bool) -> dict[str, Any]:
    return {
        "id": layer.info.id,
        "title": layer.info.title,
        "vintage": layer.info.vintage,
        "shown": first,
        "parts": parts,
    }


def _paper(layer: Layer, detail: Detail) -> list[dict[str, Any]]:
    """Return the planning area as the light sheet under everything."""
    return [_drawn(part, GROUND) for part in parts_of(layer, layer.frame, detail)]


def _parts(layer: Layer, detail: Detail) -> list[dict[str, Any]]:
    return [_drawn(part, part.look) for part in parts_of(layer, layer.frame, detail)]


def _drawn(part: Part, look: Look) -> dict[str, Any]:
    options = look.options()
    options.pop("className", None)
    if look.pattern:
        options["fillOpacity"] = _TINT
    elif part.number:
        options["fillOpacity"] = _ZONE_OPACITY
    row = {"label": _plain(part.label), "look": options, "shapes": [g for g, _ in part.shapes]}
    if look.casing:
        # Drawn below all parts of the layer, so that roads run into each other.
        row["casing"] = Look(look.casing, look.weight + 1.6).options()
    return row


def _labels(layer: Layer, detail: Detail) -> Iterator[dict[str, Any]]:
    if layer.info.role not in LOOKS:
        return
    for label in layer_labels(layer, detail):
        yield {
            "at": label.at,
            "text": _plain(label.text),
            "kind": label.kind,
            "zoom": label.min_zoom,
        }


def _plain(text: Markup) -> str:
    """Return the characters of a text that was written for HTML; the page shows them as text."""
    return unescape(str(text))
