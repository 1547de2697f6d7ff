"""Which land lies around the features of a layer, from one distance of their edge to another?

A restriction often begins at an edge: 2,000 m from the bank, 20 m from the land edge of a road.
The edge of a line is its half width away from the line; areas and points are their own edge.

Exactness: the distance from a straight edge is exact. The circle around a corner is drawn with 642
chords to the quarter, inside the true one: it has 1e-6 less area, so a whole ring is short by less
than 1e-6 of itself, and at a distance of 2,000 m the chords lie at most 1.5 mm inside the arc. GEOS
fills concavities that are far narrower than the distance; their outline moves by centimetres.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges, edges_of
from gis.model import Demand

# 1 - sin(x) / x of the inscribed polygon with 4 · 642 corners is 9.977e-7.
QUARTER_CHORDS = 642
# Sites of one neighbourhood share what was drawn around it.
_WINDOW_M = 2_000.0
_KEPT = 1_024
# What is cut away must stay out of reach however its cut edge is rounded.
_MARGIN_M = 1.0


class Surroundings(NamedTuple):
    """Land around features, correct inside the window that was asked for.

    ``edges_known`` is False when the half width of a feature near it is not known; ``edges`` are
    those of its parts.
    """

    land: BaseGeometry
    edges_known: bool
    edges: Edges


def window_of(geometry: BaseGeometry) -> BaseGeometry:
    """Return the box of whole grid cells around a geometry; neighbours get the same one."""
    west, south, east, north = (v / _WINDOW_M for v in geometry.bounds)
    low = math.floor(west) * _WINDOW_M, math.floor(south) * _WINDOW_M
    return shapely.box(*low, math.ceil(east) * _WINDOW_M, math.ceil(north) * _WINDOW_M)


def in_reach(layer: LayerIndex, demand: Demand, place: BaseGeometry) -> Array:
    """Return the positions of the features of a demand whose surroundings may meet a place."""
    near = layer.within(place, demand.within_m + layer.max_half_width)
    return layer.select(near, demand.classes, excluding=demand.excluding)


def surroundings(
    layer: LayerIndex, demand: Demand, place: BaseGeometry, *, only: int | None = None
) -> Surroundings:
    """Return the land around the features of a demand: ``within_m`` less ``beyond_m``.

    Parameters
    ----------
    layer
        Features in the work CRS.
    demand
        Classes and distances, metres from the edge; ``beyond_m`` 0 keeps the features themselves.
    place
        Geometry that will be cut with the land; the land is right within its window only.
    only
        Position of one feature, when the land around it alone is wanted.

    Notes
    -----
    The last few answers are kept with the layer. Threads that ask at once may draw twice and get
    the same; a dictionary is changed in one step each, so no lock is needed.
    """
    window = window_of(place)
    key = (demand.classes, demand.excluding, demand.within_m, demand.beyond_m, only, window.bounds)
    known: Surroundings | None = layer.surroundings.get(key)
    if known is None:
        at = in_reach(layer, demand, window) if only is None else np.array([only])
        known = _drawn(layer, demand, window, at)
        if len(layer.surroundings) >= _KEPT:
            layer.surroundings.clear()
        layer.surroundings[key] = known
    return known


def _drawn(layer: LayerIndex, demand: Demand, window: BaseGeometry, at: Array) -> Surroundings:
    halves = layer.half_widths[at]
    reach = demand.within_m + layer.max_half_width + _MARGIN_M
    features = _cropped(layer.geometries[at], window, reach)
    halves_or_axis = np.nan_to_num(halves, nan=0.0)
    land = _grown(features, demand.within_m + halves_or_axis)
    if demand.beyond_m > 0:
        land = shapely.difference(land, _grown(features, demand.beyond_m + halves_or_axis))
    parts = shapely.get_parts(land)
    polygons = parts[shapely.get_dimensions(parts) == 2]
    return Surroundings(land, not bool(np.isnan(halves).any()), edges_of(polygons))


def _cropped(features: Array, window: BaseGeometry, reach: float) -> Array:
    """Return the features without what lies too far off; a canal is longer than a site."""
    west, south, east, north = window.bounds
    near = shapely.box(west - reach, south - reach, east + reach, north + reach)
    bounds = shapely.bounds(features).reshape(-1, 4)
    whole = (bounds[:, :2] >= near.bounds[:2]).all(axis=1)
    whole &= (bounds[:, 2:] <= near.bounds[2:]).all(axis=1)
    cropped: Array = np.where(whole, features, shapely.intersection(features, near))
    return cropped


def _grown(features: Array, distances: Array) -> BaseGeometry:
    return shapely.union_all(shapely.buffer(features, distances, quad_segs=QUARTER_CHORDS))
