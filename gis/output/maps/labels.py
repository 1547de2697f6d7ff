"""What is named on a map, and where may the name stand?

Gives candidates, best first; the page's script chooses those that collide with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from markupsafe import Markup

from gis.output.maps.shapes import (
    Detail,
    dissolved,
    label_points,
    leaflet_bounds,
    to_geojson,
)
from gis.output.maps.text import clean
from gis.output.maps.visible import drawable, zones_of

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.plan.catalogue import Layer

# role -> rank (low wins) and the zoom from which it is named.
_LABELS = {"district": (3, 11.5), "water": (2, 11.75), "road": (4, 13.0)}
_SMALL_WATER_M2 = 300_000
_SMALL_WATER_ZOOM = 13.0


@dataclass(frozen=True, slots=True)
class Label:
    """A text on the map; a higher ``rank`` gives way first."""

    at: tuple[tuple[float, float], ...]  # latitude/longitude, best place first
    text: Markup
    kind: str
    rank: int
    min_zoom: float = 0.0
    short: str = ""  # stands instead of the text where the feature is small on the screen
    room: float = 0.0  # width of the feature in degrees, for labels that have a short form


def layer_labels(layer: Layer, detail: Detail) -> Iterator[Label]:
    """Name zones, towns, larger waters and, from close by, roads."""
    if layer.info.role == "zone":
        yield from _zone_labels(layer, detail)
    elif layer.info.role in _LABELS:
        yield from _feature_labels(layer, detail)


def _zone_labels(layer: Layer, detail: Detail) -> Iterator[Label]:
    for zone in zones_of(layer):
        whole = dissolved(zone.frame.geometry.to_numpy())
        (_, west), (_, east) = leaflet_bounds(whole, detail.work_epsg)
        yield Label(
            at=label_points(whole, detail.work_epsg, count=6),
            text=clean(zone.name),
            kind="zone",
            rank=0,
            short=str(zone.number),
            room=round(east - west, 6),
        )


def _feature_labels(layer: Layer, detail: Detail) -> Iterator[Label]:
    role = layer.info.role
    rank, min_zoom = _LABELS[role]
    named = layer.frame[layer.frame["name"].fillna("").astype(str) != ""]
    for name, frame in named.groupby("name", sort=True):
        whole = dissolved(frame.geometry.to_numpy())
        if detail.box is not None:
            whole = shapely.clip_by_rect(whole, *detail.box)
        if whole.is_empty:
            continue
        small = role == "water" and whole.area < _SMALL_WATER_M2
        zoom = _SMALL_WATER_ZOOM if small else min_zoom
        at = label_points(whole, detail.work_epsg)
        yield Label(at, clean(name), role, rank + small, zoom)


_OUTLINE_TOLERANCE_M = 120.0


def outline_ring(plan: Plan, ceiling: str) -> list[tuple[float, float]]:
    """Return a coarse ring of the planning area as latitude/longitude, empty when not shown.

    The page uses it to find a free corner for the legend.
    """
    layers = drawable(plan, "planning_area", ceiling)
    if not layers:
        return []
    whole = shapely.simplify(dissolved(layers[0].frame.geometry.to_numpy()), _OUTLINE_TOLERANCE_M)
    largest = max(shapely.get_parts(whole), key=lambda part: float(part.area))
    ring = to_geojson(largest, plan.work_epsg)["coordinates"][0]
    return [(y, x) for x, y, *_ in ring]
